import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, Builder, Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { toObject, toXml } from '../../../lib/format/transformer';
import * as Hash from '../../../lib/signature/hash';

type Fields = Record<string, unknown>;

let sandbox: Sandbox;
let server: Server;
let notify_url: string;
let instance: ReturnType<typeof Builder.factory>;
/** What the merchant was notified of: as it came, and as our own client reads it. */
let arrived: Fields[] = [];
let read: Fields[] = [];

const [appid, mch_id, out_trade_no] = ['wx8888888888888888', '1900000109', 'ORDER-1'];

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = Builder.factory(sandbox.config);
  const { certs, apiv3Key, secret } = sandbox.config;
  const notifications = Notifications.of({ certs, apiv3Key, secret });
  const handle = notifications.nodeHandler((notification) => void read.push({ ...notification }));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => arrived.push({ ...toObject(Buffer.concat(chunks)) }));
    void handle(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
});

beforeEach(() => {
  sandbox.clock.freeze();
});

afterEach(() => {
  sandbox.reset();
  [arrived, read] = [[], []];
});

afterAll(async () => {
  server.close();
  await sandbox.close();
});

/** Calls an operation as a client that gives its fields as texts. */
const call = (path: string, fields: Fields): Promise<Fields> =>
  instance
    .chain(`v2/${path}`)
    .post({ xml: { appid, mch_id, ...fields }, security: false })
    .xml()
    .then((xml) => Object(xml));
/** As {@link call}, by a client that does not look at what comes back. */
const bare = async (path: string, more: Fields): Promise<Fields> => {
  const fields = { appid, mch_id, nonce_str: '1', ...more };
  const body = toXml({ ...fields, sign: Hash.sign('MD5', fields, sandbox.config.secret) });
  const response = await fetch(`${sandbox.url}${path}`, { method: 'POST', body });
  return toObject(await response.text());
};
const place = (more: Fields = {}) =>
  call('pay/unifiedorder', {
    ...{ body: '茶', out_trade_no, total_fee: 100, spbill_create_ip: '8.8.8.8', notify_url, trade_type: 'NATIVE' },
    ...more,
  });
const query = (more: Fields = { out_trade_no }) => call('pay/orderquery', more);
const close = (more: Fields = { out_trade_no }) => call('pay/closeorder', more);
const code = (ending = '') => `13${'4567890123456789'.slice(0, 16 - ending.length)}${ending}`;
const micropay = (auth_code: string, more: Fields = {}) =>
  call('pay/micropay', { body: '茶', out_trade_no, total_fee: 100, spbill_create_ip: '8.8.8.8', auth_code, ...more });
const reverse = (more: Fields = { out_trade_no }) => call('secapi/pay/reverse', more);
const refund = (more: Fields = {}) =>
  call('secapi/pay/refund', { out_trade_no, out_refund_no: 'REFUND-1', total_fee: 100, refund_fee: 40, ...more });
const refunds = (more: Fields = { out_trade_no }) => call('pay/refundquery', more);

/** `err_code` and its text, or `return_msg`, that a call is refused with. */
const refusal = (response: Promise<unknown>) =>
  response.then(
    () => 'accepted',
    (error) => {
      if (!(error instanceof ApiError)) throw error;
      const { err_code, err_code_des, return_msg } = toObject(error.body) as Record<string, string>;
      return err_code === undefined ? return_msg : `${err_code} ${err_code_des}`;
    },
  );

const common = (more: Fields) => ({
  ...{ return_code: 'SUCCESS', return_msg: 'OK', result_code: 'SUCCESS', appid, mch_id },
  nonce_str: expect.stringMatching(/^\w{32}$/),
  sign: expect.stringMatching(/^[\dA-F]{32}$/),
  ...more,
});
const PREPAY_ID = expect.stringMatching(/^wx\d{14}[\da-f]{18}00$/);
const paid = (more: Fields = {}) => ({
  ...{ openid: expect.stringMatching(/^o.{27}$/), is_subscribe: 'N', trade_type: 'NATIVE', bank_type: 'OTHERS' },
  ...{ total_fee: '100', fee_type: 'CNY', cash_fee: '100', cash_fee_type: 'CNY', attach: '', out_trade_no },
  transaction_id: expect.stringMatching(/^4200\d{24}$/),
  time_end: expect.stringMatching(/^20\d{12}$/),
  ...more,
});

