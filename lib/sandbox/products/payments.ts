import { isDeepStrictEqual } from 'node:util';
import { nonce } from '../../signature/formatter';
import { operation } from '../catalogue/operation';
import { fault, paramError } from '../wire/response';
import { beijing, digits, fen, notifyUrl, optional, required } from './members';
import { DESCRIPTIONS, type Order, type Orders, type PaidOrder } from './orders';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const NATIVE = 'v3/pay/transactions/native';
const BY_NUMBER = 'v3/pay/transactions/out-trade-no/{out_trade_no}';
const BY_ID = 'v3/pay/transactions/id/{transaction_id}';
const CLOSE = 'v3/pay/transactions/out-trade-no/{out_trade_no}/close';

/** How long an order can be paid where it does not say: 7 days, in milliseconds. */
const VALID_FOR = 7 * 86_400_000;

/** Payments of APIv3. @see https://pay.weixin.qq.com/doc/v3/merchant/4012791832 */
export function payments({ clock, notifier }: ProductContext, orders: Orders): Product {
  const known = (order: Order | undefined): Order => {
    if (!order) throw fault(404, 'ORDER_NOT_EXIST', '订单不存在');
    return order;
  };

  orders.onPaid((order) => {
    const { mchid, protocol, notify_url } = order;
    if (protocol !== 'v3' || notify_url === undefined) return undefined;
    const content = { ...transactionOf(order), ...paidPart(order) };
    return notifier.notify({ kind: 'merchant', id: mchid }, 'TRANSACTION.SUCCESS', content, notify_url);
  });

  return {
    routes: [
      operation('post', NATIVE, ({ mchid, json }) => {
        const names = ['appid', 'mchid', 'description', 'out_trade_no', 'notify_url'] as const;
        const { appid, out_trade_no, notify_url, description, ...body } = required(json, ...names);
        checkMerchant('body', body.mchid, mchid);
        const { amount } = json as { amount?: { currency?: string } };
        const total = fen(amount, 'total');
        const before = orders.find(mchid, 'v3', out_trade_no);
        if (before) return { code_url: placedAgain(before, json).code_url ?? '' };
        const code_url = `weixin://wxpay/bizpayurl?pr=${nonce(11)}`;
        const created = clock.now();
        orders.put({
          ...{ mchid, protocol: 'v3', out_trade_no, placed: json, trade_type: 'NATIVE', trade_state: 'NOTPAY' },
          ...{ appid, description, ...optional(json, 'attach'), notify_url: notifyUrl(notify_url) },
          ...{ total, currency: amount?.currency ?? 'CNY', prepay_id: `wx${digits(34)}`, code_url },
          ...{ profit_sharing: false, created, expires: created + VALID_FOR },
        });
        return { code_url };
      }),
      operation('get', BY_NUMBER, ({ mchid, variables: { out_trade_no = '' }, query }) => {
        checkMerchant('query', query.get('mchid'), mchid);
        return transactionOf(known(orders.find(mchid, 'v3', out_trade_no)));
      }),
      operation('get', BY_ID, ({ mchid, variables: { transaction_id = '' }, query }) => {
        checkMerchant('query', query.get('mchid'), mchid);
        return transactionOf(known(orders.findPaid(mchid, transaction_id)));
      }),
      operation('post', CLOSE, ({ mchid, variables: { out_trade_no = '' }, json }): undefined => {
        checkMerchant('body', required(json, 'mchid').mchid, mchid);
        const order = known(orders.find(mchid, 'v3', out_trade_no));
        refuseSettled(order);
        orders.change(order, { trade_state: 'CLOSED' });
      }),
    ],
  };
}

/** An order as queries show it. */
export function transactionOf(order: Order) {
  const { appid, mchid, out_trade_no, trade_state, total, currency, payment } = order;
  const common = { appid, mchid, out_trade_no, trade_state, trade_state_desc: DESCRIPTIONS[trade_state] };
  return payment
    ? { ...common, ...paidPart({ ...order, payment }) }
    : { ...common, amount: { total, payer_currency: currency } };
}

/** What a payment adds to an order, as queries and notifications show it. */
function paidPart({ attach = '', trade_type, total, currency, openid = '', payment }: PaidOrder) {
  const { transaction_id, bank_type, time, payer_total } = payment;
  const amount = { total, currency, payer_total, payer_currency: currency };
  return { attach, trade_type, transaction_id, bank_type, success_time: beijing(time), payer: { openid }, amount };
}

function checkMerchant(location: 'body' | 'query', mchid: string | null, signer: string): void {
  if (mchid === signer) return;
  const issue = `must be ${signer}, the merchant that signed the request`;
  throw paramError(location, 'mchid', mchid === null ? 'is missing' : issue, mchid ?? undefined);
}

function placedAgain(order: Order, json: unknown): Order {
  refuseSettled(order);
  if (isDeepStrictEqual(order.placed, json)) return order;
  throw fault(400, 'INVALID_REQUEST', '请求重入时，参数与首次请求时不一致');
}

function refuseSettled({ trade_state }: Order): void {
  if (trade_state === 'CLOSED') throw fault(400, 'ORDER_CLOSED', '订单已关闭');
  if (trade_state !== 'NOTPAY') throw fault(400, 'ORDERPAID', '该订单已支付');
}
