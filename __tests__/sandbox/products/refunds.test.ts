import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Builder, Notifications } from 'wechatpay-undici';
import { fault, Sandbox } from 'wechatpay-undici/sandbox';
import { send } from '../support';
import { appid, journalOf, keptOrder } from './kept-orders';
import { refusedWith } from './shop';

const sub_mchid = '1900000209';
const [PLAIN, PARTNER, COUPON, OLD, V2, REVERSED, FOREIGN] = [1, 2, 3, 4, 5, 6, 7].map(
  (n) => `42000000012031052000000000${n}0`,
);
const [mchid, out_trade_no] = ['1900000109', 'ORDER-1'];
/** The time that each test begins at. */
const START = new Date('2031-05-20T12:00:00+08:00');
const DAY = 86_400_000;

let journal: Awaited<ReturnType<typeof journalOf>>;
let sandbox: Sandbox;
let server: Server;
let instance: ReturnType<typeof Builder.factory>;
let notify_url: string;
/** What the merchant was notified of. */
let notified: { event_type: string; summary: string; resource: Record<string, unknown> }[];

beforeAll(async () => {
  const time = START.getTime() - 1000;
  journal = await journalOf([
    keptOrder(out_trade_no, `${PLAIN}`, time),
    keptOrder('ORDER-2', `${PARTNER}`, time, { partner: { sub_mchid } }),
    keptOrder('ORDER-3', `${COUPON}`, time, {
      payment: { transaction_id: COUPON, bank_type: 'OTHERS', time, payer_total: 70 },
    }),
    keptOrder('ORDER-4', `${OLD}`, time - 365 * DAY),
    keptOrder('ORDER-5', `${V2}`, time, { protocol: 'v2' }),
    keptOrder('ORDER-6', `${REVERSED}`, time, { trade_state: 'REVOKED' }),
    keptOrder('ORDER-7', `${FOREIGN}`, time, { mchid: '1900000110' }),
    { ...keptOrder('ORDER-8', '', time, { trade_state: 'NOTPAY' }), payment: undefined as never },
  ]);
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
});

beforeEach(async () => {
  sandbox = await Sandbox.start({ journal: await journal() });
  sandbox.clock.freeze();
  await sandbox.clock.set(START);
  instance = Builder.factory(sandbox.config);
  notified = [];
  const { certs, apiv3Key } = sandbox.config;
  const receive = Notifications.of({ certs, apiv3Key }).nodeHandler(({ event_type, summary, resource }) => {
    notified.push({ event_type, summary: String(summary), resource: { ...resource } });
    server.emit('notified');
  });
  server.removeAllListeners('request').on('request', receive);
});

afterEach(() => sandbox.close());
afterAll(() => void server.close());

const amount = (refund: number, total = 100) => ({ amount: { refund, total, currency: 'CNY' } });
const wanted = (more: object = {}) => ({ out_trade_no, out_refund_no: 'R-1', ...amount(40), ...more });
const apply = (more?: object) => instance.v3.refund.domestic.refunds.post({ json: wanted(more) }).json();
const query = (out_refund_no = 'R-1', sub?: string) =>
  instance.v3.refund.domestic.refunds._out_refund_no_
    .get({ out_refund_no, ...(sub && { query: { sub_mchid: sub } }) })
    .json();
const orderState = async () => {
  const byNumber = instance.v3.pay.transactions.outTradeNo._out_trade_no_;
  return (await byNumber.get({ out_trade_no, query: { mchid } }).json()).trade_state;
};

