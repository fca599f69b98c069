import { type V2Fault, v2Fault } from '../wire/response';
import { type Ledger, ownerOf, reversalMovements } from './ledger';
import { digits } from './members';
import { keyOfOrder, type Order, type Orders } from './orders';
import type { Product, ProductContext } from './product';
import { createCodes, openidOf, outcomeOf, TYPING, UNKNOWN } from './v2-codes';
import { type Fields, feeOf, isSame, orderOf, partnerOf, placedWith, xmlOperation } from './v2-members';
import { expiryOf, paidPart } from './v2-payments';

/** The task of a user who was asked for the password. */
const PASSWORD = 'v2.password';

/** How long after the payment an order cannot be reversed yet, and how long it can, in milliseconds. */
const [REVERSIBLE_AFTER, REVERSIBLE_UNTIL] = [15_000, 7 * 86_400_000];

/**
 * Payments by code of v2 (付款码支付): paid at once, without a notification. The last digits of the code say what else is
 * to happen: see {@link outcomeOf}.
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011937125
 */
export function v2CodePayments(context: ProductContext, orders: Orders, ledger: Ledger): Product {
  const { clock, schedule } = context;
  const codes = createCodes(context);

  schedule.on(PASSWORD, (key) => {
    const order = orders.table.get(key);
    if (order?.trade_state !== 'USERPAYING') return;
    const { auth_code = '' } = placedWith(order);
    const { later } = outcomeOf(auth_code, order.total);
    if (later === 'pay') orders.pay(order, {});
    if (later === 'cancel') orders.decline(order, 'fail');
  });

  /** Places an order, or takes up one that has failed before. */
  function place(mchid: string, xml: Fields, before: Order | undefined, trade_state: Order['trade_state']): Order {
    const { sign: _, ...placed } = xml;
    const { appid = '', out_trade_no = '', auth_code = '', body: description = '', attach, fee_type, sub_appid } = xml;
    const openid = openidOf(appid, auth_code);
    const partner = partnerOf({ ...xml, sub_openid: sub_appid ? openidOf(sub_appid, auth_code) : '' });
    if (before) return orders.change(before, { placed, trade_state, openid, ...partner });
    const now = clock.now();
    return orders.place({
      ...{ mchid, protocol: 'v2', out_trade_no, placed, trade_type: 'MICROPAY', trade_state, appid, ...partner },
      ...{
        description,
        ...(attach && { attach }),
        total: feeOf(xml, 'total_fee'),
        currency: fee_type || 'CNY',
        openid,
      },
      // It has none, since nobody opens it.
      ...{ prepay_id: `code/${digits(28)}`, profit_sharing: xml.profit_sharing === 'Y' },
      ...{ created: now, expires: expiryOf(xml.time_expire, now) },
    });
  }

  function micropay(mchid: string, xml: Fields) {
    const { out_trade_no = '', auth_code = '' } = xml;
    const total = feeOf(xml, 'total_fee');
    expiryOf(xml.time_expire, clock.now());
    const before = orders.find(mchid, 'v2', out_trade_no);
    if (before) checkRepeated(before, xml);
    codes.check(mchid, auth_code);
    const { pays, leaves = 'NOTPAY', later, fault } = outcomeOf(auth_code, total);
    codes.use(mchid, auth_code, out_trade_no);
    const order = place(mchid, xml, before, leaves);
    if (later) schedule.at(clock.now() + TYPING, PASSWORD, keyOfOrder(order));
    const { payment } = pays ? orders.pay(order, {}).order : order;
    if (!payment || fault) throw v2Fault(...(fault ?? UNKNOWN));
    return paidPart({ ...order, payment });
  }

  return {
    routes: [
      xmlOperation('v2/pay/micropay', ({ mchid, xml }) => {
        const paid = micropay(mchid, xml);
        return xml.device_info ? { device_info: xml.device_info, ...paid } : paid;
      }),
      xmlOperation('v2/secapi/pay/reverse', ({ mchid, xml }) => {
        const order = orderOf(orders, mchid, xml);
        // No code for this is documented for `reverse` but this one (?).
        if (!order) throw again('N', v2Fault('INVALID_TRANSACTIONID', '无效transaction_id'));
        if (order.trade_state !== 'REVOKED') {
          checkReversible(order, clock.now());
          // What was paid goes back to the user.
          ledger.book(ownerOf(order), ...reversalMovements(order));
          orders.change(order, { trade_state: 'REVOKED' });
        }
        return { recall: 'N' };
      }),
      xmlOperation('v2/tools/authcodetoopenid', ({ mchid, xml }) => {
        const { appid = '', sub_appid, auth_code = '' } = xml;
        codes.check(mchid, auth_code);
        codes.see(mchid, auth_code);
        const openid = openidOf(appid, auth_code);
        return sub_appid ? { openid, sub_openid: openidOf(sub_appid, auth_code) } : { openid };
      }),
    ],
  };
}

/** Refuses what repeats an order, unless another code may pay it. */
function checkRepeated(before: Order, xml: Fields): void {
  const { trade_state, trade_type, payment, total } = before;
  if (trade_state === 'REVOKED') throw v2Fault('ORDERREVERSED', '订单已撤销');
  if (trade_state === 'CLOSED') throw v2Fault('ORDERCLOSED', '订单已关闭');
  if (payment) throw v2Fault('ORDERPAID', '订单已支付');
  const placed = placedWith(before);
  if (trade_type !== 'MICROPAY' || !isSame(placed, xml, 'auth_code')) {
    throw v2Fault('OUT_TRADE_NO_USED', '商户订单号重复');
  }
  if (placed.auth_code === xml.auth_code) {
    const { fault, later } = outcomeOf(xml.auth_code ?? '', total);
    const isOver = trade_state !== 'USERPAYING' && (later !== undefined || fault?.[0] === 'USERPAYING');
    throw isOver || !fault ? v2Fault('TRADE_ERROR', '用户没有输入支付密码') : v2Fault(...fault);
  }
  // Another code may be another user's.
  if (trade_state === 'USERPAYING') throw v2Fault('BUYER_MISMATCH', '支付帐号错误');
}

function checkReversible({ trade_state, trade_type, payment, created }: Order, now: number): void {
  if (trade_type !== 'MICROPAY') {
    throw again('N', v2Fault('INVALID_REQUEST', 'Only payments by code can be reversed; close or refund this order.'));
  }
  if (trade_state === 'REFUND') {
    throw again('N', v2Fault('TRADE_ERROR', 'The order has been refunded; refund the rest of it.'));
  }
  const since = now - (payment?.time ?? created);
  if (since >= REVERSIBLE_UNTIL) throw again('N', v2Fault('REVERSE_EXPIRE', '订单无法撤销'));
  if (since >= REVERSIBLE_AFTER) return;
  if (trade_state === 'USERPAYING') throw again('Y', v2Fault('USERPAYING', '用户支付中，需要输入密码'));
  if (payment) throw again('Y', v2Fault('TRADE_ERROR', 'An order can be reversed 15 seconds after the payment.'));
}

/** @param recall whether to call again */
function again(recall: 'Y' | 'N', fault: V2Fault): V2Fault & { readonly recall: string } {
  return { ...fault, recall };
}
