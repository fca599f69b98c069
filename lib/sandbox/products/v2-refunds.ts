import { keyOf } from '../store';
import { v2Fault } from '../wire/response';
import { type Ledger, ownerOf, feeOf as rateOf, refundMovements } from './ledger';
import { beijing, digits } from './members';
import { keyOfOrder, type Order, type Orders } from './orders';
import type { Product, ProductContext } from './product';
import type { BilledRefund, RefundStatus } from './refund';
import type { RefundBook, ShownRefund } from './refund-control';
import {
  digitsOf,
  type Fields,
  feeOf,
  isTransactionId,
  type OwnFields,
  orderOf,
  spaced,
  xmlOperation,
} from './v2-members';
import { feeText, notifyUrl, subMerchant } from './v2-payments';

/** A v2 refund. */
export interface V2Refund {
  readonly mchid: string;
  readonly out_refund_no: string;
  readonly refund_id: string;
  /** The key of its order. */
  readonly order: string;
  readonly out_trade_no: string;
  readonly transaction_id: string;
  /** What is refunded, and what the order amounts to, in fen. */
  readonly refund_fee: number;
  readonly total_fee: number;
  readonly refund_account: string;
  readonly status: V2RefundStatus;
  readonly notify_url?: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
  readonly succeeded?: number;
  /** When it ended, in any state. */
  readonly ended?: number;
  /** The returned part of the fee on the payment, in fen. */
  readonly fee: number;
}

/** `CHANGE`: the user's account does not take the money; `REFUNDCLOSE`: it stays with the merchant. */
export type V2RefundStatus = 'PROCESSING' | 'SUCCESS' | 'CHANGE' | 'REFUNDCLOSE';

/** How tests and the console end a refund, in terms of APIv3. */
const OUTCOMES = { SUCCESS: 'SUCCESS', ABNORMAL: 'CHANGE', CLOSED: 'REFUNDCLOSE' } as const;
const SHOWN_STATUS: Readonly<Record<V2RefundStatus, RefundStatus>> = {
  PROCESSING: 'PROCESSING',
  SUCCESS: 'SUCCESS',
  CHANGE: 'ABNORMAL',
  REFUNDCLOSE: 'CLOSED',
};

/** v2 refunds, and what tests and the console see of them and do to them. */
export interface V2Refunds extends Product {
  readonly book: RefundBook;
  /** Those that were accepted on a day of Beijing, such as `2026-11-24`, as bills show them. */
  acceptedOn(mchid: string, day: string): BilledRefund[];
}

/** The task that ends a refund. */
const SUCCEED = 'v2.refund.succeed';

const YEAR = 365 * 86_400_000;

/** How many refunds an order can have, and how many a query shows. */
const [MOST, SHOWN] = [50, 10];

const ACCOUNT = '支付用户零钱';

const AMOUNTS = '订单金额或退款金额与之前请求不一致，请核实后再试';

