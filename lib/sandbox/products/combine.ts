import { isDeepStrictEqual } from 'node:util';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { paramError } from '../wire/param-error';
import { fault } from '../wire/response';
import { noOrder } from './finding';
import { type Links, linksTo } from './links';
import { beijing, fen } from './members';
import { keyOfOrder, type Order, type Orders, type PaidOrder, type Paying, transactionId } from './orders';
import {
  checkNumber,
  checkSigner,
  expiryOf,
  fingerprint,
  isRepeated,
  isToClose,
  noOpenid,
  notifiedAt,
  otherParameters,
  refuseSettled,
} from './placing';
import type { ProductContext } from './product';

/** A combined order: one payment for orders of several merchants, which are paid and closed. */
export interface Combined extends Links {
  /** Who placed it: `combine_mchid`. */
  readonly mchid: string;
  readonly combine_out_trade_no: string;
  readonly combine_appid: string;
  /** The request that placed it, for comparison with a repeated one; also without its settlement. */
  readonly placed: string;
  readonly unsettled: string;
  readonly trade_type: Order['trade_type'];
  /** The keys of its orders, in the order of the request. */
  readonly parts: readonly string[];
  readonly notify_url?: string;
  readonly device_id?: string;
  readonly created: number;
  readonly expires: number;
  /** WeChat Pay's number of it, once it is paid. */
  readonly combine_transaction_id?: string;
}

/** The common members of bodies that place a combined order. */
interface Placement {
  readonly combine_appid: string;
  readonly combine_mchid: string;
  readonly combine_out_trade_no: string;
  readonly sub_orders: readonly Part[];
  readonly scene_info?: { readonly device_id?: string | undefined } | undefined;
  readonly time_expire?: string | undefined;
  readonly notify_url?: string | undefined;
}

interface Part {
  readonly mchid: string;
  readonly out_trade_no: string;
  readonly description: string;
  readonly amount: { readonly total_amount: number; readonly currency?: string | undefined };
  readonly attach?: string | undefined;
  readonly sub_mchid?: string | undefined;
  readonly sub_appid?: string | undefined;
  readonly settle_info?: { readonly profit_sharing?: boolean | undefined } | undefined;
}

interface Payer {
  readonly openid?: string | undefined;
  readonly sub_openid?: string | undefined;
}

/** The members that say how an order is settled. */
const SETTLEMENT = ['settle_info', 'profit_sharing'];

