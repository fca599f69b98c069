import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { ApiError, Builder, checkDigest, parseBill } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { journalOf, keptOrder } from './kept-orders';
import { refusedWith } from './shop';

const sub_mchid = '1900000209';
const [mchid, appid] = ['1900000109', 'wx8888888888888888'];
const [FIRST, SECOND, PARTNER, V2, BEFORE] = [1, 2, 3, 4, 5].map((n) => `42000000012031052000000000${n}0`);
const bill_date = '2031-05-20';
const at = (time: string, day = bill_date) => new Date(`${day}T${time}+08:00`);
const NEXT = '2031-05-21';

let journal: Awaited<ReturnType<typeof journalOf>>;
let sandbox: Sandbox;
let instance: ReturnType<typeof Builder.factory>;

beforeAll(async () => {
  const kept = (number: string, id: string | undefined, time: Date, more?: object) =>
    keptOrder(number, `${id}`, time.getTime(), more);
  journal = await journalOf(
    [
      kept('ORDER-0', BEFORE, at('23:59:59', '2031-05-19')),
      kept('ORDER-1', FIRST, at('00:00:00'), { attach: 'table 7, upstairs', description: '茶\r\n绿' }),
      kept('ORDER-2', SECOND, at('10:00:00'), {
        ...{ total: 30000, trade_type: 'NATIVE', payment: { transaction_id: SECOND, bank_type: 'CMB_DEBIT' } },
      }),
      kept('ORDER-3', PARTNER, at('11:00:00'), { total: 200, partner: { sub_mchid } }),
      kept('ORDER-4', V2, at('23:59:59'), { protocol: 'v2', total: 1, trade_type: 'MICROPAY' }),
    ].map((order) => {
      const { payment, created: time, total } = order;
      const payer_total = order.out_trade_no === 'ORDER-2' ? 20000 : total;
      return { ...order, payment: { ...payment, time, payer_total } };
    }),
  );
});

beforeEach(async () => {
  sandbox = await Sandbox.start({ journal: await journal() });
  sandbox.clock.freeze();
  await sandbox.clock.set(at('12:00:00'));
  instance = Builder.factory(sandbox.config);
});

afterEach(() => sandbox.close());

const refund = (out_trade_no: string, out_refund_no: string, refunded: number, total: number, more: object = {}) =>
  instance.v3.refund.domestic.refunds.post({
    json: { out_trade_no, out_refund_no, amount: { refund: refunded, total, currency: 'CNY' }, ...more },
  });
/** Applies for a trade bill. */
const trade = (more: object = {}) => instance.v3.bill.tradebill.get({ query: { bill_date, ...more } }).json();
const flow = (more: object = {}) => instance.v3.bill.fundflowbill.get({ query: { bill_date, ...more } }).json();
const download = (url: string) => instance.v3.billdownload.file.get({ query: tokenOf(url) });
const tokenOf = (url: string) => {
  const { token = '', ...rest } = Object.fromEntries(new URL(url).searchParams);
  return { token, ...rest };
};
const textOf = async (applied: Promise<{ download_url: string }>) => download((await applied).download_url).text();
const rowsOf = async (text: string) => {
  const bill = parseBill(text);
  const rows: Record<string, string>[] = [];
  for await (const row of bill) rows.push({ ...row });
  return { rows, summary: { ...bill.summary } };
};

/** What happens on the day. */
async function spendTheDay(): Promise<void> {
  await refund('ORDER-1', 'R-1', 40, 100, { reason: '缺货' });
  await refund('ORDER-2', 'R-2', 15000, 30000);
  await refund('ORDER-3', 'R-3', 200, 200, { sub_mchid });
  await sandbox.refund('R-3', { status: 'CLOSED' });
  await sandbox.clock.advance({ seconds: 1 });
  await sandbox.clock.set(at('23:59:59.900'));
  await refund('ORDER-1', 'R-4', 60, 100);
  await sandbox.clock.set(at('10:00:00', NEXT));
}

const HEADINGS =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,' +
  '应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,' +
  '手续费,费率,订单金额,申请退款金额,费率备注';

