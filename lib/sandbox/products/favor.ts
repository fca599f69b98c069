import type { Response } from 'undici';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf, type Table } from '../store';
import { paramError } from '../wire/param-error';
import { fault } from '../wire/response';
import { beijing, digits, notifyUrl } from './members';
import { createOnce, type Given, given, pageOf } from './once';
import type { Order, Orders, PaidOrder, Promotion } from './orders';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const CREATE = 'v3/marketing/favor/coupon-stocks';
const STOCKS = 'v3/marketing/favor/stocks';
const STOCK = 'v3/marketing/favor/stocks/{stock_id}';
const START = 'v3/marketing/favor/stocks/{stock_id}/start';
const PAUSE = 'v3/marketing/favor/stocks/{stock_id}/pause';
const RESTART = 'v3/marketing/favor/stocks/{stock_id}/restart';
const STOP = 'v3/marketing/favor/stocks/{stock_id}/stop';
const OF_USER = 'v3/marketing/favor/users/{openid}/coupons';
const ONE = 'v3/marketing/favor/users/{openid}/coupons/{coupon_id}';
const CALLBACKS = 'v3/marketing/favor/callbacks';

/** A stock (批次) of cash coupons. */
interface Stock {
  readonly mchid: string;
  readonly stock_id: string;
  readonly rule: Given<RequestOf<typeof CREATE, 'post'>['json']>;
  readonly status: 'unactivated' | 'running' | 'paused' | 'stoped';
  readonly create_time: string;
  readonly start_time?: string;
  readonly stop_time?: string;
  readonly distributed: number;
  /** The total value of the coupons sent, in fen. */
  readonly spent: number;
  /** The part of that on one day. */
  readonly today: { readonly day: string; readonly spent: number };
}

/** A cash coupon of a user. */
interface CashCoupon {
  /** The merchant that created the stock. */
  readonly mchid: string;
  readonly openid: string;
  readonly stock_id: string;
  readonly coupon_id: string;
  readonly out_request_no: string;
  readonly status: 'SENDED' | 'USED' | 'EXPIRED';
  readonly create_time: string;
  readonly available_begin_time: string;
  readonly available_end_time: string;
  /** Its discount, in fen. */
  readonly amount: number;
  /** The minimum amount of the order, in fen. */
  readonly minimum: number;
  readonly consumed?: { readonly time: string; readonly mchid: string; readonly transaction_id: string };
}

/** The task that expires a coupon. */
const EXPIRE = 'favor.expire';

/**
 * Cash coupons (代金券). A user pays an APIv3 order with the coupon of the greatest discount; coupons that
 * give a percentage or an exchange price can be sent, but have no effect.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012463617
 */
