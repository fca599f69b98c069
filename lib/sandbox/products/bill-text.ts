import { type Entry, feeOf, RATE } from './ledger';
import { beijing } from './members';
import type { PaidOrder } from './orders';
import type { BilledRefund, RefundStatus } from './refund';

/** A payment in a bill, with the refund that a line is about. */
export interface TradeLine {
  readonly order: PaidOrder;
  readonly refund?: BilledRefund | undefined;
}

/** Columns of all trade bills: up to the coupons, and from the goods on. */
const BEGIN = [
  ...['交易时间', '公众账号ID', '商户号', '特约商户号', '设备号', '微信订单号', '商户订单号', '用户标识', '交易类型'],
  ...['交易状态', '付款银行', '货币种类', '应结订单金额', '代金券金额'],
] as const;
const REFUND = ['微信退款单号', '商户退款单号', '退款金额', '充值券退款金额', '退款类型', '退款状态'] as const;
const END = ['商品名称', '商户数据包', '手续费', '费率', '订单金额'] as const;

type Column =
  | (typeof BEGIN | typeof REFUND | typeof END)[number]
  | '退款申请时间'
  | '退款成功时间'
  | '申请退款金额'
  | '费率备注';

/** The columns of a trade bill by its type. @see https://pay.weixin.qq.com/docs/merchant/products/bill-download/format-trade.html */
const COLUMNS = {
  ALL: [...BEGIN, ...REFUND, ...END, '申请退款金额', '费率备注'],
  SUCCESS: [...BEGIN, ...END, '费率备注'],
  REFUND: [...BEGIN, '退款申请时间', '退款成功时间', ...REFUND, ...END, '申请退款金额', '费率备注'],
} as const satisfies Record<string, readonly Column[]>;

/** The types of bills that can have content in the sandbox. */
export type TradeBillType = keyof typeof COLUMNS;
export const TRADE_BILL_TYPES: readonly string[] = Object.keys(COLUMNS);

/** A bill's name for the state of a refund: that of v2 if it differs `(?)`. */
const STATUS: Readonly<Record<RefundStatus, string>> = {
  PROCESSING: 'PROCESSING',
  SUCCESS: 'SUCCESS',
  ABNORMAL: 'CHANGE',
  CLOSED: 'FAIL',
};

const FLOW_COLUMNS = [
  ...[
    '记账时间',
    '微信支付业务单号',
    '资金流水单号',
    '业务名称',
    '业务类型',
    '收支类型',
    '收支金额(元)',
    '账户结余(元)',
  ],
  ...['资金变更提交申请人', '备注', '业务凭证号'],
] as const;

/**
 * The text of a trade bill.
 * @param made when it was made, in milliseconds since 1970: refunds have the status of that time
 */
export function tradeBill(type: TradeBillType, lines: readonly TradeLine[], made: number): string {
  const columns: readonly Column[] = COLUMNS[type];
  const rows = lines.map((line) => {
    const cells = cellsOf(line, made, type);
    return columns.map((column) => cells[column]);
  });
  return text(columns, rows, Object.entries(summaryOf(lines, type)));
}

function cellsOf({ order, refund }: TradeLine, made: number, type: TradeBillType): Record<Column, string> {
  const { payment, total } = order;
  const { transaction_id, bank_type, time, payer_total } = payment;
  const [status, changed] = refund ? statusAt(refund, made) : [];
  return {
    // A refund is dated by its acceptance; the bill of refunds has a column of its own for that `(?)`.
    交易时间: clockTime(refund && type === 'ALL' ? refund.created : time),
    公众账号ID: order.appid,
    商户号: order.mchid,
    特约商户号: order.partner?.sub_mchid ?? '0',
    设备号: '',
    微信订单号: transaction_id,
    商户订单号: order.out_trade_no,
    用户标识: order.openid ?? '',
    交易类型: order.trade_type,
    交易状态: refund ? 'REFUND' : order.trade_state === 'REVOKED' ? 'REVOKED' : 'SUCCESS',
    付款银行: bank_type,
    货币种类: order.currency,
    // Coupons count as prepaid ones, which the merchant is paid for.
    应结订单金额: yuan(refund ? 0 : total),
    代金券金额: yuan(refund ? 0 : total - payer_total),
    退款申请时间: refund ? clockTime(refund.created) : '',
    退款成功时间: changed !== undefined && status === 'SUCCESS' ? clockTime(changed) : '',
    微信退款单号: refund?.refund_id ?? '0',
    商户退款单号: refund?.out_refund_no ?? '0',
    退款金额: yuan(refund?.refund ?? 0),
    充值券退款金额: yuan(refund ? refund.refund - refund.payer_refund : 0),
    退款类型: refund?.channel ?? '',
    退款状态: status ? STATUS[status] : '',
    商品名称: order.description,
    商户数据包: order.attach ?? '',
    // The fee of a refund is the part that is returned `(?)`.
    手续费: fee(refund ? -refund.fee : feeOf(total)),
    费率: RATE,
    订单金额: yuan(refund ? 0 : total),
    申请退款金额: yuan(refund?.refund ?? 0),
    费率备注: '',
  };
}