describe('unifiedorder', () => {
  test.each<[string, Fields, Fields]>([
    ['NATIVE', {}, { code_url: expect.stringMatching(/^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/) }],
    ['MWEB', {}, { mweb_url: expect.stringMatching(/^https:\/\/.*\?prepay_id=wx\w+&package=\d+$/) }],
    ['JSAPI', { openid: 'o1', device_info: 'WEB' }, { device_info: 'WEB' }],
    ['APP', {}, {}],
  ])('%s opens a payment', async (trade_type, more, expected) => {
    const response = await place({ trade_type, ...more });
    expect(response).toEqual(common({ trade_type, prepay_id: PREPAY_ID, ...expected }));
  });

  test('a repeated one gets fresh links; nonce, times and algorithm do not count', async () => {
    const first = await place({ time_start: '20300101000000' });
    const second = await place({ time_start: '20300101000001', time_expire: '', sign_type: 'HMAC-SHA256' });
    expect(second.prepay_id).not.toBe(first.prepay_id);
    expect(second.code_url).not.toBe(first.code_url);
    expect(second.sign).toMatch(/^[\dA-F]{64}$/);
  });

  test.each<[string, () => Promise<unknown>, Fields, string]>([
    ['another amount', place, { total_fee: 101 }, 'INVALID_REQUEST 201 商户订单号重复'],
    ['another description', place, { body: '水' }, 'INVALID_REQUEST 201 商户订单号重复'],
    ['another trade type', place, { trade_type: 'APP' }, 'INVALID_REQUEST 201 商户订单号重复'],
    ['an order that is paid', () => place().then(() => sandbox.pay(out_trade_no)), {}, 'ORDERPAID 该订单已支付'],
    ['an order that is closed', () => place().then(() => close()), {}, 'ORDERCLOSED 订单已关闭'],
    ['the number of a payment by code', () => micropay(code()), {}, 'ORDERPAID 该订单已支付'],
    ['the number of one that waits', () => refusal(micropay(code('000002'))), {}, 'INVALID_REQUEST 201 商户订单号重复'],
  ])('%s is refused', async (_, before, more, expected) => {
    await before();
    expect(await refusal(place(more))).toBe(expected);
  });

  test.each<[Fields, string]>([
    [{ trade_type: 'JSAPI' }, 'JSAPI支付必须传openid'],
    [{ trade_type: 'COIN' }, 'trade_type must be one of NATIVE, JSAPI, APP, MWEB'],
    [{ total_fee: 0 }, 'invalid total_fee'],
    [{ notify_url: 'nowhere' }, 'invalid notify_url: it must be an absolute http(s) URL without a query'],
    [{ time_expire: '20301332000000' }, 'time_expire must be a time of Beijing such as 20141030133525'],
  ])('%j is refused, and uses up no number', async (more, expected) => {
    expect(await refusal(place(more))).toBe(expected);
    expect(await refusal(query())).toBe('ORDERNOTEXIST 此交易订单号不存在');
    await place();
  });

  test('an order is closed when it expires', async () => {
    const soon = new Date(sandbox.clock.now() + 8 * 3_600_000 + 300_000).toISOString().replace(/\..*|\D/g, '');
    await place({ time_expire: soon });
    await sandbox.clock.advance({ minutes: 4 });
    expect(await query()).toMatchObject({ trade_state: 'NOTPAY' });
    await sandbox.clock.advance({ minutes: 1 });
    expect(await query()).toMatchObject({ trade_state: 'CLOSED' });
    expect(await refusal(place({ time_expire: soon }))).toBe('ORDERCLOSED 订单已关闭');
    await expect(sandbox.pay(out_trade_no)).rejects.toThrow('cannot be paid');
  });

  test('of a partner, sub_mch_id and sub_appid are repeated, and orders of others are not seen', async () => {
    const partner = { sub_mch_id: '1900000110', sub_appid: 'wx1234567889999' };
    expect(await place({ ...partner, trade_type: 'JSAPI', sub_openid: 'o2' })).toMatchObject(partner);
    const delivery = await sandbox.pay(out_trade_no);
    expect(delivery).toMatchObject({ delivered: true });
    expect(arrived).toMatchObject([{ ...partner, sub_openid: 'o2', sub_is_subscribe: 'N' }]);
    expect(await query({ out_trade_no, ...partner })).toMatchObject({ ...partner, sub_openid: 'o2' });
    expect(await refusal(query())).toBe('ORDERNOTEXIST 此交易订单号不存在');
    expect(await refusal(query({ out_trade_no, sub_mch_id: '1900000111' }))).toContain('ORDERNOTEXIST');
  });
});