test('a refund is PROCESSING, and SUCCESS a second after it was accepted', async () => {
  const asked = await apply({ reason: '商品已售完', notify_url, funds_account: 'AVAILABLE' });
  expect(asked).toEqual({
    refund_id: expect.stringMatching(/^503\d{7}20310520\d{11}$/),
    ...{ out_refund_no: 'R-1', transaction_id: PLAIN, out_trade_no, channel: 'ORIGINAL' },
    ...{ user_received_account: '支付用户零钱', create_time: '2031-05-20T12:00:00+08:00' },
    ...{ status: 'PROCESSING', funds_account: 'AVAILABLE', promotion_detail: [] },
    amount: {
      ...{ total: 100, refund: 40, payer_total: 100, payer_refund: 40 },
      ...{ settlement_refund: 40, settlement_total: 100, discount_refund: 0, currency: 'CNY' },
    },
  });
  expect([await query(), await orderState()]).toEqual([asked, 'REFUND']);
  await sandbox.clock.advance({ seconds: 0.9 });
  expect((await query()).status).toBe('PROCESSING');
  const arrived = once(server, 'notified');
  await sandbox.clock.advance({ seconds: 0.1 });
  await arrived;
  const success_time = '2031-05-20T12:00:01+08:00';
  expect(await query()).toEqual({ ...asked, status: 'SUCCESS', success_time });
  expect(sandbox.refunds).toEqual([{ ...(await query()), mchid, protocol: 'v3', reason: '商品已售完', notify_url }]);
  expect(notified).toEqual([
    {
      ...{ event_type: 'REFUND.SUCCESS', summary: '退款成功' },
      resource: {
        ...{ mchid, transaction_id: PLAIN, out_trade_no, refund_id: asked.refund_id, out_refund_no: 'R-1' },
        ...{ refund_status: 'SUCCESS', success_time, user_received_account: '支付用户零钱' },
        amount: { total: 100, refund: 40, payer_total: 100, payer_refund: 40 },
      },
    },
  ]);
});

test.each([
  ['CLOSED', '退款关闭'],
  ['ABNORMAL', '退款异常'],
  ['SUCCESS', '退款成功'],
] as const)('a refund ends as %s where it is told to', async (status, summary) => {
  const { refund_id } = await apply({ notify_url });
  const ended = await sandbox.refund('R-1', { status });
  expect(ended).toMatchObject({ refund_id, status });
  expect(ended).toMatchObject(await query());
  expect(notified).toMatchObject([{ event_type: `REFUND.${status}`, summary, resource: { refund_status: status } }]);
  expect([ended, notified[0]?.resource].map((shown) => 'success_time' in Object(shown))).toEqual(
    status === 'SUCCESS' ? [true, true] : [false, false],
  );
  await sandbox.clock.advance({ minutes: 1 });
  expect((await query()).status).toBe(status);
  expect(notified).toHaveLength(1);
});

test('how a refund can be told to end', async () => {
  await apply();
  const refused = (number: string, status: string) =>
    sandbox.refund(number, { status: status as 'CLOSED' }).then(
      () => 'done',
      (error) => `${error.name}: ${error.message}`,
    );
  expect(await refused('R-2', 'CLOSED')).toBe('InvalidArgumentError: The refund R-2 does not exist.');
  expect(await refused('R-1', 'DONE')).toContain('status must be one of SUCCESS, ABNORMAL, CLOSED; found "DONE".');
  expect(await refused('R-1', 'ABNORMAL')).toBe('done');
  expect(await refused('R-1', 'ABNORMAL')).toContain('has ended: it is ABNORMAL. A refund succeeds a second');
  expect(await refused('R-1', 'CLOSED')).toBe('done');
  expect(await refused('R-1', 'SUCCESS')).toContain('InvalidArgumentError: The refund R-1 has ended: it is CLOSED.');
  expect(await refusedWith(sandbox.refund('R-1', { status: 'CLOSED', mchid: '1900000110' }))).toContain(
    'does not exist',
  );
  expect(await refusedWith(sandbox.refund('R-1', { status: 'CLOSED', protocol: 'v2' }))).toContain('does not exist');
});

test('the same number with the same data is the same refund, with other data it is refused', async () => {
  const first = await apply({ reason: 'a' });
  expect(await apply({ reason: 'a' })).toEqual(first);
  // Whichever number names the order.
  expect(await apply({ reason: 'a', transaction_id: PLAIN })).toEqual(first);
  expect(await apply({ reason: 'a', transaction_id: PLAIN, out_trade_no: undefined })).toEqual(first);
  const other = [400, 'INVALID_REQUEST', '订单金额或退款金额与之前请求不一致，请核实后再试'];
  expect(await refusedWith(apply({ reason: 'a', ...amount(41) }))).toEqual(other);
  expect(await refusedWith(apply({ reason: 'a', ...amount(40, 99) }))).toEqual(other);
  expect(await refusedWith(apply({ reason: 'b' }))).toEqual([
    400,
    'INVALID_REQUEST',
    '请求重入时，参数与首次请求时不一致',
  ]);
  await sandbox.clock.advance({ seconds: 1 });
  expect(await apply({ reason: 'a' })).toMatchObject({ refund_id: first.refund_id, status: 'SUCCESS' });
  expect(sandbox.refunds).toHaveLength(1);
});

