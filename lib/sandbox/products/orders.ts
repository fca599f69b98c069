import { InvalidArgumentError } from '../../errors';
import type { Protocol } from '../protocol/protocol';
import { keyOf } from '../store';
import { beijing, digits } from './members';
import type { ProductContext } from './product';

/** An order of any product, paid or not. */
export interface Order {
  /** Who placed it; of a partner `sp_mchid`. */
  readonly mchid: string;
  readonly protocol: Protocol;
  readonly out_trade_no: string;
  /** The request that placed it, for comparison with a repeated one. */
  readonly placed: unknown;
  readonly trade_type: 'JSAPI' | 'NATIVE' | 'APP' | 'MWEB' | 'MICROPAY';
  readonly trade_state: TradeState;
  readonly appid: string;
  /** The merchant that a partner acts for. */
  readonly partner?: {
    readonly sub_mchid: string;
    readonly sub_appid?: string | undefined;
    readonly sub_openid?: string | undefined;
  };
  /** The combined order that it is a part of, and who placed that. */
  readonly combine_out_trade_no?: string;
  readonly combine_mchid?: string;
  readonly description: string;
  readonly attach?: string;
  readonly notify_url?: string;
  /** Its tag, for coupons. */
  readonly goods_tag?: string;
  /** The amount of the order, in fen. */
  readonly total: number;
  readonly currency: string;
  /** The user that may pay it, or has paid it. */
  readonly openid?: string;
  readonly prepay_id: string;
  readonly code_url?: string;
  readonly h5_url?: string;
  /** When `prepay_id` and its links were given: they are valid for {@link PREPAID_FOR}. Without it, forever. */
  readonly prepaid?: number;
  /** `scene_info` of the request. */
  readonly device_id?: string;
  /** Whether its money may be shared (`settle_info.profit_sharing`). */
  readonly profit_sharing: boolean;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
  readonly expires: number;
  /** Its payment. */
  readonly payment?: Payment;
}

export interface Payment {
  readonly transaction_id: string;
  readonly bank_type: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly time: number;
  /** What the user paid, in fen: less than the amount of the order if coupons paid the rest. */
  readonly payer_total: number;
  /** The coupons that paid the rest. */
  readonly promotions?: readonly Promotion[];
}

/** A coupon that paid a part of an order (`promotion_detail`). */
export interface Promotion {
  readonly coupon_id: string;
  readonly name: string;
  readonly scope: 'GLOBAL' | 'SINGLE';
  readonly type: 'CASH' | 'NOCASH';
  /** Its discount, in fen. */
  readonly amount: number;
  readonly stock_id: string;
  readonly wechatpay_contribute: number;
  readonly merchant_contribute: number;
  readonly other_contribute: number;
  readonly currency: string;
}

/** An order that has been paid, even if refunded or reversed since. */
export type PaidOrder = Order & { readonly payment: Payment };

export type TradeState = 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED' | 'REVOKED' | 'USERPAYING' | 'PAYERROR';

/** `trade_state_desc` of each state. @see https://pay.weixin.qq.com/doc/v3/merchant/4012791880 */
export const DESCRIPTIONS: Readonly<Record<TradeState, string>> = {
  NOTPAY: '订单未支付',
  SUCCESS: '支付成功',
  REFUND: '订单发生过退款，退款详情请查询退款单',
  CLOSED: '订单已关闭',
  REVOKED: '订单已撤销',
  USERPAYING: '用户支付中，需要输入密码',
  PAYERROR: '支付失败',
};

/** How long `prepay_id` and `code_url` are valid: 2 hours, in milliseconds. */
export const PREPAID_FOR = 2 * 3_600_000;

/** How long an order can be paid by default: 7 days, in milliseconds. */
export const VALID_FOR = 7 * 86_400_000;

/** The user who pays by default: 28 characters, as every openid. */
const SOMEONE = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

/** The task that closes an order that was not paid in time. */
const EXPIRE = 'order.expire';

/** How the user pays. */
export interface Paying {
  /** The user; by default the one that the order is for, or anyone. */
  readonly openid?: string | undefined;
  /** `OTHERS` by default: no bank card. */
  readonly bank_type?: string | undefined;
}

/** Called when an order is paid; returns the key of the notification that it sends. */
type PaidListener = (order: PaidOrder) => string | undefined;

/** Called when a user pays: returns the user's coupons that pay a part of the order. */
type Discount = (order: Order, openid: string) => readonly Promotion[];