export function cashCoupons({ store, clock, schedule, notifier }: ProductContext, orders: Orders): Product {
  const stocks: Table<Stock> = store.table('favor-stocks', { indexes: { creator: ({ mchid }: Stock) => mchid } });
  const coupons = store.table<CashCoupon>('favor-coupons', {
    indexes: {
      openid: ({ openid }) => openid,
      userOfStock: ({ stock_id, openid }) => `${stock_id}/${openid}`,
    },
  });
  const callbacks = store.table<{ readonly notify_url: string }>('favor-callbacks');
  const creations = createOnce<ResponseOf<typeof CREATE, 'post'>>(store, 'favor-creations');
  const sends = createOnce<ResponseOf<typeof OF_USER, 'post'>>(store, 'favor-sends');

  const put = (stock: Stock): void => stocks.put(keyOf(stock.mchid, stock.stock_id), stock);

  /** @throws a 403 if another merchant created it, a 404 if it does not exist */
  function find(signer: string, creator: string, stock_id: string): Stock {
    const stock = stocks.get(keyOf(creator, stock_id));
    if (!stock) throw fault(404, 'RESOURCE_NOT_EXISTS', `The merchant ${creator} has no stock ${stock_id}.`);
    if (creator !== signer) throw blocked(`The stock ${stock_id} is not one of the merchant ${signer}.`);
    return stock;
  }

  /** Moves a stock to another state; returns when. */
  function move(stock: Stock, from: readonly Stock['status'][], to: Stock['status']): string {
    const { stock_id, status } = stock;
    if (!from.includes(status)) throw invalid(`The stock ${stock_id} is ${status}, not ${from.join(' or ')}.`);
    const time = beijing(clock.now());
    const isFirst = status === 'unactivated';
    put({ ...stock, status: to, ...(isFirst && { start_time: time }), ...(to === 'stoped' && { stop_time: time }) });
    return time;
  }

  schedule.on(EXPIRE, (key) => {
    const coupon = coupons.get(key);
    if (coupon?.status === 'SENDED') coupons.put(key, { ...coupon, status: 'EXPIRED' });
  });

  /** Refuses to send a coupon of a stock that is not running, or has none left. */
  function checkSendable({ stock_id, status, rule, distributed, spent, today }: Stock, openid: string, amount: number) {
    const { max_coupons, max_amount, max_amount_by_day = max_amount, max_coupons_per_user } = rule.stock_use_rule;
    const now = clock.now();
    if (status !== 'running')
      throw invalid(`The stock ${stock_id} is ${status}: coupons are sent while it is running.`);
    if (Date.parse(rule.available_begin_time) > now) throw invalid(`The stock ${stock_id} has not started.`);
    if (Date.parse(rule.available_end_time) <= now) throw invalid(`The stock ${stock_id} has ended.`);
    const ofToday = today.day === dayOf(now) ? today.spent : 0;
    if (distributed >= max_coupons || spent + amount > max_amount || ofToday + amount > max_amount_by_day) {
      throw fault(403, 'NOT_ENOUGH', `The budget of the stock ${stock_id} is used up.`);
    }
    if (coupons.by('userOfStock', `${stock_id}/${openid}`).length >= max_coupons_per_user) {
      throw blocked(`The user ${openid} has ${max_coupons_per_user} coupons of the stock ${stock_id} already.`);
    }
  }

  function send(stock: Stock, openid: string, json: Given<RequestOf<typeof OF_USER, 'post'>['json']>) {
    const { mchid, stock_id, rule } = stock;
    const { fixed_normal_coupon, coupon_available_time } = rule.coupon_use_rule;
    const { coupon_value: amount = fixed_normal_coupon?.coupon_amount ?? 0 } = json;
    const { coupon_minimum: minimum = fixed_normal_coupon?.transaction_minimum ?? 0 } = json;
    checkSendable(stock, openid, amount);
    const now = clock.now();
    const coupon_id = digits(10);
    const { available_time_after_receive: minutes } = coupon_available_time ?? {};
    const stockEnd = Date.parse(rule.available_end_time);
    const end = minutes === undefined ? stockEnd : Math.min(stockEnd, now + minutes * 60_000);
    coupons.put(keyOf(mchid, coupon_id), {
      ...{ mchid, openid, stock_id, coupon_id, out_request_no: json.out_request_no, status: 'SENDED', amount, minimum },
      ...{ create_time: beijing(now), available_begin_time: beijing(now), available_end_time: beijing(end) },
    });
    const day = dayOf(now);
    const today = { day, spent: (stock.today.day === day ? stock.today.spent : 0) + amount };
    put({ ...stock, distributed: stock.distributed + 1, spent: stock.spent + amount, today });
    schedule.at(end, EXPIRE, keyOf(mchid, coupon_id));
    return { coupon_id };
  }

  /** Whether a coupon applies to an order. */
  function fits({ mchid, stock_id, status, amount, minimum, available_begin_time }: CashCoupon, order: Order): boolean {
    const rule = stocks.get(keyOf(mchid, stock_id))?.rule.coupon_use_rule;
    const { available_merchants = [mchid], goods_tag } = rule ?? {};
    const isInTime = status === 'SENDED' && Date.parse(available_begin_time) <= clock.now();
    const isMeant =
      available_merchants.includes(order.mchid) && (!goods_tag || goods_tag.some((one) => one === order.goods_tag));
    return isInTime && isMeant && amount > 0 && amount < order.total && minimum <= order.total;
  }

  orders.onPaying((order, openid) => {
    if (order.protocol !== 'v3') return [];
    const usable = coupons.by('openid', openid).filter((coupon) => fits(coupon, order));
    const [best] = usable.sort((one, other) => other.amount - one.amount);
    const rule = best && stocks.get(keyOf(best.mchid, best.stock_id))?.rule;
    return best && rule ? [promotionOf(best, rule)] : [];
  });

  orders.onPaid((order) => {
    for (const { coupon_id } of order.payment.promotions ?? []) {
      const coupon = coupons.by('openid', order.openid ?? '').find((one) => one.coupon_id === coupon_id);
      if (coupon) consume(coupon, order);
    }
    return undefined;
  });

  function consume(coupon: CashCoupon, { mchid: payee, payment }: PaidOrder): void {
    const { transaction_id } = payment;
    const time = beijing(payment.time);
    const after: CashCoupon = { ...coupon, status: 'USED', consumed: { time, mchid: payee, transaction_id } };
    coupons.put(keyOf(coupon.mchid, coupon.coupon_id), after);
    const url = callbacks.get(keyOf(coupon.mchid, 'callback'))?.notify_url;
    if (url === undefined) return;
    const { consume_information: _, ...shown } = show(after);
    const consumed = { consume_time: time, consume_mchid: payee, transaction_id, consume_amount: coupon.amount };
    const content = { ...shown, consume_information: { ...consumed, goods_detail: [] } };
    notifier.notify({ kind: 'merchant', id: coupon.mchid }, 'COUPON.USE', content, url);
  }

  function show(coupon: CashCoupon) {
    const { mchid, stock_id, coupon_id, status, create_time, available_begin_time, available_end_time } = coupon;
    const { amount: coupon_amount, minimum: transaction_minimum, consumed } = coupon;
    const rule = stocks.get(keyOf(mchid, stock_id))?.rule;
    return {
      ...{ stock_creator_mchid: mchid, stock_id, coupon_id, coupon_name: rule?.stock_name ?? '', status },
      ...{ description: rule?.pattern_info?.description ?? '', create_time, coupon_type: 'NORMAL' as const },
      ...{ no_cash: rule?.no_cash ?? false, singleitem: false, available_begin_time, available_end_time },
      normal_coupon_information: { coupon_amount, transaction_minimum },
      ...(consumed && {
        consume_information: {
          ...{ consume_time: consumed.time, consume_mchid: consumed.mchid, transaction_id: consumed.transaction_id },
        },
      }),
    };
  }

  return {
    routes: [
      operation('post', CREATE, ({ mchid, json }) =>
        creations(mchid, json.out_request_no, json, () => {
          const rule = given(json);
          if (!(Date.parse(rule.available_end_time) > Date.parse(rule.available_begin_time))) {
            throw paramError('body', '/available_end_time', 'is not later than available_begin_time');
          }
          const [stock_id, create_time] = [digits(8), beijing(clock.now())];
          const nothing = { distributed: 0, spent: 0, today: { day: '', spent: 0 } };
          put({ mchid, stock_id, rule, status: 'unactivated', create_time, ...nothing });
          return { stock_id, create_time };
        }),
      ),
      operation('get', STOCKS, ({ mchid, query }) => {
        if (query.get('stock_creator_mchid') !== mchid)
          throw blocked(`The merchant ${mchid} sees its own stocks only.`);
        const [from, to] = ['create_start_time', 'create_end_time'].map((name) => query.get(name));
        const found = stocks.by('creator', mchid).filter(({ status, create_time }) => {
          const created = Date.parse(create_time);
          const isInTime = created >= (from ? Date.parse(from) : 0) && created <= (to ? Date.parse(to) : Infinity);
          return isInTime && status === (query.get('status') ?? status);
        });
        const { data, ...page } = pageOf(found, query, 10);
        return { ...page, data: data.map(showStock) };
      }),
      operation('get', STOCK, ({ mchid, variables: { stock_id = '' }, query }) =>
        showStock(find(mchid, query.get('stock_creator_mchid') ?? mchid, stock_id)),
      ),
      operation('post', START, ({ mchid, variables: { stock_id = '' }, json }) => {
        const start_time = move(find(mchid, json.stock_creator_mchid, stock_id), ['unactivated'], 'running');
        return { start_time, stock_id };
      }),
      operation('post', PAUSE, ({ mchid, variables: { stock_id = '' }, json }) => {
        const pause_time = move(find(mchid, json.stock_creator_mchid, stock_id), ['running'], 'paused');
        return { pause_time, stock_id };
      }),
      operation('post', RESTART, ({ mchid, variables: { stock_id = '' }, json }) => {
        const restart_time = move(find(mchid, json.stock_creator_mchid, stock_id), ['paused'], 'running');
        return { restart_time, stock_id };
      }),
      operation('post', STOP, ({ mchid, variables: { stock_id = '' }, json }) => {
        const stock = find(mchid, json.stock_creator_mchid, stock_id);
        return { stop_time: move(stock, ['unactivated', 'running', 'paused'], 'stoped'), stock_id };
      }),

      operation('post', OF_USER, ({ mchid, variables: { openid = '' }, json }) =>
        sends(mchid, json.out_request_no, { ...json, openid }, () =>
          send(find(mchid, json.stock_creator_mchid, json.stock_id), openid, given(json)),
        ),
      ),
      operation('get', OF_USER, ({ mchid, variables: { openid = '' }, query }) => {
        const asked = (name: string, value: string) => (query.get(name) ?? value) === value;
        const found = coupons.by('openid', openid).filter((coupon) => {
          const isOwn = coupon.mchid === mchid && asked('creator_mchid', mchid) && asked('sender_mchid', mchid);
          return isOwn && asked('stock_id', coupon.stock_id) && asked('status', coupon.status);
        });
        const { data, ...page } = pageOf(found, query);
        return { ...page, data: data.map(show) };
      }),
      operation('get', ONE, ({ mchid, variables: { openid = '', coupon_id = '' } }) => {
        const coupon = coupons.get(keyOf(mchid, coupon_id));
        if (coupon?.openid === openid) return show(coupon);
        throw fault(404, 'RESOURCE_NOT_EXISTS', `The user ${openid} has no coupon ${coupon_id}.`);
      }),

      operation('post', CALLBACKS, ({ mchid: signer, json: { mchid, notify_url } }) => {
        if (mchid !== signer) throw blocked(`The merchant ${signer} cannot set the callback of ${mchid}.`);
        callbacks.put(keyOf(mchid, 'callback'), { notify_url: notifyUrl(notify_url) });
        return { update_time: beijing(clock.now()), notify_url };
      }),
      operation('get', CALLBACKS, ({ mchid: signer, query }) => {
        const mchid = query.get('mchid') ?? signer;
        const callback = mchid === signer ? callbacks.get(keyOf(mchid, 'callback')) : undefined;
        if (!callback) throw fault(404, 'RESOURCE_NOT_EXISTS', `The merchant ${mchid} has set no callback.`);
        return { mchid, ...callback };
      }),
    ],
  };
}