test('parts of an order are refunded until nothing is left; a closed one can be refunded again', async () => {
  await apply();
  const more = [400, 'INVALID_REQUEST', '申请退款金额超过订单可退金额'];
  expect(await refusedWith(apply({ out_refund_no: 'R-2', ...amount(61) }))).toEqual(more);
  // A number is not used up by a refusal.
  await apply({ out_refund_no: 'R-2', ...amount(60) });
  const all = [400, 'INVALID_REQUEST', '订单已全额退款'];
  expect(await refusedWith(apply({ out_refund_no: 'R-3', ...amount(1) }))).toEqual(all);
  await sandbox.refund('R-2', { status: 'ABNORMAL' });
  expect(await refusedWith(apply({ out_refund_no: 'R-3', ...amount(1) }))).toEqual(all);
  await sandbox.refund('R-2', { status: 'CLOSED' });
  expect(await refusedWith(apply({ out_refund_no: 'R-3', ...amount(61) }))).toEqual(more);
  expect(await apply({ out_refund_no: 'R-3', ...amount(60) })).toMatchObject({ status: 'PROCESSING' });
  expect(await apply({ out_refund_no: 'R-2', ...amount(60) })).toMatchObject({ status: 'CLOSED' });
  expect(await orderState()).toBe('REFUND');
});

test('an order takes 50 refunds, those that were closed not counted', async () => {
  for (let n = 1; n <= 50; n++) await apply({ out_refund_no: `R-${n}`, ...amount(1) });
  const refused = [400, 'INVALID_REQUEST', 'An order takes 50 refunds at most.'];
  expect(await refusedWith(apply({ out_refund_no: 'R-51', ...amount(1) }))).toEqual(refused);
  await sandbox.refund('R-7', { status: 'CLOSED' });
  expect(await refusedWith(apply({ out_refund_no: 'R-51', ...amount(1) }))).toBe('accepted');
});

const PARAM = '输入源“/body/out_refund_no”映射到值字段“商户退款单号”字符串规则校验失败，';
test.each([
  ['unknown', { out_trade_no: 'ORDER-0' }, [404, 'RESOURCE_NOT_EXISTS', '订单不存在']],
  ['unknown by id', { transaction_id: '4200' }, [404, 'RESOURCE_NOT_EXISTS', '订单不存在']],
  ['unpaid', { out_trade_no: 'ORDER-8' }, [404, 'RESOURCE_NOT_EXISTS', '订单不存在']],
  ['of v2', { transaction_id: V2 }, [404, 'RESOURCE_NOT_EXISTS', '订单不存在']],
  ['of another merchant', { transaction_id: FOREIGN }, [403, 'NO_AUTH', '商户号和订单不匹配']],
  ['reversed', { out_trade_no: 'ORDER-6' }, [400, 'INVALID_REQUEST', '订单已撤销']],
  [
    'older than a year',
    { out_trade_no: 'ORDER-4' },
    [400, 'INVALID_REQUEST', 'An order can be refunded within 365 days of its payment.'],
  ],
  ['of another total', amount(40, 101), [400, 'INVALID_REQUEST', '订单金额或退款金额与之前请求不一致，请核实后再试']],
  ['asked for more', amount(101), [400, 'INVALID_REQUEST', '申请退款金额超过订单可退金额']],
  [
    'not named',
    { out_trade_no: undefined },
    [
      ...[400, 'PARAM_ERROR'],
      '输入源“/body/transaction_id”映射到字段“微信支付订单号”必填性规则校验失败，此字段为必填项: "/transaction_id" in the body is required but missing; add it.',
    ],
  ],
  ['asked for nothing', amount(0), [400, 'PARAM_ERROR', '"/amount/refund" in the body must be 1 or more.']],
  [
    'in dollars',
    { amount: { refund: 1, total: 100, currency: 'USD' } },
    [400, 'PARAM_ERROR', '"/amount/currency" in the body must be CNY.'],
  ],
  [
    'paid for by other amounts',
    { amount: { ...amount(40).amount, from: [{ account: 'AVAILABLE', amount: 39 }] } },
    [400, 'INVALID_REQUEST', 'amount.from adds up to 39, but amount.refund is 40.'],
  ],
  [
    'by a wrong number',
    { out_refund_no: 'R 1' },
    [
      400,
      'PARAM_ERROR',
      expect.stringContaining(`${PARAM}字符串必须匹配正则表达式“^[0-9A-Za-z_\\-|*@]+$”: "/out_refund_no" in`),
    ],
  ],
  [
    'with a query in notify_url',
    { notify_url: 'https://example.com/?a=1' },
    [400, 'PARAM_ERROR', expect.stringContaining('notify_url')],
  ],
  ['of a sub-merchant', { out_trade_no: 'ORDER-2' }, [400, 'PARAM_ERROR', '受理机构必须传入sub_mch_id']],
  [
    'of another sub-merchant',
    { out_trade_no: 'ORDER-2', sub_mchid: '1900000210' },
    [403, 'NO_AUTH', '子商户号和订单信息不匹配'],
  ],
  ['of no sub-merchant', { sub_mchid }, [403, 'NO_AUTH', '子商户号和订单信息不匹配']],
] as const)('an order %s is not refunded', async (_name, more, expected) => {
  expect(await refusedWith(apply(more))).toEqual(expected);
  expect([sandbox.refunds, await orderState()]).toEqual([[], 'SUCCESS']);
});

