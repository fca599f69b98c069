import { isDeepStrictEqual } from 'node:util';
import type { Response } from 'undici';
import type { ResponseOf } from '../../openapi/operation';
import type { HandlerOf } from '../catalogue/operation';
import type { Notifier } from '../notifications/notify';
import { fault, paramError } from '../wire/response';
import { beijing, digits, fen, notifyUrl, optional, required } from './members';
import type { Orders } from './orders';

/** The paths of its operations. */
export const REFUNDS = 'v3/refund/domestic/refunds';
export const REFUND = 'v3/refund/domestic/refunds/{out_refund_no}';

/** The refunds of one sandbox. */
export interface Refunds {
  readonly ask: HandlerOf<typeof REFUNDS, 'post'>;
  readonly byNumber: HandlerOf<typeof REFUND, 'get'>;
  /** Has the money of all refunds under way arrive, and notifies of each that has a `notify_url`. */
  settle(): void;
  clear(): void;
}

interface Refund {
  /** What it was asked for with. */
  readonly asked: unknown;
  readonly notify_url: string | undefined;
  /** As answers show it. */
  readonly shown: ResponseOf<typeof REFUND, 'get'>;
}

/**
 * @param mchid the merchant
 * @param clock the time now, in milliseconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791883
 */
export function createRefunds(mchid: string, orders: Orders, clock: () => number, { notify }: Notifier): Refunds {
  const refunds = new Map<string, Refund>();

  function refunded(transaction_id: string): number {
    const own = [...refunds.values()].filter(({ shown }) => shown.transaction_id === transaction_id);
    return own.reduce((sum, { shown }) => sum + shown.amount.refund, 0);
  }

  return {
    ask({ json }) {
      const { out_refund_no } = required(json, 'out_refund_no');
      const given = optional(json, 'transaction_id', 'out_trade_no', 'notify_url');
      if (!given.transaction_id && !given.out_trade_no) throw paramError('body', 'transaction_id', 'is missing');
      const before = refunds.get(out_refund_no);
      if (before) {
        if (isDeepStrictEqual(before.asked, json)) return before.shown;
        throw invalid(`${out_refund_no} has asked for another refund.`);
      }
      const { amount } = json as { amount?: { currency?: unknown } };
      const [refund, total] = [fen(amount, 'refund'), fen(amount, 'total')];
      if (amount?.currency !== 'CNY') throw paramError('body', 'amount.currency', 'must be CNY', amount?.currency);

      const order = orders.find(given.transaction_id, given.out_trade_no);
      if (!order) throw fault(404, 'RESOURCE_NOT_EXISTS', 'There is no such order.');
      const { transaction_id, out_trade_no, amount: paid } = order.transaction;
      if (transaction_id === undefined) throw invalid(`The order ${out_trade_no} has not been paid.`);
      if (total !== paid.total) throw invalid(`The order ${out_trade_no} is one of ${paid.total}, not of ${total}.`);
      const left = total - refunded(transaction_id);
      if (refund > left) throw invalid(`Of the order ${out_trade_no} ${left} can be refunded, not ${refund}.`);

      const shown = {
        ...{ refund_id: `5030${digits(25)}`, out_refund_no, transaction_id, out_trade_no },
        ...{ channel: 'ORIGINAL', user_received_account: '支付用户零钱', funds_account: 'AVAILABLE' },
        ...{ create_time: beijing(clock()), status: 'PROCESSING' as const },
        amount: {
          ...{ total, refund, payer_total: total, payer_refund: refund, settlement_total: total },
          ...{ settlement_refund: refund, discount_refund: 0, currency: 'CNY' },
        },
      };
      const notify_url = given.notify_url === undefined ? undefined : notifyUrl(given.notify_url);
      refunds.set(out_refund_no, { asked: json, notify_url, shown });
      orders.refund(order);
      return shown;
    },
    byNumber({ variables: { out_refund_no = '' } }) {
      const refund = refunds.get(out_refund_no);
      if (!refund) throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no refund ${out_refund_no}.`);
      return refund.shown;
    },
    settle() {
      for (const [number, refund] of refunds) {
        if (refund.shown.status === 'SUCCESS') continue;
        const success_time = beijing(clock());
        const { notify_url, shown } = refund;
        refunds.set(number, { ...refund, shown: { ...shown, status: 'SUCCESS', success_time } });
        const { out_trade_no, transaction_id, out_refund_no, refund_id, user_received_account } = shown;
        const { total, refund: back, payer_total, payer_refund } = shown.amount;
        const content = {
          ...{ mchid, out_trade_no, transaction_id, out_refund_no, refund_id, user_received_account, success_time },
          refund_status: 'SUCCESS',
          amount: { total, refund: back, payer_total, payer_refund },
        };
        if (notify_url !== undefined) void notify('REFUND.SUCCESS', content, notify_url);
      }
    },
    clear: () => refunds.clear(),
  };
}

function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}
