import { beijing } from './members';
import { DESCRIPTIONS, type Order, type PaidOrder } from './orders';

/** An order that a partner placed for another merchant. */
export type PartnerOrder<T extends Order = Order> = T & Required<Pick<Order, 'partner'>>;

export function isPartnerOrder<T extends Order>(order: T): order is PartnerOrder<T> {
  return order.partner !== undefined;
}

/** An order of a merchant as queries show it. */
export function transactionOf(order: Order) {
  return isPaid(order) ? paidTransactionOf(order) : { appid: order.appid, mchid: order.mchid, ...unpaid(order) };
}

/** A paid order of a merchant as queries and notifications show it. */
export function paidTransactionOf(order: PaidOrder) {
  const { appid, mchid, openid = '' } = order;
  return { appid, mchid, ...paid(order), payer: { openid } };
}

/** An order of a partner as queries show it. */
export function partnerTransactionOf(order: PartnerOrder) {
  return isPaid(order) ? paidPartnerTransactionOf(order) : { ...merchants(order), ...unpaid(order) };
}

/** A paid order of a partner as queries and notifications show it. */
export function paidPartnerTransactionOf(order: PartnerOrder<PaidOrder>) {
  const { openid: sp_openid = '', partner } = order;
  const { sub_appid, sub_openid = sp_openid } = partner;
  // With the merchant's own appid, the user has an openid there, too.
  const payer = { sp_openid, ...(sub_appid !== undefined && { sub_openid }) };
  return { ...merchants(order), ...paid(order), payer };
}

function isPaid<T extends Order>(order: T): order is T & PaidOrder {
  return order.payment !== undefined;
}

function merchants({ appid: sp_appid, mchid: sp_mchid, partner: { sub_mchid, sub_appid } }: PartnerOrder) {
  return { sp_appid, sp_mchid, sub_mchid, ...(sub_appid !== undefined && { sub_appid }) };
}

function unpaid(order: Order) {
  const { total, currency, device_id = '' } = order;
  return { ...state(order), amount: { payer_currency: currency, total }, scene_info: { device_id } };
}

function paid(order: PaidOrder) {
  const { trade_type, attach = '', total, currency, device_id, payment } = order;
  const { transaction_id, bank_type, time, payer_total } = payment;
  return {
    ...{ ...state(order), attach, bank_type, trade_type, transaction_id, success_time: beijing(time) },
    amount: { currency, payer_currency: currency, payer_total, total },
    ...(device_id !== undefined && { scene_info: { device_id } }),
  };
}

function state({ out_trade_no, trade_state, payment }: Order) {
  return {
    out_trade_no,
    promotion_detail: [...(payment?.promotions ?? [])],
    trade_state,
    trade_state_desc: DESCRIPTIONS[trade_state],
  };
}