/** @see https://pay.weixin.qq.com/doc/v2/merchant/4011935217 */
export function v2Refunds(context: ProductContext, orders: Orders, ledger: Ledger): V2Refunds {
  const { clock, schedule, notifier } = context;
  const table = tableOf(context);

  schedule.on(SUCCEED, (key) => {
    const refund = table.get(key);
    if (refund?.status === 'PROCESSING') finish(refund, 'SUCCESS');
  });

  /** Ends a refund, and notifies; returns the key of the notification. */
  function finish(before: V2Refund, status: Exclude<V2RefundStatus, 'PROCESSING'>): string | undefined {
    const now = clock.now();
    const refund = { ...before, status, ended: now, ...(status === 'SUCCESS' && { succeeded: now }) };
    table.put(keyOf(refund.mchid, refund.out_refund_no), refund);
    const order = orders.table.get(refund.order);
    if (order && status === 'REFUNDCLOSE') ledger.book(ownerOf(order), ...refundMovements(billed(refund), true));
    if (refund.notify_url === undefined || !order) return undefined;
    const recipient = { kind: 'merchant', id: refund.mchid } as const;
    const content = { appid: order.appid, ...subMerchant(order), ...notified(refund) };
    return notifier.notify(recipient, 'v2/refund-processed', content, refund.notify_url);
  }

  /** The refunds of an order that returned money, or will. */
  function effective(order: Order): V2Refund[] {
    return table.by('order', keyOfOrder(order)).filter(({ status }) => status !== 'REFUNDCLOSE');
  }

  function refund(mchid: string, xml: Fields): V2Refund {
    const { out_refund_no = '', notify_url, refund_account } = xml;
    const [refund_fee, total_fee] = [feeOf(xml, 'refund_fee'), feeOf(xml, 'total_fee')];
    const url = notify_url ? { notify_url: notifyUrl(notify_url) } : {};
    checkTransactionId(xml);
    const order = orderOf(orders, mchid, xml);
    const before = table.get(keyOf(mchid, out_refund_no));
    if (before) {
      const isSame = before.refund_fee === refund_fee && before.total_fee === total_fee;
      if (isSame && order && before.order === keyOfOrder(order)) return before;
      throw v2Fault('INVALID_REQUEST', AMOUNTS);
    }
    if (!order?.payment) throw v2Fault('ORDERNOTEXIST', '订单不存在');
    const left = checkRefundable(order, total_fee, refund_fee);
    const now = clock.now();
    const { out_trade_no, payment } = order;
    const asked: V2Refund = {
      ...{ mchid, out_refund_no, refund_id: `5030${digitsOf(now).slice(2, 8)}${digits(19)}`, order: keyOfOrder(order) },
      ...{ out_trade_no, transaction_id: payment.transaction_id, refund_fee, total_fee, created: now, ...url },
      refund_account: refund_account || 'REFUND_SOURCE_RECHARGE_FUNDS',
      status: 'PROCESSING',
      // So that the whole fee is returned with the last part of the order.
      fee: rateOf(left) - rateOf(left - refund_fee),
    };
    table.put(keyOf(mchid, out_refund_no), asked);
    ledger.book(ownerOf(order), ...refundMovements(billed(asked), false));
    orders.change(order, { trade_state: 'REFUND' });
    schedule.at(now + 1000, SUCCEED, keyOf(mchid, out_refund_no));
    return asked;
  }

  function checkRefundable(order: Order, total_fee: number, refund_fee: number): number {
    const { total, trade_state, payment, out_trade_no } = order;
    if (trade_state === 'REVOKED') {
      throw v2Fault('INVALID_REQUEST', `The order ${out_trade_no} has been reversed: its money was returned.`);
    }
    if (total_fee !== total) throw v2Fault('INVALID_REQUEST', AMOUNTS);
    if (clock.now() > (payment?.time ?? 0) + YEAR) throw v2Fault('TRADE_OVERDUE', '订单已经超过退款期限');
    const refunds = effective(order);
    const left = total - refunds.reduce((sum, { refund_fee }) => sum + refund_fee, 0);
    if (left === 0) throw v2Fault('INVALID_REQUEST', '订单已全额退款');
    if (refund_fee > left) throw v2Fault('INVALID_REQUEST', '申请退款金额超过订单可退金额');
    if (refunds.length >= MOST) throw v2Fault('INVALID_REQUEST', `An order has ${MOST} refunds at most.`);
    return left;
  }

  /** The refunds that a query asks for: the most specific number wins. */
  function asked(mchid: string, xml: Fields): V2Refund[] {
    const { refund_id, out_refund_no } = xml;
    if (refund_id) return table.by('refund_id', refund_id).filter((refund) => refund.mchid === mchid);
    if (out_refund_no) return [table.get(keyOf(mchid, out_refund_no)) ?? []].flat();
    checkTransactionId(xml);
    const order = orderOf(orders, mchid, xml);
    return order ? table.by('order', keyOfOrder(order)) : [];
  }

  return {
    book: {
      protocol: 'v2',
      all: () => [...table.values()].map(seen),
      numbered: (out_refund_no) => table.by('number', out_refund_no).map(seen),
      finish(mchid, out_refund_no, status) {
        const refund = table.get(keyOf(mchid, out_refund_no));
        return refund && finish(refund, OUTCOMES[status]);
      },
    },
    acceptedOn: (mchid, day) => table.by('accepted_on', keyOf(mchid, day)).map(billed),
    routes: [
      xmlOperation('v2/secapi/pay/refund', ({ mchid, xml }) => {
        const { out_refund_no, refund_id, out_trade_no, transaction_id, refund_fee, total_fee } = refund(mchid, xml);
        return {
          ...{ transaction_id, out_trade_no, out_refund_no, refund_id, refund_channel: '' },
          ...{ refund_fee: feeText(refund_fee), total_fee: feeText(total_fee), fee_type: 'CNY' },
          ...{ cash_fee: feeText(total_fee), cash_refund_fee: feeText(refund_fee) },
          ...{ coupon_refund_count: feeText(0), coupon_refund_fee: feeText(0) },
        };
      }),
      xmlOperation('v2/pay/refundquery', ({ mchid, xml }) => {
        const all = asked(mchid, xml);
        const from = Number(xml.offset || 0);
        const [first] = all;
        const shown = all.slice(from, from + SHOWN);
        if (!first || shown.length === 0) throw v2Fault('REFUNDNOTEXIST', '退款订单查询失败');
        return {
          ...{ transaction_id: first.transaction_id, out_trade_no: first.out_trade_no, fee_type: 'CNY' },
          ...{ total_fee: feeText(first.total_fee), cash_fee: feeText(first.total_fee) },
          ...(xml.offset && { total_refund_count: feeText(all.length) }),
          refund_count: feeText(shown.length),
          ...shown.map(numbered).reduce((all, fields) => Object.assign(all, fields), {}),
        };
      }),
    ],
  };
}

