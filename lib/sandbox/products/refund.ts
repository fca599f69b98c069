import { beijing } from './members';

export const REFUND_STATUSES = ['PROCESSING', 'SUCCESS', 'ABNORMAL', 'CLOSED'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** How a test can end a refund. */
export type RefundOutcome = Exclude<RefundStatus, 'PROCESSING'>;

/** An APIv3 refund. */
export interface Refund {
  /** Who asked for it; of a partner `sp_mchid`. */
  readonly mchid: string;
  readonly sub_mchid?: string | undefined;
  /** The request without the numbers of the order, to compare a repeated one with. */
  readonly asked: object;
  readonly out_trade_no: string;
  readonly transaction_id: string;
  readonly out_refund_no: string;
  readonly refund_id: string;
  readonly reason?: string | undefined;
  readonly notify_url?: string | undefined;
  readonly funds_account: string;
  /** Which merchant of an e-commerce platform pays for it; others have none. */
  readonly refund_account?: string | undefined;
  readonly channel: 'ORIGINAL' | 'OTHER_BANKCARD';
  readonly user_received_account: string;
  readonly status: RefundStatus;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
  /** When it succeeds by itself, as long as it is `PROCESSING`. */
  readonly due: number;
  /** When it took which status, in order. */
  readonly history: readonly (readonly [time: number, status: RefundStatus])[];
  readonly amount: {
    readonly total: number;
    readonly refund: number;
    readonly payer_total: number;
    readonly payer_refund: number;
    readonly from?: { readonly account: string; readonly amount: number }[] | undefined;
  };
  /** The returned part of the fee on the payment, in fen. */
  readonly fee: number;
}

/** What a merchant or an e-commerce platform asks for. */
export interface RefundRequest {
  readonly sub_mchid?: string | undefined;
  readonly transaction_id?: string | undefined;
  readonly out_trade_no?: string | undefined;
  readonly out_refund_no: string;
  readonly reason?: string | undefined;
  readonly notify_url?: string | undefined;
  readonly funds_account?: string | undefined;
  readonly refund_account?: string | undefined;
  readonly amount: {
    readonly refund: number;
    readonly total: number;
    readonly currency?: string | undefined;
    readonly from?: { readonly account: string; readonly amount: number }[] | undefined;
  };
}

/** A refund of whatever protocol, as bills show it. */
export interface BilledRefund {
  readonly transaction_id: string;
  readonly refund_id: string;
  readonly out_refund_no: string;
  /** When it was accepted, in milliseconds since 1970. */
  readonly created: number;
  /** In fen. */
  readonly refund: number;
  /** The part for the user, without coupons, in fen. */
  readonly payer_refund: number;
  /** The returned part of the fee on the payment, in fen. */
  readonly fee: number;
  readonly reason?: string | undefined;
  readonly channel: string;
  /** When it took which status, in order. */
  readonly history: readonly (readonly [time: number, status: RefundStatus])[];
}

/** An APIv3 refund as bills show it. */
export function billed({ amount: { refund, payer_refund }, ...rest }: Refund): BilledRefund {
  const { transaction_id, refund_id, out_refund_no, created, fee, reason, channel, history } = rest;
  const numbers = { transaction_id, refund_id, out_refund_no };
  return { ...numbers, created, refund, payer_refund, fee, reason, channel, history };
}

/** What a notification says. @see https://pay.weixin.qq.com/doc/v3/merchant/4012791865 */
export function contentOf(refund: Refund) {
  const { mchid, sub_mchid, out_trade_no, transaction_id, out_refund_no, refund_id, refund_account } = refund;
  const { status, user_received_account, amount } = refund;
  const { total, refund: back, payer_total, payer_refund } = amount;
  return {
    ...(sub_mchid === undefined ? { mchid } : { sp_mchid: mchid, sub_mchid }),
    ...{ transaction_id, out_trade_no, refund_id, out_refund_no, refund_status: status },
    ...successTime(refund),
    user_received_account,
    amount: { total, refund: back, payer_total, payer_refund },
    ...(refund_account !== undefined && { refund_account }),
  };
}

/** When a refund succeeded, if it has. */
export function successTime({ status, history }: Refund): { success_time?: string } {
  const [time] = history.at(-1) ?? [];
  return status === 'SUCCESS' && time !== undefined ? { success_time: beijing(time) } : {};
}
