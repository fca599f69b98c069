import { operation } from '../catalogue/operation';
import { fault } from '../wire/response';
import { byNumber, noOrder, ownOrder, subOrder } from './finding';
import { type Ledger, ownerOf, reversalMovements } from './ledger';
import { digits, fen } from './members';
import { type Order, type Orders, VALID_FOR } from './orders';
import { checkNumber, checkSigner, fingerprint, isRepeated, otherParameters, refuseSettled } from './placing';
import type { Product, ProductContext } from './product';
import { partnerTransactionOf, transactionOf } from './transaction';

/** What the bodies of both operations have in common. */
interface Body {
  readonly out_trade_no: string;
  readonly description: string;
  readonly amount: { readonly total: number; readonly currency?: string | undefined };
  readonly payer: { readonly auth_code: string };
  readonly attach?: string | undefined;
  readonly settle_info?: { readonly profit_sharing?: boolean | undefined } | undefined;
  readonly goods_tag?: string | undefined;
  readonly scene_info?: { readonly device_id?: string | undefined } | undefined;
}

/** From more than 1,000 yuan on, in fen, the user must type a password (?): the sandbox needs a rule that tests can use. */
const WITHOUT_PASSWORD = 100_000;

/** Payment codes of APIv3 (付款码支付): paid at once, without a notification. */
export function codePayments({ clock }: ProductContext, orders: Orders, ledger: Ledger): Product {
  function pay(mchid: string, json: Body, who: Pick<Order, 'appid' | 'partner'>): Order {
    const { out_trade_no, description, attach, amount, payer, settle_info, scene_info, goods_tag } = json;
    checkNumber(out_trade_no);
    const total = fen(amount, 'total');
    if (!/^1[0-5]\d{16}$/.test(payer?.auth_code)) {
      throw fault(400, 'AUTH_CODE_INVALID', '请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)');
    }
    const now = clock.now();
    const placed = fingerprint(json);
    const before = orders.find(mchid, 'v3', out_trade_no);
    if (before) return again(before, placed, now);
    const needsPassword = total > WITHOUT_PASSWORD;
    const order = orders.place({
      ...{ mchid, protocol: 'v3', out_trade_no, placed, trade_type: 'MICROPAY', ...who },
      ...{ trade_state: needsPassword ? 'USERPAYING' : 'NOTPAY', description, ...(attach !== undefined && { attach }) },
      // It has none, since nobody opens it.
      ...{ total, currency: amount.currency ?? 'CNY', prepay_id: `code/${digits(28)}` },
      ...(goods_tag !== undefined && { goods_tag }),
      ...(scene_info?.device_id !== undefined && { device_id: scene_info.device_id }),
      ...{ profit_sharing: settle_info?.profit_sharing === true, created: now, expires: now + VALID_FOR },
    });
    return needsPassword ? order : orders.pay(order, {}).order;
  }

  function again(order: Order, placed: string, now: number): Order {
    if (!isRepeated(order, placed, 'MICROPAY')) throw otherParameters();
    if (!order.payment || order.trade_state === 'REVOKED') refuseSettled(order, now);
    return order;
  }

  function reverse(order: Order | undefined): void {
    if (!order) throw noOrder();
    if (order.trade_type !== 'MICROPAY') {
      throw fault(400, 'INVALID_REQUEST', 'Only orders of payment codes can be reversed; close or refund this one.');
    }
    if (order.trade_state === 'REVOKED') return;
    // What was paid goes back to the user.
    ledger.book(ownerOf(order), ...reversalMovements(order));
    orders.change(order, { trade_state: 'REVOKED' });
  }

  return {
    routes: [
      operation('post', 'v3/pay/transactions/codepay', ({ mchid, json }) => {
        checkSigner(json.mchid, mchid);
        return transactionOf(paid(pay(mchid, json, { appid: json.appid })));
      }),
      operation('post', 'v3/pay/partner/transactions/codepay', ({ mchid, json }) => {
        checkSigner(json.sp_mchid, mchid);
        const { sp_appid: appid = '', sub_mchid, sub_appid } = json;
        const order = pay(mchid, json, { appid, partner: { sub_mchid, sub_appid } });
        return partnerTransactionOf(subOrder(paid(order), sub_mchid));
      }),
      operation('post', 'v3/pay/transactions/out-trade-no/{out_trade_no}/reverse', ({ mchid, variables, json }) => {
        checkSigner(json.mchid, mchid);
        const order = byNumber(orders, mchid, variables.out_trade_no);
        reverse(order && ownOrder(order));
        return { appid: json.appid, mchid, out_trade_no: variables.out_trade_no ?? '' };
      }),
      operation('post', 'v3/pay/partner/transactions/out-trade-no/{out_trade_no}/reverse', (request) => {
        const { mchid, variables, json } = request;
        checkSigner(json.sp_mchid, mchid);
        const order = byNumber(orders, mchid, variables.out_trade_no);
        reverse(order && subOrder(order, json.sub_mchid));
        return { sp_mchid: mchid, sub_mchid: json.sub_mchid, out_trade_no: variables.out_trade_no ?? '' };
      }),
    ],
  };
}

/** Of an order that is not paid yet, says what it waits for. */
function paid(order: Order): Order {
  if (order.payment) return order;
  if (order.trade_state === 'USERPAYING') throw fault(202, 'USERPAYING', '需要用户输入支付密码');
  throw fault(403, 'TRADE_ERROR', '用户没有输入支付密码');
}
