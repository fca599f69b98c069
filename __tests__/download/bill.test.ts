import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { parseBill } from '../../lib/download/bill';
import type {
  BillRow,
  FundFlowBillRow,
  FundFlowBillSummary,
  RefundTradeBillRow,
  SuccessTradeBillRow,
  TradeBillRow,
  TradeBillSummary,
} from '../../lib/download/bill-rows';
import { checkDigest } from '../../lib/download/digest';
import { BodyError } from '../../lib/errors';

const ALL =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,' +
  '应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,' +
  '手续费,费率,订单金额,申请退款金额,费率备注';
const TRADE_SUMMARY = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额';
const payment = (goods: string, data = '') =>
  `\`2026-10-01 17:07:11,\`wx2421b1c4370ec43b,\`1900000109,\`0,\`,\`4200000925202101284997714292,\`S2026,\`oUpF8,` +
  '`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.01,`0.00,`0,`0,`0.00,`0.00,`,`,' +
  `\`${goods},\`${data},\`0.00000,\`1.00%,\`0.01,\`0.00,\``;
const bill = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join('');

async function rowsOf(iterable: AsyncIterable<BillRow>): Promise<BillRow[]> {
  const rows: BillRow[] = [];
  for await (const row of iterable) rows.push(row);
  return rows;
}