test('the trade bill holds what happened on the day, in the documented columns', async () => {
  await spendTheDay();
  const ids = Object.fromEntries(sandbox.refunds.map(({ out_refund_no, refund_id }) => [out_refund_no, refund_id]));
  const text = await textOf(trade());
  const goods = { 'ORDER-1': '`茶\\r\\n绿,`table 7, upstairs', 'ORDER-4': '`茶,`' };
  const line = (time: string, sub: string, id: unknown, number: string, kind: string, rest: string, more: string) => {
    const [state, bank] = rest.split(' ');
    const begin = `\`2031-05-20 ${time},\`${appid},\`${mchid},\`${sub},\`,\`${id},\`${number},\`openid-1,\`${kind}`;
    const [amounts, fee, end] = more.split(' ');
    const named = number === 'ORDER-1' ? goods['ORDER-1'] : goods['ORDER-4'];
    return `${begin},\`${state},\`${bank},\`CNY,${amounts},${named},\`${fee},\`0.60%,${end},\``;
  };
  const none = '`0,`0,`0.00,`0.00,`,`';
  const back = (number: string, refunded: string, status: string) =>
    `\`0.00,\`0.00,\`${ids[number]},\`${number},${refunded},\`ORIGINAL,\`${status}`;
  expect(text.split('\r\n')).toEqual([
    HEADINGS,
    line('00:00:00', '0', FIRST, 'ORDER-1', 'JSAPI', 'SUCCESS OTHERS', `\`1.00,\`0.00,${none} 0.01000 \`1.00,\`0.00`),
    line(
      '10:00:00',
      '0',
      SECOND,
      'ORDER-2',
      'NATIVE',
      'SUCCESS CMB_DEBIT',
      `\`300.00,\`100.00,${none} 1.80000 \`300.00,\`0.00`,
    ),
    line(
      '11:00:00',
      sub_mchid,
      PARTNER,
      'ORDER-3',
      'JSAPI',
      'SUCCESS OTHERS',
      `\`2.00,\`0.00,${none} 0.01000 \`2.00,\`0.00`,
    ),
    // The whole fee of a fen is due back with the first part: the rest of the order has none.
    line(
      '12:00:00',
      '0',
      FIRST,
      'ORDER-1',
      'JSAPI',
      'REFUND OTHERS',
      `${back('R-1', '`0.40,`0.00', 'SUCCESS')} -0.01000 \`0.00,\`0.40`,
    ),
    line(
      '12:00:00',
      '0',
      SECOND,
      'ORDER-2',
      'NATIVE',
      'REFUND CMB_DEBIT',
      `${back('R-2', '`150.00,`50.00', 'SUCCESS')} -0.90000 \`0.00,\`150.00`,
    ),
    line(
      '12:00:00',
      sub_mchid,
      PARTNER,
      'ORDER-3',
      'JSAPI',
      'REFUND OTHERS',
      `${back('R-3', '`2.00,`0.00', 'FAIL')} -0.01000 \`0.00,\`2.00`,
    ),
    line('23:59:59', '0', V2, 'ORDER-4', 'MICROPAY', 'SUCCESS OTHERS', `\`0.01,\`0.00,${none} 0.00000 \`0.01,\`0.00`),
    line(
      '23:59:59',
      '0',
      FIRST,
      'ORDER-1',
      'JSAPI',
      'REFUND OTHERS',
      `${back('R-4', '`0.60,`0.00', 'SUCCESS')} 0.00000 \`0.00,\`0.60`,
    ),
    '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额',
    '`8,`303.01,`153.00,`50.00,`0.90000,`303.01,`153.00',
    '',
  ]);
});

test.each([undefined, 'GZIP'])('parseBill and the check of the digest accept it: %s', async (tar_type) => {
  await spendTheDay();
  const { download_url, ...digest } = await trade({ tar_type });
  const zipped = tar_type ? '&tartype=gzip' : '';
  expect(download_url).toMatch(new RegExp(`^${sandbox.url}v3/billdownload/file\\?token=[\\w-]{64}${zipped}$`));
  expect(digest).toEqual({ hash_type: 'SHA1', hash_value: expect.stringMatching(/^[0-9a-f]{40}$/) });
  const response = await instance.chain(download_url).get();
  expect(response.headers.get('wechatpay-signature')).toBeNull();
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = tar_type ? gunzipSync(bytes) : bytes;
  expect(createHash('sha1').update(text).digest('hex')).toBe(digest.hash_value);
  const { body } = await download(download_url);
  const bill = parseBill(checkDigest(body, { ...digest, tar_type }));
  const rows = [];
  for await (const row of bill) rows.push(row);
  expect([rows.length, bill.summary]).toMatchObject([8, { 总交易单数: '8', 申请退款总金额: '153.00' }]);
});

