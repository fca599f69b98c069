import { operation } from '../catalogue/operation';
import type { Delivery, Notifier } from '../notifications/notify';
import type { Verb } from '../routes';
import type { Handler } from '../wire/request';
import { BY_ID, BY_NUMBER, CLOSE, createOrders, NATIVE } from './orders';
import { createRefunds, REFUND, REFUNDS } from './refunds';

/** The native payments of one sandbox, and their refunds. */
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
      operation('post', NATIVE, orders.place),
      operation('get', BY_NUMBER, orders.byNumber),
      operation('get', BY_ID, orders.byId),
      operation('post', CLOSE, orders.close),
      operation('post', REFUNDS, refunds.ask),
      operation('get', REFUND, refunds.byNumber),
    ],
    pay: orders.pay,
    settle: refunds.settle,
    clear() {
      orders.clear();
      refunds.clear();
    },
  };
}