/** The orders of all merchants, shared by several products. A v2 order is not visible to APIv3, nor the reverse. */
export function createOrders({ store, clock, schedule }: ProductContext) {
  const table = store.table<Order>('orders', {
    indexes: {
      transaction_id: ({ payment }) => payment?.transaction_id,
      paid_on: ({ mchid, payment }) => payment && keyOf(mchid, beijing(payment.time).slice(0, 10)),
      prepay_id: ({ prepay_id }) => prepay_id,
      code_url: ({ code_url }) => code_url,
      combine: ({ mchid, combine_mchid = mchid, combine_out_trade_no: number }) =>
        number && keyOf(combine_mchid, number),
      out_trade_no: ({ out_trade_no }) => out_trade_no,
    },
  });
  const paidListeners: PaidListener[] = [];
  const discounts: Discount[] = [];

  function put(order: Order): Order {
    table.put(keyOfOrder(order), order);
    return order;
  }

  const change = (order: Order, changes: Partial<Order>): Order => put({ ...order, ...changes });

  schedule.on(EXPIRE, (key) => {
    const order = table.get(key);
    if (order && isUnpaid(order) && order.expires <= clock.now()) change(order, { trade_state: 'CLOSED' });
  });

  function checkPayable(order: Order, openid = order.openid): void {
    const { out_trade_no, trade_state, expires, prepaid } = order;
    const now = clock.now();
    const refuse = (why: string): InvalidArgumentError =>
      new InvalidArgumentError(`The order ${out_trade_no} cannot be paid: ${why}`);
    if (!isUnpaid(order)) throw refuse(`it is ${trade_state}.`);
    if (now >= expires) throw refuse('it has expired.');
    if (prepaid !== undefined && now >= prepaid + PREPAID_FOR) {
      throw refuse('its prepay_id has expired after 2 hours; place it again with the same parameters.');
    }
    if (openid !== order.openid && order.openid !== undefined) throw refuse('下单账号与支付账号不一致，请核实后再支付');
  }

  /** Pays an order that can be paid: see {@link checkPayable}. */
  function settle(order: Order, { openid = order.openid ?? SOMEONE, bank_type = 'OTHERS' }: Paying) {
    const time = clock.now();
    const promotions = discounts.flatMap((discount) => discount(order, openid));
    const payer_total = promotions.reduce((left, { amount }) => left - amount, order.total);
    const paidBy = { payer_total, ...(promotions.length > 0 && { promotions }) };
    const payment = { transaction_id: transactionId(time, order.profit_sharing), bank_type, time, ...paidBy };
    const paid = { ...order, trade_state: 'SUCCESS' as const, openid, payment };
    put(paid);
    const [notified] = paidListeners.flatMap((listener) => listener(paid) ?? []);
    return { order: paid, notified };
  }

  return {
    table,
    put,
    change,
    /** Adds a new order, which is closed when it expires. */
    place(order: Order): Order {
      schedule.at(order.expires, EXPIRE, keyOfOrder(order));
      return put(order);
    },
    /** By the merchant's number. */
    find: (mchid: string, protocol: Protocol, out_trade_no: string): Order | undefined =>
      table.get(keyOfOrder({ mchid, protocol, out_trade_no })),
    /** By WeChat Pay's number; it is unique. */
    findPaid: (mchid: string, transaction_id: string): Order | undefined =>
      table.by('transaction_id', transaction_id).find((order) => order.mchid === mchid),
    /** Registers what finds the coupons that pay a part of an order. */
    onPaying: (discount: Discount) => void discounts.push(discount),
    /** Registers what happens when an order is paid: the product that placed it notifies. */
    onPaid: (listener: PaidListener) => void paidListeners.push(listener),
    /** @throws InvalidArgumentError if the order cannot be paid, or not by that user */
    checkPayable,
    settle,
    /**
     * Plays the payer.
     * @returns the order and the key of its notification
     * @throws InvalidArgumentError if the order cannot be paid
     */
    pay(order: Order, how: Paying): { order: Order; notified: string | undefined } {
      const { out_trade_no, combine_out_trade_no: whole } = order;
      if (whole !== undefined) {
        throw new InvalidArgumentError(
          `The order ${out_trade_no} is part of the combined order ${whole}: pay that one.`,
        );
      }
      checkPayable(order, how.openid);
      return settle(order, how);
    },
    /**
     * Plays a user who does not pay: the order stays `NOTPAY`, and can be paid later. One that waits for a password
     * (`USERPAYING`) stops waiting.
     * @throws InvalidArgumentError if the order could not be paid
     */
    decline(order: Order, outcome: 'cancel' | 'fail'): Order {
      if (!isUnpaid(order)) {
        throw new InvalidArgumentError(`The order ${order.out_trade_no} cannot be paid: it is ${order.trade_state}.`);
      }
      if (order.trade_state === 'NOTPAY') return order;
      return change(order, { trade_state: outcome === 'fail' ? 'PAYERROR' : 'NOTPAY' });
    },
  };
}

function isUnpaid({ trade_state }: Order): boolean {
  return trade_state === 'NOTPAY' || trade_state === 'USERPAYING';
}

export type Orders = ReturnType<typeof createOrders>;

export function keyOfOrder({
  mchid,
  protocol,
  out_trade_no,
}: Pick<Order, 'mchid' | 'protocol' | 'out_trade_no'>): string {
  return keyOf(mchid, `${protocol}/${out_trade_no}`);
}

/** 28 digits with the date inside; orders that can be shared begin with 43. */
export function transactionId(time: number, profit_sharing = false): string {
  const date = new Date(time + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
  return `${profit_sharing ? '43' : '42'}00${digits(6)}${date}${digits(10)}`;
}
