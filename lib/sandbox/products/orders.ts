import { InvalidArgumentError } from '../../errors';
import type { Protocol } from '../protocol/protocol';
import { keyOf } from '../store';
import { beijing, digits } from './members';
import type { ProductContext } from './product';

/** An order of whatever product, paid or not. */
export interface Order {
  /** Who placed it; of a partner `sp_mchid`. */
  readonly mchid: string;
  readonly protocol: Protocol;
  readonly out_trade_no: string;
  /** The request that placed it, to compare a repeated one with. */
  readonly placed: unknown;
  readonly trade_type: 'JSAPI' | 'NATIVE' | 'APP' | 'MWEB' | 'MICROPAY';
  readonly trade_state: TradeState;
  readonly appid: string;
  /** The merchant that a partner acts for. */
  readonly partner?: { readonly sub_mchid: string; readonly sub_appid?: string | undefined };
  /** The combined order that it is a part of. */
  readonly combine_out_trade_no?: string;
  readonly description: string;
  readonly attach?: string;
  readonly notify_url?: string;
  /** What the order amounts to, in fen. */
  readonly total: number;
  readonly currency: string;
  /** The user that may pay it, or has paid it. */
  readonly openid?: string;
  readonly prepay_id: string;
  readonly code_url?: string;
  readonly h5_url?: string;
  /** Whether its money may be shared (`settle_info.profit_sharing`). */
  readonly profit_sharing: boolean;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
  readonly expires: number;
  /** What the payment added. */
  readonly payment?: Payment;
}

export interface Payment {
  readonly transaction_id: string;
  readonly bank_type: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly time: number;
  /** What the user paid, in fen: less than the order where coupons paid the rest. */
  readonly payer_total: number;
}

/** An order that has been paid, whatever became of it afterwards. */
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

/** Called when an order is paid; returns the key of the notification that it sends. */
type PaidListener = (order: PaidOrder) => string | undefined;

/** The orders of all merchants, which several products share. An order of v2 is not seen by v3, nor the other way round. */
export function createOrders({ store, clock }: ProductContext) {
  const table = store.table<Order>('orders', {
    indexes: {
      transaction_id: ({ payment }) => payment?.transaction_id,
      paid_on: ({ mchid, payment }) => payment && keyOf(mchid, beijing(payment.time).slice(0, 10)),
      prepay_id: ({ prepay_id }) => prepay_id,
      code_url: ({ code_url }) => code_url,
      combine: ({ mchid, combine_out_trade_no: number }) => number && keyOf(mchid, number),
    },
  });
  const paidListeners: PaidListener[] = [];

  function put(order: Order): Order {
    table.put(keyOfOrder(order), order);
    return order;
  }

  return {
    table,
    put,
    /** By the merchant's number. */
    find: (mchid: string, protocol: Protocol, out_trade_no: string): Order | undefined =>
      table.get(keyOfOrder({ mchid, protocol, out_trade_no })),
    /** By WeChat Pay's number; it is unique. */
    findPaid: (mchid: string, transaction_id: string): Order | undefined =>
      table.by('transaction_id', transaction_id).find((order) => order.mchid === mchid),
    change: (order: Order, changes: Partial<Order>): Order => put({ ...order, ...changes }),
    /** Says what is to happen when an order is paid: the product that placed it notifies. */
    onPaid: (listener: PaidListener) => void paidListeners.push(listener),
    /**
     * Plays the payer.
     * @returns the order and the key of its notification
     * @throws InvalidArgumentError where the order cannot be paid
     */
    pay(
      order: Order,
      { openid = order.openid, bank_type = 'OTHERS' }: { openid?: string | undefined; bank_type?: string },
    ): {
      order: Order;
      notified: string | undefined;
    } {
      if (order.trade_state !== 'NOTPAY' && order.trade_state !== 'USERPAYING') {
        throw new InvalidArgumentError(`The order ${order.out_trade_no} cannot be paid: it is ${order.trade_state}.`);
      }
      const time = clock.now();
      const payment = { transaction_id: transactionId(order, time), bank_type, time, payer_total: order.total };
      const paid = { ...order, trade_state: 'SUCCESS' as const, ...(openid !== undefined && { openid }), payment };
      put(paid);
      const [notified] = paidListeners.flatMap((listener) => listener(paid) ?? []);
      return { order: paid, notified };
    },
  };
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
function transactionId({ profit_sharing }: Order, time: number): string {
  const date = new Date(time + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
  return `${profit_sharing ? '43' : '42'}00${digits(6)}${date}${digits(10)}`;
}