/** Combined payments (合单支付) of APIv3. @see https://pay.weixin.qq.com/doc/v3/merchant/4012556933 */
export function combinedPayments({ store, clock, notifier }: ProductContext, orders: Orders) {
  const table = store.table<Combined>('combined', {
    indexes: {
      number: ({ combine_out_trade_no: number }) => number,
      prepay_id: ({ prepay_id }) => prepay_id,
      combine_transaction_id: ({ combine_transaction_id }) => combine_transaction_id,
    },
  });

  const find = (mchid: string, number = ''): Combined | undefined => table.get(keyOf(mchid, number));

  const partsOf = ({ parts }: Combined): Order[] => parts.flatMap((key) => orders.table.get(key) ?? []);

  /** The order with the number of a part, unless its combined order has been reset. */
  function earlier(mchid: string, out_trade_no: string): Order | undefined {
    const order = orders.find(mchid, 'v3', out_trade_no);
    const { combine_mchid, combine_out_trade_no: whole } = order ?? {};
    return combine_mchid !== undefined && !find(combine_mchid, whole) ? undefined : order;
  }

  function placeAgain(
    before: Combined,
    { placed, unsettled, trade_type }: Pick<Combined, 'placed' | 'unsettled' | 'trade_type'>,
    now: number,
  ): Combined {
    const parts = partsOf(before);
    for (const part of parts) refuseSettled(part, now);
    if (!isRepeated(before, placed, trade_type)) {
      throw before.unsettled === unsettled && before.trade_type === trade_type
        ? fault(400, 'INVALID_REQUEST', '重复下单且结算信息不一致')
        : otherParameters();
    }
    const links = linksTo(trade_type, now, true);
    for (const part of parts) orders.change(part, links);
    return put({ ...before, ...links });
  }

  function put(combined: Combined): Combined {
    table.put(keyOf(combined.mchid, combined.combine_out_trade_no), combined);
    return combined;
  }

  function place(
    trade_type: Order['trade_type'],
    { mchid, json }: { readonly mchid: string; readonly json: Placement },
    { openid, sub_openid }: Payer = {},
  ): Combined {
    const { combine_appid, combine_out_trade_no, sub_orders, scene_info, time_expire } = json;
    checkSigner(json.combine_mchid, mchid, '/combine_mchid');
    checkNumber(combine_out_trade_no, '/combine_out_trade_no', '合单商户订单号');
    checkParts(sub_orders);
    if (trade_type === 'JSAPI' && !(openid ?? sub_openid)) throw noOpenid('/combine_payer_info/openid');
    const url = notifiedAt(json.notify_url);
    const now = clock.now();
    const expires = expiryOf(time_expire, now);
    const request = { placed: fingerprint(json), unsettled: fingerprint(json, ...SETTLEMENT), trade_type };
    const before = find(mchid, combine_out_trade_no);
    if (before) return placeAgain(before, request, now);
    for (const part of sub_orders) {
      const used = earlier(part.mchid, part.out_trade_no);
      if (used) refuseSettled(used, now);
      if (used) throw fault(400, 'INVALID_REQUEST', '201 商户订单号重复');
    }
    const { device_id } = scene_info ?? {};
    const scene = {
      ...(device_id !== undefined && { device_id }),
    };
    const links = linksTo(trade_type, now, true);
    const parts = sub_orders.map(({ mchid: own, out_trade_no, description, attach, amount, ...part }) =>
      orders.place({
        ...{ mchid: own, protocol: 'v3', out_trade_no, placed: undefined, trade_type, trade_state: 'NOTPAY' },
        ...{ appid: combine_appid, combine_mchid: mchid, combine_out_trade_no, description, ...links, ...scene },
        ...(attach !== undefined && { attach }),
        ...(openid !== undefined && { openid }),
        ...(part.sub_mchid !== undefined && {
          partner: { sub_mchid: part.sub_mchid, sub_appid: part.sub_appid, sub_openid },
        }),
        ...{ total: amount.total_amount, currency: amount.currency ?? 'CNY' },
        ...{ profit_sharing: part.settle_info?.profit_sharing === true, created: now, expires },
      }),
    );
    return put({
      ...{ mchid, combine_out_trade_no, combine_appid, ...request, parts: parts.map(keyOfOrder) },
      ...{ ...links, ...url, ...(device_id !== undefined && { device_id }), created: now, expires },
    });
  }

  /**
   * Plays the payer: all of its orders are paid, with one notification.
   * @throws InvalidArgumentError if it cannot be paid
   */
  function pay(combined: Combined, how: Paying): string | undefined {
    const parts = partsOf(combined);
    for (const part of parts) orders.checkPayable(part, how.openid);
    const paid = parts.map((part) => orders.settle(part, how).order);
    put({ ...combined, combine_transaction_id: transactionId(clock.now()) });
    const { mchid, notify_url } = combined;
    if (notify_url === undefined) return undefined;
    const content = { ...common(combined), sub_orders: paid.map(paidPart), combine_payer_info: payerOf(paid) };
    return notifier.notify({ kind: 'merchant', id: mchid }, 'TRANSACTION.SUCCESS', content, notify_url);
  }

  function shown(combined: Combined) {
    const parts = partsOf(combined);
    const payer = parts.some(({ payment }) => payment) && { combine_payer_info: payerOf(parts) };
    const { combine_transaction_id: id } = combined;
    return {
      ...{ ...common(combined), ...(id !== undefined && { combine_transaction_id: id }) },
      ...{ sub_orders: parts.map(partOf), ...payer },
    };
  }

  return {
    table,
    find,
    partsOf,
    pay,
    /** A combined order as queries show it. */
    shown,
    /** Plays a user who does not pay. @throws InvalidArgumentError if it could not be paid */
    decline(combined: Combined, outcome: 'cancel' | 'fail'): void {
      for (const part of partsOf(combined)) orders.decline(part, outcome);
    },
    /** The state of all of its orders; once paid, each may be refunded on its own. */
    stateOf: (combined: Combined): Order['trade_state'] => partsOf(combined)[0]?.trade_state ?? 'CLOSED',
    routes: [
      operation('post', 'v3/combine-transactions/native', (request) => {
        const { code_url = '' } = place('NATIVE', request);
        return { code_url };
      }),
      operation('post', 'v3/combine-transactions/jsapi', (request) => {
        const { prepay_id } = place('JSAPI', request, request.json.combine_payer_info);
        return { prepay_id };
      }),
      operation('post', 'v3/combine-transactions/miniprogram', (request) => {
        const { prepay_id } = place('JSAPI', request, request.json.combine_payer_info);
        return { prepay_id };
      }),
      operation('post', 'v3/combine-transactions/app', (request) => {
        const { prepay_id } = place('APP', request);
        return { prepay_id };
      }),
      operation('post', 'v3/combine-transactions/h5', (request) => {
        const { h5_url = '' } = place('MWEB', request);
        return { h5_url };
      }),
      operation('get', 'v3/combine-transactions/out-trade-no/{combine_out_trade_no}', ({ mchid, variables }) => {
        const combined = find(mchid, variables.combine_out_trade_no);
        if (!combined) throw noOrder();
        return shown(combined);
      }),
      operation('get', 'v3/combine-transactions/id/{combine_transaction_id}', ({ mchid, variables }) => {
        const { combine_transaction_id = '' } = variables;
        const combined = table
          .by('combine_transaction_id', combine_transaction_id)
          .find((found) => found.mchid === mchid);
        if (!combined) throw noOrder();
        const { sub_orders, ...whole } = shown(combined);
        // The operation is one of payments to persons, whose authorization a combined order of merchants lacks (?).
        const parts = sub_orders.map((part) => ({ ...part, individual_auth_id: '' }));
        return { ...whole, combine_transaction_id, sub_orders: parts };
      }),
      operation(
        'post',
        'v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close',
        ({ mchid, variables, json }): undefined => {
          const combined = find(mchid, variables.combine_out_trade_no);
          // As with single orders, unknown ones can be closed.
          if (!combined) return;
          if (json.combine_appid !== combined.combine_appid) {
            throw fault(400, 'APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配');
          }
          const parts = partsOf(combined);
          const named = json.sub_orders.map((part) => `${part.mchid}/${part.out_trade_no}`);
          const wanted = parts.map((part) => `${part.mchid}/${part.out_trade_no}`);
          if (!isDeepStrictEqual(named.sort(), wanted.sort())) {
            throw fault(400, 'INVALID_REQUEST', 'sub_orders: must be exactly the orders that were combined');
          }
          for (const part of parts.filter(isToClose)) orders.change(part, { trade_state: 'CLOSED' });
        },
      ),
    ],
  };
}