test('the bills of payments alone and of refunds alone', async () => {
  await spendTheDay();
  const success = await rowsOf(await textOf(trade({ bill_type: 'SUCCESS' })));
  expect(success.rows.map((row) => row.商户订单号)).toEqual(['ORDER-1', 'ORDER-2', 'ORDER-3', 'ORDER-4']);
  expect(Object.keys(success.rows[0] ?? {})).toEqual(HEADINGS.split(',').filter((heading) => !/退款/.test(heading)));
  expect(success.summary).toEqual({
    ...{ 总交易单数: '4', 应结订单总金额: '303.01', 手续费总金额: '1.82000', 订单总金额: '303.01' },
  });
  const refunds = await rowsOf(await textOf(trade({ bill_type: 'REFUND' })));
  const [, second, closed] = refunds.rows;
  expect(refunds.rows.map((row) => row.商户退款单号)).toEqual(['R-1', 'R-2', 'R-3', 'R-4']);
  expect(Object.keys(second ?? {})).toHaveLength(29);
  expect(second).toMatchObject({
    ...{ 交易时间: '2031-05-20 10:00:00', 退款申请时间: '2031-05-20 12:00:00', 退款成功时间: '2031-05-20 12:00:01' },
    ...{ 退款状态: 'SUCCESS', 申请退款金额: '150.00', 订单金额: '0.00' },
  });
  expect(closed).toMatchObject({ 退款状态: 'FAIL', 退款成功时间: '' });
  expect(refunds.summary).toMatchObject({ 总交易单数: '4', 订单总金额: '0.00', 申请退款总金额: '153.00' });
});

test('refunds stand in the bill as they were when it was made, whenever it is asked for', async () => {
  await refund('ORDER-1', 'R-1', 40, 100);
  await sandbox.refund('R-1', { status: 'ABNORMAL' });
  await sandbox.clock.set(at('10:00:00', NEXT));
  const before = await textOf(trade());
  expect((await rowsOf(before)).rows.at(-2)).toMatchObject({ 商户退款单号: 'R-1', 退款状态: 'CHANGE' });
  await sandbox.clock.advance({ minutes: 1 });
  await sandbox.refund('R-1', { status: 'SUCCESS' });
  expect(await textOf(trade())).toBe(before);
});

test('the fund flow bill goes on from day to day', async () => {
  // These bookings are made by the payment itself: of an order that is placed here.
  const json = {
    ...{ appid, mchid, description: '茶', out_trade_no: 'NATIVE-1', amount: { total: 20000 } },
    notify_url: 'http://127.0.0.1:9/',
  };
  await instance.v3.pay.transactions.native.post({ json });
  await sandbox.pay('NATIVE-1');
  const byNumber = instance.v3.pay.transactions.outTradeNo._out_trade_no_;
  const paid = await byNumber.get({ out_trade_no: 'NATIVE-1', query: { mchid } }).json();
  await refund('NATIVE-1', 'R-1', 10000, 20000, { reason: '缺\u0001货\n' });
  await refund('NATIVE-1', 'R-2', 5000, 20000);
  const [first, second] = sandbox.refunds;
  await sandbox.clock.set(at('10:00:00', NEXT));
  await sandbox.clock.advance({ hours: 1 });
  await refund('NATIVE-1', 'R-3', 5000, 20000);
  await sandbox.refund('R-3', { status: 'CLOSED' });

  const text = await textOf(flow());
  const lines = text.split('\r\n');
  expect(lines[0]).toBe(
    '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号',
  );
  expect(lines.slice(-3)).toEqual([
    '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额',
    '`6.0,`3.0,`200.90,`3.0,`151.20',
    '',
  ]);
  const { rows } = await rowsOf(text);
  const shown = rows.map((row) => [
    row.微信支付业务单号,
    row.业务名称,
    row.业务类型,
    row.收支类型,
    row['收支金额(元)'],
    row['账户结余(元)'],
  ]);
  expect(shown).toEqual([
    [paid.transaction_id, '交易', '交易', '收入', '200.00', '200.00'],
    [paid.transaction_id, '交易', '扣除交易手续费', '支出', '1.20', '198.80'],
    [first?.refund_id, '退款', '退款', '支出', '100.00', '98.80'],
    [first?.refund_id, '退款', '退还交易手续费', '收入', '0.60', '99.40'],
    [second?.refund_id, '退款', '退款', '支出', '50.00', '49.40'],
    [second?.refund_id, '退款', '退还交易手续费', '收入', '0.30', '49.70'],
  ]);
  expect(rows[2]).toMatchObject({
    ...{ 记账时间: '2031-05-20 12:00:00', 备注: '缺 货\\n', 业务凭证号: `REF${paid.transaction_id}` },
    ...{ 资金流水单号: expect.stringMatching(/^190000010920310520\d{10}$/), 资金变更提交申请人: 'system' },
  });
  for (const account_type of ['OPERATION', 'FEES']) {
    expect(await refusedWith(flow({ account_type }))).toEqual([400, 'NO_STATEMENT_EXIST', '请求的账单文件不存在']);
  }

  await sandbox.clock.set(at('10:00:00', '2031-05-22'));
  const next = await rowsOf(await textOf(flow({ bill_date: NEXT, account_type: 'BASIC', tar_type: undefined })));
  expect(next.rows.map((row) => [row.业务类型, row.收支类型, row['账户结余(元)']])).toEqual([
    ['退款', '支出', '-0.30'],
    ['退还交易手续费', '收入', '0.00'],
    ['退款关闭', '收入', '50.00'],
    ['扣除交易手续费', '支出', '49.70'],
  ]);
});