describe('orderquery and closeorder', () => {
  const unpaid = { device_info: '', total_fee: '100', out_trade_no };

  test('an order unpaid, paid and refunded', async () => {
    await place({ attach: 'table 7' });
    expect(await query()).toEqual(common({ ...unpaid, trade_state: 'NOTPAY', trade_state_desc: '订单未支付' }));
    await sandbox.pay(out_trade_no);
    const state = { device_info: '', trade_state: 'SUCCESS', trade_state_desc: '支付成功' };
    const after = await query();
    expect(after).toEqual(common(paid({ attach: 'table 7', ...state })));
    const { transaction_id } = after;
    expect(await bare('pay/orderquery', { transaction_id, out_trade_no: 'ORDER-2' })).toMatchObject({ out_trade_no });
    await refund();
    expect(await query({ transaction_id })).toEqual({
      ...after,
      ...{ nonce_str: expect.anything(), sign: expect.anything() },
      ...{ trade_state: 'REFUND', trade_state_desc: '订单发生过退款，退款详情请查询退款单' },
    });
  });

  test('an order closed', async () => {
    await place();
    expect(await close()).toEqual(common({ result_msg: 'OK' }));
    expect(await query()).toEqual(common({ ...unpaid, trade_state: 'CLOSED', trade_state_desc: '订单已关闭' }));
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['nobody has placed', async () => {}, 'ORDERNOTEXIST 订单不存在'],
    ['is paid', () => place().then(() => sandbox.pay(out_trade_no)), 'ORDERPAID 该订单已支付'],
    ['is closed', () => place().then(() => close()), 'ORDERCLOSED 订单已关闭'],
    [
      'is one by code',
      () => refusal(micropay(code('000002'))),
      'TRADE_STATE_ERROR 当前交易不允许进行普通关单（只能撤销）',
    ],
  ])('an order that %s is not closed', async (_, before, expected) => {
    await before();
    expect(await refusal(close())).toBe(expected);
  });

  test('empty members come as empty CDATA, amounts without one', async () => {
    await place();
    const path: string = 'v2/pay/orderquery';
    const response = await instance.chain(path).post({ xml: { appid, mch_id, out_trade_no } });
    const text = await response.text();
    expect(text).toContain('<device_info><![CDATA[]]></device_info>');
    expect(text).toContain('<total_fee>100</total_fee>');
    expect(text).toContain('<trade_state><![CDATA[NOTPAY]]></trade_state>');
  });

  test('APIv3 does not see orders of v2, nor the other way round', async () => {
    await place();
    const found = instance.v3.pay.transactions.outTradeNo._out_trade_no_;
    const byV3 = () => found.get({ out_trade_no, query: { mchid: mch_id } }).json();
    await expect(byV3()).rejects.toMatchObject({ code: 'ORDER_NOT_EXIST' });
    await sandbox.pay(out_trade_no);
    const { transaction_id } = await query();
    const byId = instance.v3.pay.transactions.id._transaction_id_;
    await expect(
      byId.get({ transaction_id: String(transaction_id), query: { mchid: mch_id } }).json(),
    ).rejects.toMatchObject({ code: 'ORDER_NOT_EXIST' });
    const json = { appid, mchid: mch_id, description: '茶', out_trade_no: 'ORDER-3', notify_url, amount: { total: 1 } };
    await instance.v3.pay.transactions.native.post({ json });
    expect(await refusal(query({ out_trade_no: 'ORDER-3' }))).toContain('ORDERNOTEXIST');
  });
});