function promotionOf({ coupon_id, stock_id, amount }: CashCoupon, rule: Stock['rule']): Promotion {
  return {
    ...{ coupon_id, name: rule.stock_name, scope: 'GLOBAL', type: rule.no_cash ? 'NOCASH' : 'CASH', amount, stock_id },
    ...{ wechatpay_contribute: 0, merchant_contribute: amount },
    ...{ other_contribute: 0, currency: 'CNY' },
  };
}

function showStock({ mchid, stock_id, rule, status, create_time, distributed, start_time, stop_time }: Stock) {
  const { stock_name, available_begin_time, available_end_time, no_cash, stock_type, comment = '' } = rule;
  const { max_coupons, max_amount, max_amount_by_day = max_amount, max_coupons_per_user } = rule.stock_use_rule;
  const { fixed_normal_coupon, goods_tag, trade_type, combine_use } = rule.coupon_use_rule;
  return {
    ...{ stock_id, stock_creator_mchid: mchid, stock_name, status, create_time, no_cash, stock_type },
    ...{ description: rule.pattern_info?.description ?? comment, available_begin_time, available_end_time },
    ...{ distributed_coupons: distributed, singleitem: false },
    stock_use_rule: {
      ...{ max_coupons, max_amount, max_amount_by_day, max_coupons_per_user, coupon_type: 'NORMAL' as const },
      ...(fixed_normal_coupon && { fixed_normal_coupon }),
      ...(goods_tag && { goods_tag }),
      ...(trade_type && { trade_type }),
      ...(combine_use !== undefined && { combine_use }),
    },
    ...(start_time !== undefined && { start_time }),
    ...(stop_time !== undefined && { stop_time }),
  };
}

/** A day in Beijing. */
function dayOf(time: number): string {
  return beijing(time).slice(0, 10);
}

function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}

function blocked(message: string): Response {
  return fault(403, 'REQUEST_BLOCKED', message);
}
