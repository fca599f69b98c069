import { isDeepStrictEqual } from 'node:util';
import { InvalidArgumentError } from '../../errors';
import type { ResponseOf } from '../../openapi/operation';
import { nonce } from '../../signature/formatter';
import type { HandlerOf } from '../catalogue/operation';
import type { Delivery, Notifier } from '../notifications/notify';
import { fault, paramError } from '../wire/response';
import { beijing, digits, fen, notifyUrl, optional, required } from './members';

/** The paths of its operations. */
export const NATIVE = 'v3/pay/transactions/native';
export const BY_NUMBER = 'v3/pay/transactions/out-trade-no/{out_trade_no}';
export const BY_ID = 'v3/pay/transactions/id/{transaction_id}';
export const CLOSE = 'v3/pay/transactions/out-trade-no/{out_trade_no}/close';

/** An order of a native payment, paid or not. */
export interface Order {
  /** What it was placed with. */
  readonly placed: unknown;
  readonly code_url: string;
  readonly notify_url: string;
  /** As queries and notifications show it. */
  readonly transaction: Transaction;
}

type Shown =
  | ('appid' | 'mchid' | 'out_trade_no' | 'attach' | 'trade_state_desc')
  // These are there once it is paid.
  | ('transaction_id' | 'trade_type' | 'bank_type' | 'success_time' | 'payer');

type Transaction = Pick<ResponseOf<typeof BY_NUMBER, 'get'>, Shown> & {
  readonly trade_state: keyof typeof STATES;
  readonly amount: { readonly total: number; readonly currency: string };
};

/** The native payments of one sandbox. */
export interface Orders {
  readonly place: HandlerOf<typeof NATIVE, 'post'>;
  readonly byNumber: HandlerOf<typeof BY_NUMBER, 'get'>;
  readonly byId: HandlerOf<typeof BY_ID, 'get'>;
  readonly close: HandlerOf<typeof CLOSE, 'post'>;
  /** Plays the payer. @throws InvalidArgumentError where there is nothing to pay */
  pay(out_trade_no: string, openid: string): Promise<Delivery>;
  /** By WeChat Pay's number, or else by the merchant's. */
  find(transaction_id?: string, out_trade_no?: string): Order | undefined;
  /** Money of it goes back. */
  refund(order: Order): void;
  clear(): void;
}

const STATES = { NOTPAY: '订单未支付', SUCCESS: '支付成功', REFUND: '转入退款', CLOSED: '订单已关闭' };

const REQUIRED = ['appid', 'mchid', 'description', 'out_trade_no', 'notify_url'] as const;

/** Why an order of that state can neither be placed nor closed again. */
const SETTLED: Partial<Record<keyof typeof STATES, string>> = {
  SUCCESS: 'ORDERPAID',
  REFUND: 'ORDERPAID',
  CLOSED: 'ORDER_CLOSED',
};

/**
 * @param mchid the merchant
 * @param clock the time now, in milliseconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791877
 */
export function createOrders(mchid: string, clock: () => number, { notify }: Notifier): Orders {
  const orders = new Map<string, Order>();

  function change(order: Order, trade_state: keyof typeof STATES, more: Partial<Transaction> = {}): Order {
    const transaction = { ...order.transaction, trade_state, trade_state_desc: STATES[trade_state], ...more };
    const changed = { ...order, transaction };
    orders.set(transaction.out_trade_no, changed);
    return changed;
  }

  function checkMerchant(location: 'body' | 'query', given: unknown): void {
    if (given !== mchid) throw paramError(location, 'mchid', `is not ${mchid}, which has signed`, given);
  }

  function known(order: Order | undefined): Order {
    if (order) return order;
    throw fault(404, 'ORDER_NOT_EXIST', 'There is no such order.');
  }

  const byId = (id: string | undefined) =>
    [...orders.values()].find(({ transaction }) => id !== undefined && transaction.transaction_id === id);

  return {
    place({ json }) {
      const { out_trade_no, notify_url, appid, ...own } = required(json, ...REQUIRED);
      checkMerchant('body', own.mchid);
      if (!/^[\w\-|*]{6,32}$/.test(out_trade_no)) {
        throw paramError('body', 'out_trade_no', 'must be 6 to 32 letters, digits or any of _-|*', out_trade_no);
      }
      const before = orders.get(out_trade_no);
      if (before) return placedAgain(before, json);
      const { amount } = json as { amount?: { currency?: string } };
      const order: Order = {
        placed: json,
        code_url: `weixin://wxpay/bizpayurl?pr=${nonce(11)}`,
        notify_url: notifyUrl(notify_url),
        transaction: {
          ...{ appid, mchid, out_trade_no, ...optional(json, 'attach') },
          trade_state: 'NOTPAY',
          trade_state_desc: STATES.NOTPAY,
          amount: { total: fen(amount, 'total'), currency: amount?.currency ?? 'CNY' },
        },
      };
      orders.set(out_trade_no, order);
      return { code_url: order.code_url };
    },
    byNumber({ variables: { out_trade_no = '' }, query }) {
      checkMerchant('query', query.get('mchid'));
      return known(orders.get(out_trade_no)).transaction;
    },
    byId({ variables, query }) {
      checkMerchant('query', query.get('mchid'));
      return known(byId(variables.transaction_id)).transaction;
    },
    close({ variables: { out_trade_no = '' }, json }): undefined {
      checkMerchant('body', required(json, 'mchid').mchid);
      const order = known(orders.get(out_trade_no));
      throwSettled(order);
      change(order, 'CLOSED');
    },
    async pay(out_trade_no, openid) {
      const order = orders.get(out_trade_no);
      const state = order?.transaction.trade_state;
      if (!order || state !== 'NOTPAY') {
        throw new InvalidArgumentError(`The order ${out_trade_no} cannot be paid: ${state ?? 'there is none'}.`);
      }
      const { total, currency } = order.transaction.amount;
      const payment = {
        transaction_id: `4200${digits(24)}`,
        trade_type: 'NATIVE',
        bank_type: 'OTHERS',
        success_time: beijing(clock()),
        payer: { openid },
        amount: { total, currency, payer_total: total, payer_currency: currency },
      };
      const { notify_url, transaction } = change(order, 'SUCCESS', payment);
      return notify('TRANSACTION.SUCCESS', { ...transaction, ...payment }, notify_url);
    },
    find: (transaction_id, out_trade_no = '') =>
      transaction_id === undefined ? orders.get(out_trade_no) : byId(transaction_id),
    refund: (order) => void change(order, 'REFUND'),
    clear: () => orders.clear(),
  };
}

function placedAgain(order: Order, json: unknown): { code_url: string } {
  throwSettled(order);
  if (isDeepStrictEqual(order.placed, json)) return { code_url: order.code_url };
  throw fault(403, 'OUT_TRADE_NO_USED', `${order.transaction.out_trade_no} has placed another order.`);
}

function throwSettled({ transaction: { out_trade_no, trade_state } }: Order): void {
  const code = SETTLED[trade_state];
  if (code) throw fault(400, code, `The order ${out_trade_no} is ${trade_state}.`);
}