test('the last moment of the 365 days is in time', async () => {
  await sandbox.clock.set(new Date(START.getTime() - 1000 + 365 * DAY));
  expect(await refusedWith(apply())).toBe('accepted');
});

test('transaction_id wins over out_trade_no', async () => {
  // Not by the client, which refuses a response with another number than that of the request.
  const { status } = await send(sandbox, '/v3/refund/domestic/refunds', { json: wanted({ transaction_id: COUPON }) });
  expect([status, await query()]).toMatchObject([200, { out_trade_no: 'ORDER-3', transaction_id: COUPON }]);
});

test('what coupons paid is returned in proportion', async () => {
  const { amount: shown } = await apply({ out_trade_no: 'ORDER-3' });
  expect(shown).toMatchObject({ payer_total: 70, payer_refund: 28, discount_refund: 12, settlement_refund: 40 });
  const from = [{ account: 'UNAVAILABLE', amount: 10 }];
  const more = { out_trade_no: 'ORDER-3', out_refund_no: 'R-2', amount: { ...amount(10).amount, from } };
  expect((await apply(more)).amount).toMatchObject({ from, refund: 10, payer_refund: 7 });
});

test('a partner refunds an order of its sub-merchant', async () => {
  const asked = await apply({ out_trade_no: 'ORDER-2', sub_mchid, notify_url });
  expect(await query('R-1', sub_mchid)).toEqual(asked);
  expect(await refusedWith(query('R-1'))).toEqual([400, 'PARAM_ERROR', '受理机构必须传入sub_mch_id']);
  expect(await refusedWith(query('R-1', '1900000210'))).toEqual([403, 'NO_AUTH', '子商户号和订单信息不匹配']);
  await sandbox.refund('R-1', { status: 'SUCCESS' });
  expect(notified[0]?.resource).toMatchObject({ sp_mchid: mchid, sub_mchid, refund_status: 'SUCCESS' });
  expect(notified[0]?.resource).not.toHaveProperty('mchid');
});

test('an e-commerce platform refunds an order', async () => {
  const json = { sp_appid: appid, out_trade_no: 'ORDER-2', sub_mchid, out_refund_no: 'R-1', notify_url, ...amount(40) };
  const platform = instance.v3.ecommerce.refunds;
  const asked = await platform.apply.post({ json }).json();
  expect(asked).toEqual({
    ...{ refund_id: expect.any(String), out_refund_no: 'R-1', create_time: '2031-05-20T12:00:00+08:00' },
    amount: { refund: 40, payer_refund: 40, discount_refund: 0, currency: 'CNY' },
    ...{ promotion_detail: [], refund_account: 'REFUND_SOURCE_SUB_MERCHANT' },
  });
  expect(await platform.apply.post({ json }).json()).toEqual(asked);
  const { refund_id } = asked;
  const byNumber = () =>
    platform.outRefundNo._out_refund_no_.get({ out_refund_no: 'R-1', query: { sub_mchid } }).json();
  const byId = () => platform.id._refund_id_.get({ refund_id, query: { sub_mchid } }).json();
  expect(await byNumber()).toEqual({
    ...{ ...asked, transaction_id: PARTNER, out_trade_no: 'ORDER-2', channel: 'ORIGINAL', status: 'PROCESSING' },
    ...{ user_received_account: '支付用户零钱', funds_account: 'UNSETTLED' },
  });
  expect(await byId()).toEqual(await byNumber());
  await sandbox.refund('R-1', { status: 'ABNORMAL' });
  expect(notified[0]?.resource).toMatchObject({ refund_account: 'REFUND_SOURCE_SUB_MERCHANT', sub_mchid });
  const toCard = { sub_mchid, out_refund_no: 'R-1', type: 'MERCHANT_BANK_CARD' } as const;
  const again = platform._refund_id_.applyAbnormalRefund.post({ refund_id, json: toCard });
  expect(await again.json()).toMatchObject({ status: 'PROCESSING', channel: 'OTHER_BANKCARD' });
  const nobody = platform.apply.post({ json: { ...json, sub_mchid: undefined } });
  expect(await refusedWith(nobody)).toEqual([400, 'PARAM_ERROR', expect.stringContaining('“/body/sub_mchid”')]);
  const unknown = platform.id._refund_id_.get({ refund_id: '5030', query: { sub_mchid } });
  expect(await refusedWith(unknown)).toEqual([404, 'RESOURCE_NOT_EXISTS', '退款单不存在']);
});