function tableOf({ store }: ProductContext) {
  return store.table<V2Refund>('v2-refunds', {
    indexes: {
      order: ({ order }) => order,
      refund_id: ({ refund_id }) => refund_id,
      number: ({ out_refund_no }) => out_refund_no,
      accepted_on: ({ mchid, created }) => keyOf(mchid, beijing(created).slice(0, 10)),
    },
  });
}

/** A refund as tests and the console see it. */
function seen(refund: V2Refund): ShownRefund {
  const { mchid, out_refund_no, refund_id, out_trade_no, transaction_id, status, notify_url, created } = refund;
  return {
    ...{ mchid, protocol: 'v2' as const, out_refund_no, refund_id, out_trade_no, transaction_id },
    ...{ status: SHOWN_STATUS[status], amount: { total: refund.total_fee, refund: refund.refund_fee } },
    ...{ create_time: beijing(created), notify_url },
  };
}

/** A refund as bills show it. */
function billed(refund: V2Refund): BilledRefund {
  const { transaction_id, refund_id, out_refund_no, created, ended, status, refund_fee, fee } = refund;
  return {
    ...{ transaction_id, refund_id, out_refund_no, created, refund: refund_fee, payer_refund: refund_fee, fee },
    channel: 'ORIGINAL',
    history: [[created, 'PROCESSING'], ...(ended === undefined ? [] : [[ended, SHOWN_STATUS[status]] as const])],
  };
}

function checkTransactionId({ transaction_id }: Fields): void {
  if (transaction_id && !isTransactionId(transaction_id)) throw v2Fault('INVALID_TRANSACTIONID', '无效transaction_id');
}

/** The members of a refund in a query, with its number in their names. */
function numbered(refund: V2Refund, n: number): OwnFields<'v2/pay/refundquery'> {
  const { out_refund_no, refund_id, refund_fee, refund_account, status, succeeded } = refund;
  const fields: OwnFields<'v2/pay/refundquery'> = {};
  fields[`out_refund_no_${n}` as const] = out_refund_no;
  fields[`refund_id_${n}` as const] = refund_id;
  fields[`refund_channel_${n}` as const] = 'ORIGINAL';
  fields[`refund_fee_${n}` as const] = feeText(refund_fee);
  fields[`refund_status_${n}` as const] = status;
  fields[`refund_account_${n}` as const] = refund_account;
  fields[`refund_recv_accout_${n}` as const] = ACCOUNT;
  if (succeeded !== undefined) fields[`refund_success_time_${n}` as const] = spaced(succeeded);
  return fields;
}

/** A refund as its notification has it, encrypted. */
function notified(refund: V2Refund) {
  const { out_refund_no, out_trade_no, refund_account, refund_id, transaction_id, status, succeeded } = refund;
  const [refund_fee, total_fee] = [feeText(refund.refund_fee), feeText(refund.total_fee)];
  return {
    ...{ out_refund_no, out_trade_no, refund_account, refund_fee, refund_id, refund_recv_accout: ACCOUNT },
    ...{ refund_request_source: 'API', refund_status: status, settlement_refund_fee: refund_fee },
    ...{ settlement_total_fee: total_fee, success_time: succeeded === undefined ? '' : spaced(succeeded) },
    ...{ total_fee, transaction_id, cash_refund_fee: refund_fee },
  };
}