describe('notifications', () => {
  test.each([
    ['MD5', {}],
    ['HMAC-SHA256', { sign_type: 'HMAC-SHA256' }],
  ] as const)('a payment is notified, signed by %s as the order was', async (type, more) => {
    await place({ attach: 'table 7', ...more });
    const delivery = await sandbox.pay(out_trade_no, { openid: 'o'.padEnd(28, '1') });
    expect(delivery).toMatchObject({ name: 'v2/transaction-success', delivered: true });
    const { attach, ...rest } = paid();
    expect(attach).toBe('');
    expect(arrived).toEqual([
      {
        ...{ ...rest, attach: 'table 7', openid: 'o'.padEnd(28, '1') },
        ...{ appid, mch_id, return_code: 'SUCCESS', result_code: 'SUCCESS' },
        ...{ nonce_str: expect.any(String), sign: expect.any(String) },
      },
    ]);
    const [{ sign, ...fields } = {}] = arrived;
    expect(sign).toBe(Hash.sign(type, fields, sandbox.config.secret));
    expect(read).toHaveLength(1);
  });

  test('a refund is notified a second after it was accepted', async () => {
    await place();
    await sandbox.pay(out_trade_no);
    const { refund_id, transaction_id } = await refund({ notify_url });
    expect(await refunds()).toMatchObject({ refund_status_0: 'PROCESSING' });
    await sandbox.clock.advance({ seconds: 2 });
    await sandbox.clock.advance({ minutes: 1 });
    expect(arrived[1]).toEqual({
      ...{ return_code: 'SUCCESS', appid, mch_id, nonce_str: expect.any(String), req_info: expect.any(String) },
    });
    const text = JSON.stringify(read[1]);
    const expected = {
      ...{ out_refund_no: 'REFUND-1', out_trade_no, refund_id, transaction_id, refund_fee: '40', total_fee: '100' },
      ...{ refund_request_source: 'API', refund_status: 'SUCCESS', settlement_refund_fee: '40' },
    };
    for (const [name, value] of Object.entries(expected)) expect(text).toContain(`"${name}":"${value}"`);
  });
});

