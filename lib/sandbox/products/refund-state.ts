import { isDeepStrictEqual } from 'node:util';
import type { Response } from 'undici';
import { keyOf } from '../store';
import { paramError, rule } from '../wire/param-error';
import { fault } from '../wire/response';
import { feeOf, type Ledger, ownerOf, refundMovements } from './ledger';
import { beijing, digits, notifyUrl } from './members';
import type { Orders, PaidOrder } from './orders';
import type { ProductContext } from './product';
import { type BilledRefund, billed, contentOf, type Refund, type RefundOutcome, type RefundRequest } from './refund';

/** The task that ends a refund. */
const SUCCEED = 'refund.succeed';
/** How long a refund takes, in milliseconds. */
const DURATION = 1000;
/** @see https://pay.weixin.qq.com/doc/v3/merchant/4012552567 */
const [MAX_REFUNDS, MAX_AGE] = [50, 365 * 86_400_000];

/** The refunds of APIv3 of all merchants. */
export function createRefunds({ store, clock, schedule, notifier }: ProductContext, orders: Orders, ledger: Ledger) {
  const table = store.table<Refund>('refunds', {
    indexes: {
      out_refund_no: ({ out_refund_no }) => out_refund_no,
      transaction_id: ({ transaction_id }) => transaction_id,
      refund_id: ({ refund_id }) => refund_id,
      accepted_on: ({ mchid, created }) => keyOf(mchid, beijing(created).slice(0, 10)),
    },
  });

  function begin(refund: Refund): Refund {
    const key = keyOf(refund.mchid, refund.out_refund_no);
    table.put(key, refund);
    schedule.at(refund.due, SUCCEED, key);
    return refund;
  }

  /** Ends a refund; returns the key of the notification too. */
  function finish(refund: Refund, status: RefundOutcome): { refund: Refund; notified: string | undefined } {
    const { mchid, sub_mchid, notify_url } = refund;
    const ended = { ...refund, status, history: [...refund.history, [clock.now(), status] as const] };
    table.put(keyOf(mchid, refund.out_refund_no), ended);
    if (status === 'CLOSED') ledger.book({ mchid, sub_mchid }, ...refundMovements(billed(refund), true));
    if (notify_url === undefined) return { refund: ended, notified: undefined };
    const recipient = { kind: 'merchant', id: mchid } as const;
    return { refund: ended, notified: notifier.notify(recipient, `REFUND.${status}`, contentOf(ended), notify_url) };
  }

  schedule.on(SUCCEED, (key) => {
    const refund = table.get(key);
    // It may have been told to end otherwise, and to begin anew since.
    if (refund?.status === 'PROCESSING' && refund.due <= clock.now()) finish(refund, 'SUCCESS');
  });

  /** `transaction_id` wins: so it is documented for v2. */
  function orderOf(mchid: string, { transaction_id, out_trade_no, sub_mchid }: RefundRequest): PaidOrder {
    if (!transaction_id && !out_trade_no) throw rule.required('/transaction_id', '微信支付订单号');
    const order = transaction_id
      ? orders.table.by('transaction_id', transaction_id).find(({ protocol }) => protocol === 'v3')
      : orders.find(mchid, 'v3', out_trade_no ?? '');
    if (!order?.payment) throw fault(404, 'RESOURCE_NOT_EXISTS', '订单不存在');
    if (order.mchid !== mchid) throw fault(403, 'NO_AUTH', '商户号和订单不匹配');
    checkSubMerchant(order.partner?.sub_mchid, sub_mchid);
    return { ...order, payment: order.payment };
  }

  /** How much of an order is not refunded. @throws the response that refuses a refund for what is wrong with the order */
  function refundable({ total, trade_state, payment: { transaction_id, time } }: PaidOrder): number {
    if (trade_state === 'REVOKED') throw invalid('订单已撤销');
    if (clock.now() > time + MAX_AGE) throw invalid('An order can be refunded within 365 days of its payment.');
    const standing = table.by('transaction_id', transaction_id).filter(({ status }) => status !== 'CLOSED');
    const left = total - standing.reduce((sum, { amount }) => sum + amount.refund, 0);
    if (left === 0) throw invalid('订单已全额退款');
    // One minute between two of them is asked for as well; a test need not wait for it.
    if (standing.length >= MAX_REFUNDS) throw invalid(`An order takes ${MAX_REFUNDS} refunds at most.`);
    return left;
  }

  return {
    table,
    finish,
    /** By the merchant's number. */
    find: (mchid: string, out_refund_no: string): Refund | undefined => table.get(keyOf(mchid, out_refund_no)),
    /** By WeChat Pay's number. */
    findById: (mchid: string, refund_id: string): Refund | undefined =>
      table.by('refund_id', refund_id).find((refund) => refund.mchid === mchid),
    /** By the merchant's number, whoever the merchant is. */
    numbered: (out_refund_no: string): Refund[] => table.by('out_refund_no', out_refund_no),
    /** How much of an order is refunded, or on its way to be, in fen. */
    refunded: (transaction_id: string): number =>
      table
        .by('transaction_id', transaction_id)
        .reduce((sum, { status, amount }) => sum + (status === 'CLOSED' ? 0 : amount.refund), 0),
    /** Those that were accepted on a day of Beijing, such as `2026-11-24`, as bills show them. */
    acceptedOn: (mchid: string, day: string): BilledRefund[] =>
      table.by('accepted_on', keyOf(mchid, day)).map((refund) => billed(refund)),
    /**
     * Accepts a refund, or finds the one that was accepted with the same number.
     * @throws the response that refuses it
     */
    accept(mchid: string, request: RefundRequest): Refund {
      checkNumbers(request);
      const { transaction_id: _id, out_trade_no: _number, ...asked } = request;
      const order = orderOf(mchid, request);
      const { out_trade_no, total, payment } = order;
      const { transaction_id, payer_total } = payment;
      const { out_refund_no, reason, notify_url, sub_mchid, funds_account = 'UNSETTLED', refund_account } = request;
      const { refund, from } = request.amount;
      const before = table.get(keyOf(mchid, out_refund_no));
      if (before) return repeated(before, transaction_id, asked);
      if (request.amount.total !== total) throw invalid(OTHER_AMOUNT);
      const left = refundable(order);
      if (refund > left) throw invalid('申请退款金额超过订单可退金额');

      const created = clock.now();
      const date = beijing(created).slice(0, 10).replaceAll('-', '');
      const accepted = begin({
        ...{
          mchid,
          asked,
          out_trade_no,
          transaction_id,
          out_refund_no,
          refund_id: `503${digits(7)}${date}${digits(11)}`,
        },
        ...{ sub_mchid: order.partner?.sub_mchid ?? sub_mchid, reason, funds_account, refund_account },
        ...{ channel: 'ORIGINAL', user_received_account: '支付用户零钱', status: 'PROCESSING' },
        notify_url: notify_url === undefined ? undefined : notifyUrl(notify_url),
        ...{ created, due: created + DURATION, history: [[created, 'PROCESSING']] },
        // What coupons paid is returned to them in proportion.
        amount: { total, refund, payer_total, payer_refund: Math.round((refund * payer_total) / total), from },
        // So that all of the fee comes back with the last part of the order.
        fee: feeOf(left) - feeOf(left - refund),
      });
      ledger.book(ownerOf(order), ...refundMovements(billed(accepted), false));
      if (order.trade_state !== 'REFUND') orders.change(order, { trade_state: 'REFUND' });
      return accepted;
    },
    /** Pays an abnormal refund to a bank card: of the user, whose account it names, or of the merchant. */
    payToCard(refund: Refund, user_received_account: string): Refund {
      const now = clock.now();
      const history = [...refund.history, [now, 'PROCESSING'] as const];
      const again = { status: 'PROCESSING', channel: 'OTHER_BANKCARD', due: now + DURATION, history } as const;
      return begin({ ...refund, ...again, user_received_account });
    },
  };
}

