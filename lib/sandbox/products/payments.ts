import { operation } from '../catalogue/operation';
import { paramError } from '../wire/param-error';
import { byId, byNumber, noOrder, ownOrder, subOrder } from './finding';
import { linksTo } from './links';
import { fen } from './members';
import type { Order, Orders } from './orders';
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
import type { Product, ProductContext } from './product';
import {
  isPartnerOrder,
  paidPartnerTransactionOf,
  paidTransactionOf,
  partnerTransactionOf,
  transactionOf,
} from './transaction';

/** The common members of bodies that place an order. */
interface Placement {
  readonly goods_tag?: string | undefined;
  readonly out_trade_no: string;
  readonly description: string;
  readonly notify_url?: string | undefined;
  readonly amount: { readonly total: number; readonly currency?: string | undefined };
  readonly attach?: string | undefined;
  readonly time_expire?: string | undefined;
  readonly settle_info?: { readonly profit_sharing?: boolean | undefined } | undefined;
  readonly scene_info?: { readonly device_id?: string | undefined } | undefined;
}

interface OwnPlacement extends Placement {
  readonly mchid: string;
  readonly appid: string;
}

interface PartnerPlacement extends Placement {
  readonly sp_mchid: string;
  readonly sp_appid: string;
  readonly sub_mchid: string;
  readonly sub_appid?: string | undefined;
}

/** Who pays an order of a partner. */
interface Payer {
  readonly sp_openid?: string | undefined;
  readonly sub_openid?: string | undefined;
}

/** A request that places an order. */
interface Placing<Body> {
  readonly mchid: string;
  readonly json: Body;
}

type Who = Pick<Order, 'appid' | 'partner' | 'openid'>;