describe('micropay', () => {
  test('a code pays at once, and nobody is notified', async () => {
    const auth_code = code();
    const { openid } = await call('tools/authcodetoopenid', { auth_code });
    const response = await micropay(auth_code, { device_info: 'T1' });
    expect(response).toEqual(common(paid({ trade_type: 'MICROPAY', device_info: 'T1', openid })));
    expect(await query()).toMatchObject({ trade_state: 'SUCCESS', openid, trade_type: 'MICROPAY' });
    expect(sandbox.notifications).toEqual([]);
  });

  test('a partner learns the openid of its sub-merchant too', async () => {
    const auth_code = code();
    const partner = { sub_mch_id: '1900000110', sub_appid: 'wx1234567889999' };
    const { openid, sub_openid } = await call('tools/authcodetoopenid', { auth_code, ...partner });
    expect(sub_openid).not.toBe(openid);
    expect(await micropay(auth_code, partner)).toMatchObject({ openid, sub_openid, ...partner });
  });

  const ASKED = 'USERPAYING 需要用户输入支付密码';
  test.each<[string, string, string, string, string]>([
    ['types the password', '000001', ASKED, 'USERPAYING', 'SUCCESS'],
    ['does nothing', '000002', ASKED, 'USERPAYING', 'USERPAYING'],
    ['gives up', '000003', ASKED, 'USERPAYING', 'PAYERROR'],
    ['has no money', '000005', 'NOTENOUGH 余额不足', 'PAYERROR', 'PAYERROR'],
    ['pays, but the response says nothing', '000006', 'SYSTEMERROR 系统错误', 'SUCCESS', 'SUCCESS'],
    ['has a bank that fails', '000007', 'BANKERROR 银行系统异常', 'PAYERROR', 'PAYERROR'],
    ['has a card that does not do', '000008', 'NOTSUPORTCARD 不支持卡类型', 'PAYERROR', 'PAYERROR'],
    ['has not typed the password', '000009', 'TRADE_ERROR 用户没有输入支付密码', 'PAYERROR', 'PAYERROR'],
  ])('a user who %s', async (_, ending, expected, now, later) => {
    expect(await refusal(micropay(code(ending)))).toBe(expected);
    expect(await query()).toMatchObject({ trade_state: now });
    await sandbox.clock.advance({ seconds: 10 });
    expect(await query()).toMatchObject({ trade_state: later });
  });

  test('more than 1,000 yuan need a password, which sandbox.pay types', async () => {
    expect(await refusal(micropay(code(), { total_fee: 100_001 }))).toBe(ASKED);
    expect(await refusal(micropay(code(), { total_fee: 100_001 }))).toBe(ASKED);
    expect(await query()).toMatchObject({ trade_state: 'USERPAYING', trade_state_desc: '用户支付中，需要输入密码' });
    expect(await sandbox.pay(out_trade_no)).toBeUndefined();
    expect(await query()).toMatchObject({ trade_state: 'SUCCESS', cash_fee: '100001' });
  });

  const refused: [string, () => Promise<unknown>, string, string, Fields?][] = [
    [
      'a code of another kind',
      async () => {},
      '284567890123456789',
      'AUTH_CODE_INVALID 请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)',
    ],
    [
      'a code that is too short',
      async () => {},
      '1345678901234567',
      'AUTH_CODE_INVALID 请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)',
    ],
    [
      'a code that has expired',
      async () => {},
      code('000004'),
      'AUTHCODEEXPIRE 二维码已过期，请用户在微信上刷新后再试',
    ],
    [
      'a code that was scanned a minute ago',
      () => call('tools/authcodetoopenid', { auth_code: code() }).then(() => sandbox.clock.advance({ minutes: 1 })),
      code(),
      'AUTHCODEEXPIRE 二维码已过期，请用户在微信上刷新后再试',
    ],
    [
      'a code that has paid another order',
      () => micropay(code(), { out_trade_no: 'ORDER-2' }),
      code(),
      'AUTH_CODE_INVALID 101 每个二维码仅限使用一次，请刷新再试',
    ],
    ['an order that is paid', () => micropay(code()), code('77'), 'ORDERPAID 订单已支付'],
    ['an order that is closed', () => place().then(() => close()), code(), 'ORDERCLOSED 订单已关闭'],
    [
      'an order that is reversed',
      () => refusal(micropay(code('000005'))).then(() => reverse()),
      code(),
      'ORDERREVERSED 订单已撤销',
    ],
    ['the number of another order', () => place(), code(), 'OUT_TRADE_NO_USED 商户订单号重复'],
    [
      'other data',
      () => refusal(micropay(code('000005'))),
      code(),
      'OUT_TRADE_NO_USED 商户订单号重复',
      { total_fee: 99 },
    ],
    [
      'another code while one is paying',
      () => refusal(micropay(code('000002'))),
      code(),
      'BUYER_MISMATCH 支付帐号错误',
    ],
    ['the code of one who had no money', () => refusal(micropay(code('000005'))), code('000005'), 'NOTENOUGH 余额不足'],
    [
      'the code of one who gave up',
      () => refusal(micropay(code('000003'))).then(() => sandbox.clock.advance({ seconds: 10 })),
      code('000003'),
      'TRADE_ERROR 用户没有输入支付密码',
    ],
  ];
  test.each(refused.map(([...row]) => [row[0], { row }] as const))('%s is refused', async (_, { row }) => {
    const [, before, auth_code, expected, more] = row;
    await before();
    expect(await refusal(micropay(auth_code, more))).toBe(expected);
  });

  test('a code that is refused uses up no number; after one that fails, another may pay', async () => {
    expect(await refusal(micropay('1'))).toContain('AUTH_CODE_INVALID');
    expect(await refusal(query())).toContain('ORDERNOTEXIST');
    expect(await refusal(micropay(code('000005')))).toContain('NOTENOUGH');
    expect(await micropay(code())).toMatchObject({ trade_type: 'MICROPAY' });
  });
});