export type Refunds = ReturnType<typeof createRefunds>;

const OTHER_AMOUNT = '订单金额或退款金额与之前请求不一致，请核实后再试';

/** @throws the response that refuses a request of another sub-merchant than that of the order or the refund */
export function checkSubMerchant(expected: string | undefined, given: string | undefined): void {
  if (expected === given) return;
  if (given === undefined) throw fault(400, 'PARAM_ERROR', '受理机构必须传入sub_mch_id');
  throw fault(403, 'NO_AUTH', '子商户号和订单信息不匹配');
}

/** The documented rules of the numbers of a request. */
function checkNumbers({ out_refund_no, amount: { refund, from, currency = 'CNY' } }: RefundRequest): void {
  if (!/^[\w\-|*@]+$/.test(out_refund_no)) {
    throw rule.pattern('/out_refund_no', '商户退款单号', '^[0-9A-Za-z_\\-|*@]+$', out_refund_no);
  }
  if (!(refund > 0)) {
    throw paramError('body', '/amount/refund', 'must be 1 or more', refund);
  }
  if (currency !== 'CNY') {
    throw paramError('body', '/amount/currency', 'must be CNY', currency);
  }
  const sum = from?.reduce((total, { amount }) => total + amount, 0) ?? refund;
  if (sum !== refund) throw invalid(`amount.from adds up to ${sum}, but amount.refund is ${refund}.`);
}

/** The same request gives the same refund, whichever number names the order. */
function repeated(refund: Refund, transaction_id: string, asked: RefundRequestRest): Refund {
  if (refund.transaction_id === transaction_id && isDeepStrictEqual(refund.asked, asked)) return refund;
  const { amount } = asked;
  const isSameAmount = refund.amount.refund === amount.refund && refund.amount.total === amount.total;
  throw invalid(isSameAmount ? '请求重入时，参数与首次请求时不一致' : OTHER_AMOUNT);
}

type RefundRequestRest = Omit<RefundRequest, 'transaction_id' | 'out_trade_no'>;

export function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}