export type CombinedPayments = ReturnType<typeof combinedPayments>;

function checkParts(parts: readonly Part[]): void {
  // A partner may combine more, or only one.
  const [least, most] = parts.some(({ sub_mchid }) => sub_mchid !== undefined) ? [1, 50] : [2, 10];
  if (parts.length < least || parts.length > most) {
    throw paramError('body', '/sub_orders', `must be ${least} to ${most} orders`, parts.length);
  }
  for (const [index, { out_trade_no, amount }] of parts.entries()) {
    checkNumber(out_trade_no, `/sub_orders/${index}/out_trade_no`);
    fen(amount, 'total_amount', `/sub_orders/${index}/amount`);
  }
  const numbers = new Set(parts.map(({ mchid, out_trade_no }) => keyOf(mchid, out_trade_no)));
  if (numbers.size < parts.length) throw fault(400, 'INVALID_REQUEST', '201 商户订单号重复');
}

function common({ combine_appid, mchid, combine_out_trade_no, device_id = '' }: Combined) {
  return { combine_appid, combine_mchid: mchid, combine_out_trade_no, scene_info: { device_id } };
}

function payerOf([first]: readonly Order[]) {
  return { openid: first?.openid ?? '' };
}

function partOf(order: Order) {
  const { payment, mchid, out_trade_no, trade_state, total, currency } = order;
  if (payment) return paidPart({ ...order, payment });
  // Documented as required; nothing has been paid yet (?).
  const amount = { total_amount: total, currency, payer_amount: 0, payer_currency: currency };
  return { mchid, ...subMerchant(order), out_trade_no, trade_state, amount };
}

function paidPart(order: PaidOrder) {
  const { mchid, out_trade_no, trade_type, attach = '', total, currency, payment } = order;
  const { transaction_id, bank_type, time, payer_total } = payment;
  return {
    ...{ mchid, ...subMerchant(order), out_trade_no, transaction_id, trade_type, trade_state: order.trade_state },
    ...{ bank_type, attach, success_time: beijing(time) },
    amount: { total_amount: total, currency, payer_amount: payer_total, payer_currency: currency },
  };
}

function subMerchant({ partner, openid = '', payment }: Order) {
  if (!partner) return {};
  const { sub_mchid, sub_appid, sub_openid = openid } = partner;
  if (sub_appid === undefined) return { sub_mchid };
  return { sub_mchid, sub_appid, ...(payment && { sub_openid }) };
}