test('a partner has a bill of one sub-merchant, and its own money stays apart', async () => {
  await spendTheDay();
  const { rows } = await rowsOf(await textOf(trade({ sub_mchid })));
  expect(rows.map((row) => [row.商户订单号, row.商户退款单号])).toEqual([
    ['ORDER-3', '0'],
    ['ORDER-3', 'R-3'],
  ]);
  const money = await rowsOf(await textOf(flow({ sub_mchid })));
  expect(money.rows.map((row) => row.业务类型)).toEqual(['退款', '退还交易手续费', '退款关闭', '扣除交易手续费']);
  expect(await refusedWith(trade({ sub_mchid: '1900000210' }))).toEqual([
    400,
    'NO_STATEMENT_EXIST',
    '请求的账单文件不存在',
  ]);
  expect(await refusedWith(trade({ sub_mchid: mchid }))).toEqual([
    400,
    'INVALID_REQUEST',
    '子商户mchid不能与自身mchid相同',
  ]);
});

const CREATING = [400, 'STATEMENT_CREATING', '账单生成中'];
const NONE = [400, 'NO_STATEMENT_EXIST', '请求的账单文件不存在'];
test.each([
  ['a day to come', bill_date, '12:00:00', NEXT, [400, 'INVALID_REQUEST', 'bill_date is in the future.']],
  ['this day', bill_date, '23:59:59', bill_date, CREATING],
  ['yesterday, early', NEXT, '09:59:59', bill_date, CREATING],
  ['yesterday', NEXT, '10:00:00', bill_date, 'accepted'],
  ['a day on which nothing happened', '2031-05-22', '10:00:00', NEXT, NONE],
  ['three months ago', '2031-08-20', '12:00:00', bill_date, 'accepted'],
  ['before that', '2031-08-21', '00:00:00', bill_date, [400, 'INVALID_REQUEST', '请求的账单日期已过期']],
  [
    'no day',
    bill_date,
    '12:00:00',
    '2031-02-30',
    [400, 'PARAM_ERROR', '"bill_date" in the query must be a date such as 2019-06-11.'],
  ],
  [
    'no date',
    bill_date,
    '12:00:00',
    '20310519',
    [400, 'PARAM_ERROR', '"bill_date" in the query must be a date such as 2019-06-11.'],
  ],
])('a bill of %s', async (_name, today, time, day, expected) => {
  await sandbox.clock.set(at(time, today));
  expect(await refusedWith(trade({ bill_date: day }))).toEqual(expected);
});

test('a bill type that there is nothing for', async () => {
  await sandbox.clock.set(at('10:00:00', NEXT));
  for (const bill_type of ['REFUND', 'RECHARGE_REFUND']) expect(await refusedWith(trade({ bill_type }))).toEqual(NONE);
});