describe('an abnormal refund', () => {
  const card = { bank_type: 'CMB_DEBIT', bank_account: '6225880137750403', real_name: '李四' } as const;
  const USER = { type: 'USER_BANK_CARD', ...card } as const;
  let refund_id: string;
  const toCard = (more: object = {}) =>
    instance.v3.refund.domestic.refunds._refund_id_.applyAbnormalRefund
      .post({ refund_id, json: { out_refund_no: 'R-1', ...USER, ...more } })
      .json();

  beforeEach(async () => {
    ({ refund_id } = await apply({ notify_url }));
  });

  test.each([
    [USER, '银行卡0403'],
    [{ type: 'MERCHANT_BANK_CARD', bank_type: undefined, bank_account: undefined, real_name: undefined }, '商户银行卡'],
  ] as const)('is paid to a bank card: %o', async (card, user_received_account) => {
    await sandbox.clock.advance({ seconds: 0.5 });
    await sandbox.refund('R-1', { status: 'ABNORMAL' });
    const again = await toCard(card);
    expect(again).toMatchObject({ refund_id, status: 'PROCESSING', channel: 'OTHER_BANKCARD', user_received_account });
    // Not at the time at which it would have succeeded at first.
    await sandbox.clock.advance({ seconds: 0.9 });
    expect(await query()).toEqual(again);
    const arrived = once(server, 'notified');
    await sandbox.clock.advance({ seconds: 0.1 });
    await arrived;
    expect(await query()).toMatchObject({ status: 'SUCCESS', success_time: '2031-05-20T12:00:01+08:00' });
    expect(notified.map(({ event_type }) => event_type)).toEqual(['REFUND.ABNORMAL', 'REFUND.SUCCESS']);
    expect(notified[1]?.resource).toMatchObject({ user_received_account });
  });

  test('is the only one that is paid to a bank card', async () => {
    const [, code, message] = (await refusedWith(toCard())) as string[];
    expect([code, message]).toEqual(['INVALID_REQUEST', `The refund ${refund_id} is PROCESSING, not ABNORMAL.`]);
    await sandbox.refund('R-1', { status: 'ABNORMAL' });
    const other = `The refund ${refund_id} is not R-2.`;
    expect(await refusedWith(toCard({ out_refund_no: 'R-2' }))).toEqual([400, 'INVALID_REQUEST', other]);
    for (const name of ['bank_type', 'bank_account', 'real_name']) {
      const missing = expect.stringContaining(`“/body/${name}”`);
      expect(await refusedWith(toCard({ [name]: undefined }))).toEqual([400, 'PARAM_ERROR', missing]);
    }
    refund_id = '5030';
    expect(await refusedWith(toCard())).toEqual([404, 'RESOURCE_NOT_EXISTS', '退款单不存在']);
  });
});

test('a refund that nobody knows', async () => {
  expect(await refusedWith(query('R-0'))).toEqual([404, 'RESOURCE_NOT_EXISTS', '退款单不存在']);
});

test('what the sandbox cannot know is played by a handler', async () => {
  const path = 'v3/refund/domestic/refunds';
  const remove = sandbox.on('post', path, () => fault(403, 'NOT_ENOUGH', '基本账户余额不足，请充值后重新发起'));
  expect(await refusedWith(apply())).toEqual([403, 'NOT_ENOUGH', '基本账户余额不足，请充值后重新发起']);
  remove();
  expect(await refusedWith(apply())).toBe('accepted');
});
