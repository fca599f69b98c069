import { v2Fault } from '../wire/response';
import { linksTo } from './links';
import { DESCRIPTIONS, type Order, type Orders, type PaidOrder, VALID_FOR } from './orders';
import type { Product, ProductContext } from './product';
import {
  digitsOf,
  type Fields,
  feeOf,
  isSame,
  type OwnFields,
  orderOf,
  partnerOf,
  placedWith,
  refusal,
  timeOf,
  xmlOperation,
} from './v2-members';

/** What opens a payment in a front end, by `trade_type`. */
const TRADE_TYPES = ['NATIVE', 'JSAPI', 'APP', 'MWEB'] as const;

const [MINUTE, DAY] = [60_000, 86_400_000];

/** v2 payments. @see https://pay.weixin.qq.com/doc/v2/merchant/4011935214 */
export function v2Payments({ clock, notifier }: ProductContext, orders: Orders): Product {
  orders.onPaid((order) => {
    const { mchid, protocol, notify_url } = order;
    if (protocol !== 'v2' || notify_url === undefined) return undefined;
    const content = { appid: order.appid, ...subMerchant(order), ...paidPart(order), ...algorithmOf(order) };
    return notifier.notify({ kind: 'merchant', id: mchid }, 'v2/transaction-success', content, notify_url);
  });

  function place(mchid: string, xml: Fields): Order {
    const { sign: _, ...placed } = xml;
    const { appid = '', out_trade_no = '', body: description = '', attach, fee_type, openid } = xml;
    const trade_type = tradeTypeOf(xml);
    const total = feeOf(xml, 'total_fee');
    const notify_url = notifyUrl(xml.notify_url);
    const now = clock.now();
    const expires = expiryOf(xml.time_expire, now);
    const before = orders.find(mchid, 'v2', out_trade_no);
    if (before) {
      refuseSettled(before);
      if (isSame(placedWith(before), placed)) return orders.change(before, linksTo(trade_type, now));
      throw v2Fault('INVALID_REQUEST', '201 商户订单号重复');
    }
    return orders.place({
      ...{ mchid, protocol: 'v2', out_trade_no, placed, trade_type, trade_state: 'NOTPAY', appid, ...partnerOf(xml) },
      ...{ description, ...(attach && { attach }), notify_url, total, currency: fee_type || 'CNY' },
      ...(openid && { openid }),
      ...linksTo(trade_type, now),
      ...{ profit_sharing: xml.profit_sharing === 'Y', created: now, expires },
    });
  }

  return {
    routes: [
      xmlOperation('v2/pay/unifiedorder', ({ mchid, xml }) => {
        const { trade_type, prepay_id, code_url, h5_url: mweb_url } = place(mchid, xml);
        const { device_info } = xml;
        return { ...(device_info && { device_info }), trade_type, prepay_id, ...defined({ code_url, mweb_url }) };
      }),
      xmlOperation('v2/pay/orderquery', ({ mchid, xml }) => {
        const order = orderOf(orders, mchid, xml);
        if (!order) throw v2Fault('ORDERNOTEXIST', '此交易订单号不存在');
        return orderFields(order);
      }),
      xmlOperation('v2/pay/closeorder', ({ mchid, xml }) => {
        const order = orderOf(orders, mchid, { ...xml, transaction_id: '' });
        if (!order) throw v2Fault('ORDERNOTEXIST', '订单不存在');
        refuseSettled(order);
        if (order.trade_type === 'MICROPAY') {
          throw v2Fault('TRADE_STATE_ERROR', '当前交易不允许进行普通关单（只能撤销）');
        }
        orders.change(order, { trade_state: 'CLOSED' });
        return { result_msg: 'OK' };
      }),
    ],
  };
}

/** An order as a query shows it. */
export function orderFields(order: Order): OwnFields<'v2/pay/orderquery'> {
  const { out_trade_no, trade_state, total, payment } = order;
  const { device_info = '' } = placedWith(order);
  const state = { trade_state, trade_state_desc: DESCRIPTIONS[trade_state] };
  // One that was not paid has neither `openid` nor `transaction_id`.
  return payment
    ? { device_info, ...paidPart({ ...order, payment }), ...state }
    : { device_info, total_fee: `${total}`, out_trade_no, ...state };
}

/** What a payment added to an order, as queries, notifications and payments by code show it. */
export function paidPart(order: PaidOrder) {
  const { out_trade_no, trade_type, total, currency, openid = '', partner, attach = '', payment } = order;
  const { transaction_id, bank_type, time, payer_total } = payment;
  const less = total - payer_total;
  return {
    ...{ openid, is_subscribe: 'N', trade_type, bank_type, total_fee: feeText(total), fee_type: currency },
    // What coupons paid of it.
    ...(less > 0 && { coupon_fee: feeText(less) }),
    ...{ cash_fee: feeText(payer_total), cash_fee_type: currency, transaction_id, out_trade_no, attach },
    time_end: digitsOf(time),
    ...(partner?.sub_openid !== undefined && { sub_openid: partner.sub_openid, sub_is_subscribe: 'N' }),
  };
}

/** An amount in fen as v2 has it. */
export function feeText(fee: number): `${number}` {
  return `${fee}`;
}

/** The merchant that a partner acts for, as notifications name it. */
export function subMerchant({ partner }: Pick<Order, 'partner'>) {
  if (!partner) return {};
  const { sub_mchid: sub_mch_id, sub_appid } = partner;
  return { ...defined({ sub_appid }), sub_mch_id };
}

/** Notifications are signed with the algorithm of the order, without saying which. */
function algorithmOf(order: Order): { readonly sign_type?: 'HMAC-SHA256' } {
  return placedWith(order).sign_type === 'HMAC-SHA256' ? { sign_type: 'HMAC-SHA256' } : {};
}

/** Refuses what is not possible with an order that is paid, closed or reversed. */
export function refuseSettled({ trade_state, payment }: Order): void {
  if (trade_state === 'REVOKED') throw v2Fault('ORDERCLOSED', '订单已撤销');
  if (trade_state === 'CLOSED') throw v2Fault('ORDERCLOSED', '订单已关闭');
  if (payment) throw v2Fault('ORDERPAID', '该订单已支付');
}

/** When an order expires: at `time_expire`, but not earlier than in a minute, nor later than in 90 days. */
export function expiryOf(time_expire: string | undefined, now: number): number {
  if (!time_expire) return now + VALID_FOR;
  const time = timeOf(time_expire);
  if (time === undefined) throw refusal('time_expire must be a time of Beijing such as 20141030133525');
  return Math.min(Math.max(time, now + MINUTE), now + 90 * DAY);
}

function tradeTypeOf({ trade_type, openid, sub_openid }: Fields): (typeof TRADE_TYPES)[number] {
  const known = TRADE_TYPES.find((type) => type === trade_type);
  if (known === undefined) throw refusal(`trade_type must be one of ${TRADE_TYPES.join(', ')}`);
  if (known === 'JSAPI' && !openid && !sub_openid) throw refusal('JSAPI支付必须传openid');
  return known;
}

/** A URL that notifications can be sent to. WeChat Pay accepts only https, the sandbox http, too. */
export function notifyUrl(url = ''): string {
  if (URL.canParse(url) && /^https?:[^?]+$/i.test(url)) return url;
  throw refusal('invalid notify_url: it must be an absolute http(s) URL without a query');
}

/** The members that have a value. */
function defined<Member extends string>(members: Partial<Record<Member, string | undefined>>) {
  const given = Object.entries<string | undefined>(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Record<Member, string>>;
}