describe('reverse', () => {
  test('what was paid goes back, once and for all', async () => {
    await micropay(code());
    await sandbox.clock.advance({ seconds: 15 });
    const done = common({ recall: 'N' });
    const { transaction_id } = await query();
    expect(await reverse({ transaction_id, out_trade_no })).toEqual(done);
    expect(await reverse()).toEqual(done);
    expect(await query()).toMatchObject({ trade_state: 'REVOKED', trade_state_desc: '订单已撤销' });
    expect(await refusal(refund())).toContain('INVALID_REQUEST');
  });

  test('one that nobody has paid is closed', async () => {
    expect(await refusal(micropay(code('000002')))).toContain('USERPAYING');
    await sandbox.clock.advance({ seconds: 14 });
    const refused = await reverse().catch((error: ApiError) => toObject(error.body));
    expect(refused).toMatchObject({ err_code: 'USERPAYING', recall: 'Y' });
    await sandbox.clock.advance({ seconds: 1 });
    expect(await reverse()).toMatchObject({ recall: 'N' });
    expect(await query()).toMatchObject({ trade_state: 'REVOKED' });
    await expect(sandbox.pay(out_trade_no)).rejects.toThrow('REVOKED');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['nobody has placed', async () => {}, 'N INVALID_TRANSACTIONID'],
    ['was just paid', () => micropay(code()), 'Y TRADE_ERROR'],
    ['is no payment by code', () => place(), 'N INVALID_REQUEST'],
    ['was refunded', () => micropay(code()).then(() => refund()), 'N TRADE_ERROR'],
    ['is a week old', () => micropay(code()).then(() => sandbox.clock.advance({ days: 7 })), 'N REVERSE_EXPIRE'],
  ])('an order that %s is not reversed', async (_, before, expected) => {
    await before();
    const { recall, err_code } = await reverse().catch((error: ApiError) => toObject(error.body));
    expect(`${recall} ${err_code}`).toBe(expected);
  });
});