function summaryOf(lines: readonly TradeLine[], type: TradeBillType): Record<string, string> {
  let [orders, refunds, coupons, fees] = [0, 0, 0, 0];
  for (const { order, refund } of lines) {
    orders += refund ? 0 : order.total;
    refunds += refund?.refund ?? 0;
    coupons += refund ? refund.refund - refund.payer_refund : 0;
    fees += refund ? -refund.fee : feeOf(order.total);
  }
  const [count, total, back] = [String(lines.length), yuan(orders), yuan(refunds)];
  if (type === 'SUCCESS') {
    return { 总交易单数: count, 应结订单总金额: total, 手续费总金额: fee(fees), 订单总金额: total };
  }
  return {
    ...{ 总交易单数: count, 应结订单总金额: total, 退款总金额: back, 充值券退款总金额: yuan(coupons) },
    ...{ 手续费总金额: fee(fees), 订单总金额: total, 申请退款总金额: back },
  };
}

/** The status that a refund had at a time, and since when. */
function statusAt({ history }: BilledRefund, made: number): [status: RefundStatus, since: number | undefined] {
  const [since, status = 'PROCESSING'] = history.findLast(([time]) => time <= made) ?? [];
  return [status, since];
}

/** The text of a fund flow bill. @see https://pay.weixin.qq.com/docs/merchant/products/bill-download/format-fundflow.html */
export function fundFlowBill(entries: readonly Entry[]): string {
  const rows = entries.map(({ time, number, serial, name, type, amount, balance, note = '', voucher }) => [
    ...[clockTime(time), number, serial, name, type, amount > 0 ? '收入' : '支出'],
    ...[yuan(Math.abs(amount)), yuan(balance), 'system', note, voucher],
  ]);
  const [come, gone] = [entries.filter(({ amount }) => amount > 0), entries.filter(({ amount }) => amount < 0)];
  const sum = (some: readonly Entry[]) => yuan(Math.abs(some.reduce((total, { amount }) => total + amount, 0)));
  // Its numbers of lines have a decimal, in the official sample too.
  const count = (some: readonly Entry[]) => some.length.toFixed(1);
  return text(FLOW_COLUMNS, rows, [
    ['资金流水总笔数', count(entries)],
    ['收入笔数', count(come)],
    ['收入金额', sum(come)],
    ['支出笔数', count(gone)],
    ['支出金额', sum(gone)],
  ]);
}

/** A bill: the headings, the lines, the headings of the summary, the summary. */
function text(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  summary: readonly (readonly [heading: string, value: string])[],
): string {
  const lines = [
    columns.join(','),
    ...rows.map(line),
    summary.map(([heading]) => heading).join(','),
    line(summary.map(([, value]) => value)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** A line of values, each after a back quote. */
function line(values: readonly string[]): string {
  return values.map((value) => `\`${plain(value)}`).join(',');
}

/** A value without control characters: documented for the fund flow bill, done in all, so that a row is one line. */
function plain(value: string): string {
  const breaks: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n' };
  return value.replace(/\p{Cc}/gu, (character) => breaks[character] ?? ' ');
}

function clockTime(time: number): string {
  return beijing(time).slice(0, 19).replace('T', ' ');
}

function yuan(fen: number): string {
  return (fen / 100).toFixed(2);
}

function fee(fen: number): string {
  return (fen / 100).toFixed(5);
}
