import type { Delivery, Notifier } from './notify';
import { createOrders } from './orders';
import { createRefunds } from './refunds';
import type { Handler } from './request';
import type { Verb } from './routes';

/** The native payments of one simulator, and their refunds. */
export interface Payments {
  readonly handlers: readonly [verb: Verb, path: string, handler: Handler][];
  /** Plays the payer. @throws InvalidArgumentError where there is nothing to pay */
  pay(out_trade_no: string, openid: string): Promise<Delivery>;
  /** Has the money of all refunds under way arrive. */
  settle(): void;
  clear(): void;
}

/**
 * @param mchid the merchant
 * @param clock the time now, in milliseconds since 1970
 */
export function createPayments(mchid: string, clock: () => number, notifier: Notifier): Payments {
  const orders = createOrders(mchid, clock, notifier);
  const refunds = createRefunds(mchid, orders, clock, notifier);
  return {
    handlers: [
      ['post', 'v3/pay/transactions/native', orders.place],
      ['get', 'v3/pay/transactions/out-trade-no/{out_trade_no}', orders.byNumber],
      ['get', 'v3/pay/transactions/id/{transaction_id}', orders.byId],
      ['post', 'v3/pay/transactions/out-trade-no/{out_trade_no}/close', orders.close],
      ['post', 'v3/refund/domestic/refunds', refunds.ask],
      ['get', 'v3/refund/domestic/refunds/{out_refund_no}', refunds.byNumber],
    ],
    pay: orders.pay,
    settle: refunds.settle,
    clear() {
      orders.clear();
      refunds.clear();
    },
  };
}