/** Bytes cut after every byte, or every few. */
async function* cut(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const TRADE = bill(
  ALL,
  payment('测试', '附加😀'),
  payment('A,B, C'),
  TRADE_SUMMARY,
  '`2,`0.02,`0.00,`0.00,`0.00000,`0.02,`0.00',
);

describe('the trade bill', () => {
  test.each<[string, AsyncIterable<Uint8Array> | string]>([
    ['text', TRADE],
    ['text with a byte order mark', `\ufeff${TRADE}`],
    ['LF instead of CR LF', TRADE.replaceAll('\r', '')],
    ['no line end at the end', TRADE.trimEnd()],
    ['blank lines', TRADE.replaceAll('\r\n', '\r\n\r\n')],
    ['single bytes', cut(`\ufeff${TRADE}`, 1)],
    ['seven bytes at a time', cut(TRADE, 7)],
    ['one chunk', cut(TRADE, 1e6)],
    ['a stream', new Blob([TRADE]).stream()],
  ])('from %s', async (_, source) => {
    const read = parseBill<TradeBillRow, TradeBillSummary>(source);
    expect(read.summary).toBeUndefined();
    const rows: TradeBillRow[] = [];
    for await (const row of read) rows.push(row);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual({
      交易时间: '2026-10-01 17:07:11',
      公众账号ID: 'wx2421b1c4370ec43b',
      商户号: '1900000109',
      特约商户号: '0',
      设备号: '',
      微信订单号: '4200000925202101284997714292',
      商户订单号: 'S2026',
      用户标识: 'oUpF8',
      交易类型: 'NATIVE',
      交易状态: 'SUCCESS',
      付款银行: 'OTHERS',
      货币种类: 'CNY',
      应结订单金额: '0.01',
      代金券金额: '0.00',
      微信退款单号: '0',
      商户退款单号: '0',
      退款金额: '0.00',
      充值券退款金额: '0.00',
      退款类型: '',
      退款状态: '',
      商品名称: '测试',
      商户数据包: '附加😀',
      手续费: '0.00000',
      费率: '1.00%',
      订单金额: '0.01',
      申请退款金额: '0.00',
      费率备注: '',
    });
    expect(rows[1]?.商品名称).toBe('A,B, C');
    expect(read.summary).toEqual({
      总交易单数: '2',
      应结订单总金额: '0.02',
      退款总金额: '0.00',
      充值券退款总金额: '0.00',
      手续费总金额: '0.00000',
      订单总金额: '0.02',
      申请退款总金额: '0.00',
    });
    expect(read.summaries).toEqual([read.summary]);
  });

  test.each<[string, string]>([
    ['commas at the ends', ',A,'],
    ['a backquote', '`A`,B`'],
    ['quotes', '"A","B"'],
    ['a line break', 'A\nB'],
    ['two line breaks and a comma', 'A\n\nB, C'],
    ['what a summary begins with', '总交易单数'],
    ['a line that a summary begins with', 'A\n总交易单数,1'],
    ['as many commas as headings', ','.repeat(26)],
  ])('%s in a value', async (_, goods) => {
    const read = parseBill(bill(ALL, payment(goods), payment('B'), TRADE_SUMMARY, '`2,`0,`0,`0,`0,`0,`0'));
    expect((await rowsOf(read)).map((row) => row.商品名称)).toEqual([goods, 'B']);
    expect(read.summary?.总交易单数).toBe('2');
  });

  test('without rows', async () => {
    const read = parseBill(bill(ALL, TRADE_SUMMARY, '`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00'));
    expect(await rowsOf(read)).toEqual([]);
    expect(read.summary?.总交易单数).toBe('0');
  });
});

test('the other bills', async () => {
  const success = parseBill<SuccessTradeBillRow, TradeBillSummary>(
    bill(
      '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注',
      '`2026-10-01 14:38:45,`wx,`1900000109,`0,`,`42,`S1,`o,`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.01,`0.00,`a,`b,`0.00000,`1.00%,`0.01,`',
      TRADE_SUMMARY,
      '`1,`0.01,`0.00,`0.00,`0.00000,`0.01,`0.00',
    ),
  );
  for await (const row of success) expect([row.商户订单号, row.订单金额, row.费率备注]).toEqual(['S1', '0.01', '']);
  expect(success.summary?.订单总金额).toBe('0.01');

  const refund = parseBill<RefundTradeBillRow, TradeBillSummary>(
    bill(
      '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注',
      '`2026-10-01 13:00:00,`wx,`1900000109,`0,`,`42,`S1,`o,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`2026-10-01 14:00:45,`2026-10-01 14:00:50,`503,`R1,`0.01,`0.00,`ORIGINAL,`SUCCESS,`a,`,`0.00000,`1.00%,`0.00,`0.01,`',
      TRADE_SUMMARY,
      '`1,`0.00,`0.01,`0.00,`0.00000,`0.00,`0.01',
    ),
  );
  for await (const row of refund) expect([row.退款成功时间, row.申请退款金额]).toEqual(['2026-10-01 14:00:50', '0.01']);
  expect(refund.summary?.退款总金额).toBe('0.01');

  const flow = parseBill<FundFlowBillRow, FundFlowBillSummary>(
    bill(
      '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号',
      '`2026-10-01 13:54:01,`503,`42,`退款,`退款,`支出,`0.01,`0.22,`1900000109API,`退款总金额0.01元;含手续费0.00元,`R1',
      '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额',
      '`1.0,`0.0,`0.00,`1.0,`0.01',
    ),
  );
  for await (const row of flow)
    expect([row['收支金额(元)'], row.备注]).toEqual(['0.01', '退款总金额0.01元;含手续费0.00元']);
  expect(flow.summary).toEqual({
    资金流水总笔数: '1.0',
    收入笔数: '0.0',
    收入金额: '0.00',
    支出笔数: '1.0',
    支出金额: '0.01',
  });

  const unquoted = parseBill(
    bill('时间,单号,金额', '2014-11-10 16:33:45,42,0.01', '总交易单数,总交易额,总退款金额', '1,0.01,0.0'),
  );
  expect(await rowsOf(unquoted)).toEqual([{ 时间: '2014-11-10 16:33:45', 单号: '42', 金额: '0.01' }]);
  expect(unquoted.summary).toEqual({ 总交易单数: '1', 总交易额: '0.01', 总退款金额: '0.0' });

  const overseas = parseBill(bill('`Time,`Order,`Fee', '`2026,`42,`1', '`总笔数,`币种', '`1,`USD', '`1,`HKD'));
  expect(await rowsOf(overseas)).toEqual([{ Time: '2026', Order: '42', Fee: '1' }]);
  expect(overseas.summaries).toEqual([
    { 总笔数: '1', 币种: 'USD' },
    { 总笔数: '1', 币种: 'HKD' },
  ]);
});

test('headings named like what objects have', async () => {
  const [row] = await rowsOf(parseBill('__proto__,constructor\n`a,`b\n总,数\n`1,`1\n'));
  expect(Object.entries(row ?? {})).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
});

test.each<[string, string, string]>([
  ['nothing', '', 'it is empty'],
  ['blank lines', '\r\n\r\n', 'it is empty'],
  ['an error of v2', '<xml><return_code><![CDATA[FAIL]]></return_code></xml>', 'it looks like XML or JSON'],
  ['an error of v3', '{"code":"NO_STATEMENT_EXIST","message":"secret"}', 'it looks like XML or JSON'],
  ['text', 'secret', 'its first line has no column headings'],
  ['a row cut off', `${ALL}\r\n\`2026,\`secret`, 'its last row is truncated'],
  [
    'a row that goes on in another',
    bill(ALL, '`2026,`secret', payment('B')),
    'line 3 does not match the 27 column headings',
  ],
  ['a row too long', bill(ALL, `${payment('secret')},\`x`), 'line 2 does not match the 27 column headings'],
  [
    'a summary of another length',
    bill(ALL, payment('B'), TRADE_SUMMARY, '`1,`2,`3,`4,`5,`6,`7,`8'),
    'line 4 does not match the 7',
  ],
  ['text behind', `${TRADE}secret\r\n`, 'line 6 does not match the 7 column headings'],
  ['a row without end', bill(ALL, `\`${'x'.repeat(70_000)}`, 'y'), 'line 2 does not match'],
])('%s is no bill', async (_, text, message) => {
  const read = rowsOf(parseBill(text));
  await expect(read).rejects.toThrow(BodyError);
  await expect(read).rejects.toMatchObject({ code: 'ERR_BODY_NOT_BILL', message: expect.stringContaining(message) });
  await expect(read).rejects.not.toThrow('secret');
});

test('a line without end is not gathered', async () => {
  let given = 0;
  async function* endless() {
    for (;;) {
      given++;
      yield Buffer.alloc(100_000, 'x');
    }
  }
  await expect(rowsOf(parseBill(endless()))).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  expect(given).toBeLessThan(20);
});

test('rows come before the end, and leaving the loop cancels the download', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from(`${ALL}\r\n${payment('A')}\r\n`)),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const row of parseBill(body)) {
    expect(row.商品名称).toBe('A');
    break;
  }
  expect(cancelled).toBe(true);
});

test('a zipped bill, checked on the way', async () => {
  const hash_value = createHash('sha1').update(TRADE).digest('hex');
  const download = (hash: string) =>
    checkDigest(new Blob([gzipSync(TRADE)]).stream(), { hash_type: 'SHA1', hash_value: hash, tar_type: 'GZIP' });
  expect(await rowsOf(parseBill(download(hash_value)))).toHaveLength(2);
  await expect(rowsOf(parseBill(download('0'.repeat(40))))).rejects.toMatchObject({ code: 'ERR_BODY_DIGEST' });
});