/** APIv3 payments, of merchants and of partners. @see https://pay.weixin.qq.com/doc/v3/merchant/4012791832 */
export function payments({ clock, notifier }: ProductContext, orders: Orders): Product {
  orders.onPaid((order) => {
    const { mchid, protocol, notify_url, combine_out_trade_no } = order;
    if (protocol !== 'v3' || notify_url === undefined || combine_out_trade_no !== undefined) return undefined;
    const content = isPartnerOrder(order) ? paidPartnerTransactionOf(order) : paidTransactionOf(order);
    return notifier.notify({ kind: 'merchant', id: mchid }, 'TRANSACTION.SUCCESS', content, notify_url);
  });

  function place(trade_type: Order['trade_type'], mchid: string, json: Placement, who: Who): Order {
    const { out_trade_no, description, attach, notify_url, amount, time_expire, settle_info, scene_info } = json;
    const { goods_tag } = json;
    checkNumber(out_trade_no);
    const total = fen(amount, 'total');
    const url = notifiedAt(notify_url);
    const now = clock.now();
    const expires = expiryOf(time_expire, now);
    const placed = fingerprint(json);
    const before = orders.find(mchid, 'v3', out_trade_no);
    if (before) {
      refuseSettled(before, now);
      if (!isRepeated(before, placed, trade_type)) throw otherParameters();
      return orders.change(before, linksTo(trade_type, now));
    }
    const { device_id } = scene_info ?? {};
    return orders.place({
      ...{ mchid, protocol: 'v3', out_trade_no, placed, trade_type, trade_state: 'NOTPAY', ...who },
      ...{ description, ...(attach !== undefined && { attach }), ...url },
      ...{ total, currency: amount.currency ?? 'CNY', ...linksTo(trade_type, now) },
      ...(goods_tag !== undefined && { goods_tag }),
      ...(device_id !== undefined && { device_id }),
      ...{ profit_sharing: settle_info?.profit_sharing === true, created: now, expires },
    });
  }

  // Every appid is bound to every merchant, so that users can test with their own; every openid exists.
  function placeOwn(trade_type: Order['trade_type'], { mchid, json }: Placing<OwnPlacement>, openid?: string): Order {
    checkSigner(json.mchid, mchid);
    if (trade_type === 'JSAPI' && !openid) throw noOpenid('/payer/openid');
    return place(trade_type, mchid, json, { appid: json.appid, ...(openid !== undefined && { openid }) });
  }

  function placeForSub(
    trade_type: Order['trade_type'],
    { mchid, json }: Placing<PartnerPlacement>,
    { sp_openid: openid, sub_openid }: Payer = {},
  ): Order {
    checkSigner(json.sp_mchid, mchid, '/sp_mchid');
    const { sp_appid: appid, sub_mchid, sub_appid } = json;
    if (trade_type === 'JSAPI' && !(openid ?? sub_openid)) throw noOpenid('/payer/sp_openid');
    if (sub_openid !== undefined && sub_appid === undefined) {
      throw paramError('body', '/sub_appid', 'is required with payer.sub_openid');
    }
    const partner = { sub_mchid, sub_appid, sub_openid };
    return place(trade_type, mchid, json, { appid, partner, ...(openid !== undefined && { openid }) });
  }

  function close(order: Order | undefined): void {
    if (order && isToClose(order)) orders.change(order, { trade_state: 'CLOSED' });
  }

  return {
    routes: [
      operation('post', 'v3/pay/transactions/native', (request) => codeUrl(placeOwn('NATIVE', request))),
      operation('post', 'v3/pay/transactions/jsapi', (request) =>
        prepayId(placeOwn('JSAPI', request, request.json.payer?.openid)),
      ),
      operation('post', 'v3/pay/transactions/app', (request) => prepayId(placeOwn('APP', request))),
      // With a contract to sign: only the payment is simulated.
      operation('post', 'v3/pay/transactions/jsapi-with-contract', (request) =>
        prepayId(placeOwn('JSAPI', request, request.json.payer?.openid)),
      ),
      operation('post', 'v3/pay/transactions/app-with-contract', (request) => prepayId(placeOwn('APP', request))),
      operation('post', 'v3/pay/transactions/h5', (request) => h5Url(placeOwn('MWEB', request))),
      operation('get', 'v3/pay/transactions/out-trade-no/{out_trade_no}', ({ mchid, variables, query }) => {
        checkSigner(query.get('mchid'), mchid, 'mchid');
        return transactionOf(ownOrder(known(byNumber(orders, mchid, variables.out_trade_no))));
      }),
      operation('get', 'v3/pay/transactions/id/{transaction_id}', ({ mchid, variables, query }) => {
        checkSigner(query.get('mchid'), mchid, 'mchid');
        return transactionOf(ownOrder(byId(orders, mchid, variables.transaction_id)));
      }),
      operation(
        'post',
        'v3/pay/transactions/out-trade-no/{out_trade_no}/close',
        ({ mchid, variables, json }): undefined => {
          checkSigner(json.mchid, mchid);
          const order = byNumber(orders, mchid, variables.out_trade_no);
          close(order && ownOrder(order));
        },
      ),
      operation('post', 'v3/pay/partner/transactions/native', (request) => codeUrl(placeForSub('NATIVE', request))),
      operation('post', 'v3/pay/partner/transactions/jsapi', (request) =>
        prepayId(placeForSub('JSAPI', request, request.json.payer)),
      ),
      operation('post', 'v3/pay/partner/transactions/miniprogram', (request) =>
        prepayId(placeForSub('JSAPI', request, request.json.payer)),
      ),
      operation('post', 'v3/pay/partner/transactions/app', (request) => prepayId(placeForSub('APP', request))),
      operation('post', 'v3/pay/partner/transactions/jsapi-with-contract', (request) =>
        prepayId(placeForSub('JSAPI', request, request.json.payer)),
      ),
      operation('post', 'v3/pay/partner/transactions/app-with-contract', (request) =>
        prepayId(placeForSub('APP', request)),
      ),
      operation('post', 'v3/pay/partner/transactions/h5', (request) => h5Url(placeForSub('MWEB', request))),
      operation('get', 'v3/pay/partner/transactions/out-trade-no/{out_trade_no}', ({ mchid, variables, query }) => {
        checkSigner(query.get('sp_mchid'), mchid, 'sp_mchid');
        const order = known(byNumber(orders, mchid, variables.out_trade_no));
        return partnerTransactionOf(subOrder(order, query.get('sub_mchid')));
      }),
      operation('get', 'v3/pay/partner/transactions/id/{transaction_id}', ({ mchid, variables, query }) => {
        checkSigner(query.get('sp_mchid'), mchid, 'sp_mchid');
        return partnerTransactionOf(subOrder(byId(orders, mchid, variables.transaction_id), query.get('sub_mchid')));
      }),
      operation(
        'post',
        'v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close',
        ({ mchid, variables, json }): undefined => {
          checkSigner(json.sp_mchid, mchid, '/sp_mchid');
          const order = byNumber(orders, mchid, variables.out_trade_no);
          close(order && subOrder(order, json.sub_mchid));
        },
      ),
    ],
  };
}

const prepayId = ({ prepay_id }: Order) => ({ prepay_id });
const codeUrl = ({ code_url = '' }: Order) => ({ code_url });
const h5Url = ({ h5_url = '' }: Order) => ({ h5_url });

function known(order: Order | undefined): Order {
  if (!order) throw noOrder();
  return order;
}
