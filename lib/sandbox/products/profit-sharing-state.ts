import type { Response } from 'undici';
import { keyOf } from '../store';
import { rule } from '../wire/param-error';
import { fault } from '../wire/response';
import type { Orders, PaidOrder } from './orders';
import type { ProductContext } from './product';

/** A request to share an order, or to unfreeze what is left of it. */
export interface Sharing {
  /** Who asked for it; of a partner `sp_mchid`. */
  readonly mchid: string;
  /** The merchant that a partner acts for. */
  readonly sub_mchid?: string;
  readonly kind: 'share' | 'unfreeze';
  /** The request, to compare a repeated one with; names in it are encrypted. */
  readonly asked: object;
  readonly transaction_id: string;
  readonly out_order_no: string;
  readonly order_id: string;
  /** Whether it unfreezes what is left, so that nothing more is shared. */
  readonly ends: boolean;
  readonly notify_url?: string;
  readonly state: 'PROCESSING' | 'FINISHED';
  readonly receivers: readonly Share[];
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
}

/** The share of one receiver. */
export interface Share {
  readonly type: 'MERCHANT_ID' | 'PERSONAL_OPENID' | 'PERSONAL_SUB_OPENID';
  readonly account: string;
  /** In fen. */
  readonly amount: number;
  readonly description: string;
  readonly detail_id: string;
  readonly result: 'PENDING' | 'SUCCESS' | 'CLOSED';
  readonly fail_reason?: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly finished?: number;
  /** The reason why it will be closed. */
  readonly closing?: string;
  /** The reason why its returns fail. */
  readonly returns?: string;
}

/** How long an order can be shared; then the rest is unfrozen. */
const SHARABLE_FOR = 30 * 86_400_000;

/** WeChat Pay's share of an order. */
const FEE = 0.006;

/** The maximum share in ten thousandths of the order, unless the merchant has agreed otherwise. */
const MAX_RATIO = 3000;

/** How much of a payment has been refunded, in fen. */
export type Refunded = (transaction_id: string) => number;

/** What has been shared of which order. */
export function createSharings({ store, clock }: ProductContext, orders: Orders, refunded: Refunded) {
  const table = store.table<Sharing>('profit-sharing', {
    indexes: {
      mchid: ({ mchid }) => mchid,
      transaction: ({ mchid, transaction_id }) => keyOf(mchid, transaction_id),
      order_id: ({ mchid, order_id }) => keyOf(mchid, order_id),
    },
  });
  const ratios = store.table<{ readonly max_ratio: number }>('profit-sharing-ratios');

  const of = ({ mchid, payment }: PaidOrder): Sharing[] =>
    table.by('transaction', keyOf(mchid, payment.transaction_id));

  /** What has been shared of an order or will be; what the sharer unfreezes for itself included if `all`. */
  function shared(order: PaidOrder, all: boolean): number {
    const sharer = order.partner?.sub_mchid ?? order.mchid;
    return of(order)
      .flatMap(({ receivers }) => receivers)
      .filter((share) => share.result !== 'CLOSED' && (all || !isSharer(share, sharer)))
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  /** What has not been refunded: refunds are paid out of the frozen money first. */
  const standing = ({ total, payment }: PaidOrder): number => total - refunded(payment.transaction_id);

  /** Whether nothing more can be shared. */
  function isEnded(order: PaidOrder): boolean {
    return of(order).some(({ ends }) => ends) || clock.now() >= order.payment.time + SHARABLE_FOR;
  }

  const ratio = (mchid: string): number => ratios.get(keyOf(mchid, 'max_ratio'))?.max_ratio ?? MAX_RATIO;

  return {
    table,
    of,
    find: (mchid: string, out_order_no: string): Sharing | undefined => table.get(keyOf(mchid, out_order_no)),
    findById: (mchid: string, order_id: string): Sharing | undefined => table.by('order_id', keyOf(mchid, order_id))[0],
    put: (sharing: Sharing): void => table.put(keyOf(sharing.mchid, sharing.out_order_no), sharing),
    ratio,
    setRatio: (mchid: string, max_ratio: number): void => ratios.put(keyOf(mchid, 'max_ratio'), { max_ratio }),
    /**
     * A paid order that the sender can share.
     * @param sub_mchid the merchant that a partner acts for
     * @param unsharable the message for an order without `profit_sharing`
     */
    order(mchid: string, transaction_id: string, sub_mchid: string | undefined, unsharable: string): PaidOrder {
      const order = orders.findPaid(mchid, transaction_id);
      if (!order) throw invalid('订单不存在');
      const sharer = order.partner?.sub_mchid;
      if (sharer !== undefined && sub_mchid === undefined) throw rule.required('/sub_mchid', '子商户号');
      if (sharer !== sub_mchid) throw invalid('服务商和分账方无受理关系');
      return sharable(order, unsharable);
    },
    /** A paid order of a merchant, whoever its sub-merchant is. */
    queried(mchid: string, transaction_id: string): PaidOrder {
      const order = orders.findPaid(mchid, transaction_id);
      if (!order) throw invalid('非本商户的订单不支持查询');
      return sharable(order, '非分账订单不支持此查询');
    },
    isEnded,
    /** What has not been shared yet, in fen. */
    unsplit: (order: PaidOrder): number =>
      isEnded(order) ? 0 : Math.max(0, standing(order) - Math.round(order.total * FEE) - shared(order, true)),
    /** What receivers other than the sharer may still get, in fen. */
    allowance: (order: PaidOrder): number =>
      Math.floor((standing(order) * ratio(order.mchid)) / 10_000) - shared(order, false),
  };
}

export type Sharings = ReturnType<typeof createSharings>;

/** Whether the money goes to the sharer itself. */
export function isSharer({ type, account }: Pick<Share, 'type' | 'account'>, sharer: string): boolean {
  return type === 'MERCHANT_ID' && account === sharer;
}

export function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}

/** `findPaid` returns an order that has a payment. */
function sharable(order: NonNullable<ReturnType<Orders['findPaid']>>, unsharable: string): PaidOrder {
  const { payment } = order;
  if (!payment || !order.profit_sharing) throw invalid(unsharable);
  return { ...order, payment };
}