test('the URL is good for 5 minutes, and for the merchant that applied', async () => {
  await sandbox.clock.set(at('10:00:00', NEXT));
  const other = await sandbox.addMerchant();
  const { download_url } = await trade();
  const query = tokenOf(download_url);
  const foreign = Builder.factory(other).v3.billdownload.file.get({ query });
  expect(await refusedWith(foreign)).toEqual([403, 'NO_AUTH', 'The bill was applied for by another merchant.']);
  await sandbox.clock.advance({ minutes: 4, seconds: 59 });
  expect((await download(download_url)).status).toBe(200);
  await sandbox.clock.advance({ seconds: 1 });
  const gone = [400, 'INVALID_REQUEST', 'The download URL has expired; apply for the bill again.'];
  expect(await refusedWith(download(download_url))).toEqual(gone);
  expect(await refusedWith(instance.v3.billdownload.file.get({ query: { token: 'x' } }))).toEqual(gone);
  expect(await refusedWith(Builder.factory(other).v3.bill.tradebill.get({ query: { bill_date } }))).toEqual(NONE);
});

describe('v2', () => {
  const bill = (more: object = {}) =>
    instance.v2.pay.downloadbill.post({ xml: { appid, mch_id: mchid, bill_date: '20310520', ...more } });
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => 'accepted',
      (error) => (error instanceof ApiError ? error.body : String(error)),
    );

  test.each([undefined, 'GZIP'])('downloads the same bill: %s', async (tar_type) => {
    await spendTheDay();
    const bytes = Buffer.from(await bill({ tar_type }).arrayBuffer());
    const text = (tar_type ? gunzipSync(bytes) : bytes).toString();
    expect(text).toBe(await textOf(trade()));
  });

  test.each([
    ['Bill Creating', '20002', {}, NEXT, '09:59:59'],
    ['No Bill Exist', '20002', { bill_date: '20310522' }, NEXT],
    ['No Bill Exist', '20002', { bill_date: '20310521' }, '2031-05-22'],
    ['No Bill Exist', '20002', { bill_date: '20300520' }, NEXT],
    ['No Bill Exist', '20002', { bill_type: 'REFUND' }, NEXT],
    ['No Bill Exist', '20002', { bill_type: 'RECHARGE_REFUND' }, NEXT],
    ['invalid bill_type', '20001', { bill_type: 'ALLES' }, NEXT],
    ['data format error', '20001', { bill_date: '2031-05-20' }, NEXT],
    ['data format error', '20001', { bill_date: '20310230' }, NEXT],
  ])('%s (%s): %o', async (return_msg, error_code, more, today, time = '10:00:00') => {
    await sandbox.clock.set(at(time, today));
    const fields = Object.entries({ return_code: 'FAIL', return_msg, error_code });
    const xml = fields.map(([name, text]) => `<${name}><![CDATA[${text}]]></${name}>`).join('');
    expect(await failure(bill(more))).toBe(`<xml>${xml}</xml>`);
  });

  describe('the fund flow bill', () => {
    const xml = { appid, mch_id: mchid, bill_date: '20310520', account_type: 'Basic', sign_type: 'HMAC-SHA256' };
    const apply = (more: object = {}) => instance.v2.pay.downloadfundflow.post({ xml: { ...xml, ...more } });

    test.each([undefined, 'GZIP'])('is the same, with its digest: %s', async (tar_type) => {
      await spendTheDay();
      const response = await apply({ tar_type });
      const bytes = Buffer.from(await response.arrayBuffer());
      const { download_url, hash_value } = await flow();
      expect((tar_type ? gunzipSync(bytes) : bytes).toString()).toBe(await download(download_url).text());
      expect(response.headers.get('digest')).toBe(`SHA=${hash_value}`);
    });

    test.each([
      ['BILL_CREATING', {}, '09:59:59'],
      ['NO_BILL_EXIST', { account_type: 'Fees' }],
      ['NO_BILL_EXIST', { bill_date: '20300520' }],
      ['PARAM_ERROR', { account_type: 'BASIC' }],
      ['PARAM_ERROR', { sign_type: 'MD5' }],
      ['PARAM_ERROR', { bill_date: '20310230' }],
    ])('%s: %o', async (code, more, time = '10:00:00') => {
      await refund('ORDER-1', 'R-1', 40, 100);
      await sandbox.clock.set(at(time, NEXT));
      await expect(apply(more)).rejects.toMatchObject({ err_code: code });
    });
  });
});