describe('refund and refundquery', () => {
  const AMOUNTS = 'INVALID_REQUEST 订单金额或退款金额与之前请求不一致，请核实后再试';
  const pay = async () => {
    await place();
    await sandbox.pay(out_trade_no);
  };

  test('a refund is accepted, and has succeeded a second later', async () => {
    await pay();
    const { transaction_id } = await query();
    const response = await refund();
    expect(response).toEqual(
      common({
        ...{ transaction_id, out_trade_no, out_refund_no: 'REFUND-1', refund_id: expect.stringMatching(/^503\d{26}$/) },
        ...{ refund_channel: '', refund_fee: '40', total_fee: '100', fee_type: 'CNY', cash_fee: '100' },
        ...{ cash_refund_fee: '40', coupon_refund_count: '0', coupon_refund_fee: '0' },
      }),
    );
    const { refund_id } = response;
    expect(await refund()).toMatchObject({ refund_id });
    const shown = {
      ...{ transaction_id, out_trade_no, total_fee: '100', fee_type: 'CNY', cash_fee: '100', refund_count: '1' },
      ...{ out_refund_no_0: 'REFUND-1', refund_id_0: refund_id, refund_channel_0: 'ORIGINAL', refund_fee_0: '40' },
      ...{ refund_account_0: 'REFUND_SOURCE_RECHARGE_FUNDS', refund_recv_accout_0: '支付用户零钱' },
    };
    expect(await refunds()).toEqual(common({ ...shown, refund_status_0: 'PROCESSING' }));
    await sandbox.clock.advance({ seconds: 1 });
    const done = common({
      ...{ ...shown, refund_status_0: 'SUCCESS' },
      refund_success_time_0: expect.stringMatching(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });
    for (const by of [{ out_trade_no }, { transaction_id }, { refund_id }, { out_refund_no: 'REFUND-1' }]) {
      expect(await refunds(by)).toEqual(done);
    }
  });

  test.each<[string, () => Promise<unknown>, Fields, string]>([
    ['of an order that nobody has placed', async () => {}, {}, 'ORDERNOTEXIST 订单不存在'],
    ['of an order that is not paid', () => place(), {}, 'ORDERNOTEXIST 订单不存在'],
    ['by a number that is none', pay, { transaction_id: '1' }, 'INVALID_TRANSACTIONID 无效transaction_id'],
    ['of another total', pay, { total_fee: 99 }, AMOUNTS],
    ['of other data', () => pay().then(() => refund()), { refund_fee: 41 }, AMOUNTS],
    ['of nothing', pay, { refund_fee: 0 }, 'invalid refund_fee'],
    ['of more than was paid', pay, { refund_fee: 101 }, 'INVALID_REQUEST 申请退款金额超过订单可退金额'],
    [
      'of more than is left',
      () => pay().then(() => refund({ out_refund_no: 'REFUND-0' })),
      { refund_fee: 61 },
      'INVALID_REQUEST 申请退款金额超过订单可退金额',
    ],
    [
      'of what was refunded',
      () => pay().then(() => refund({ out_refund_no: 'REFUND-0', refund_fee: 100 })),
      {},
      'INVALID_REQUEST 订单已全额退款',
    ],
    [
      'after a year',
      () => pay().then(() => sandbox.clock.advance({ days: 366 })),
      {},
      'TRADE_OVERDUE 订单已经超过退款期限',
    ],
  ])('a refund %s is refused', async (_, before, more, expected) => {
    await before();
    expect(await refusal(refund(more))).toBe(expected);
  });

  test('an order has fifty refunds at most, of which a query shows ten', async () => {
    await pay();
    for (let n = 0; n < 50; n += 1) await refund({ out_refund_no: `REFUND-${n}`, refund_fee: 1 });
    expect(await refusal(refund({ out_refund_no: 'REFUND-50' }))).toBe(
      'INVALID_REQUEST An order has 50 refunds at most.',
    );
    expect(await refunds()).toMatchObject({ refund_count: '10', out_refund_no_9: 'REFUND-9' });
    const last = await refunds({ out_trade_no, offset: 45 });
    expect(last).toMatchObject({ refund_count: '5', total_refund_count: '50', out_refund_no_0: 'REFUND-45' });
    expect(await refusal(refunds({ out_trade_no, offset: 50 }))).toBe('REFUNDNOTEXIST 退款订单查询失败');
  });

  test.each<[Fields, string]>([
    [{ out_trade_no }, 'REFUNDNOTEXIST 退款订单查询失败'],
    [{ out_refund_no: 'REFUND-9' }, 'REFUNDNOTEXIST 退款订单查询失败'],
    [{ refund_id: '50300000000000000000000000000' }, 'REFUNDNOTEXIST 退款订单查询失败'],
    [{ transaction_id: '1' }, 'INVALID_TRANSACTIONID 无效transaction_id'],
  ])('a query by %j finds none', async (by, expected) => {
    await pay();
    expect(await refusal(refunds(by))).toBe(expected);
  });
});
