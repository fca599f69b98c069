import type { Response } from 'undici';
import type { ResponseOf } from '../../openapi/operation';
import { nonce } from '../../signature/formatter';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { paramError } from '../wire/param-error';
import { fault } from '../wire/response';
import { businessCouponStocks, FIRST_STOCK, type Stock } from './busifavor-stocks';
import { beijing } from './members';
import { createOnce, given, pageOf } from './once';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const SEND = 'v3/marketing/busifavor/coupons/send';
const USE = 'v3/marketing/busifavor/coupons/use';
const RETURN = 'v3/marketing/busifavor/coupons/return';
const DEACTIVATE = 'v3/marketing/busifavor/coupons/deactivate';
const ASSOCIATE = 'v3/marketing/busifavor/coupons/associate';
const DISASSOCIATE = 'v3/marketing/busifavor/coupons/disassociate';
const OF_USER = 'v3/marketing/busifavor/users/{openid}/coupons';
const ONE = 'v3/marketing/busifavor/users/{openid}/coupons/{coupon_code}/appids/{appid}';

/** A business coupon, with the names that WeChat Pay gives its members. */
export interface Coupon {
  /** The merchant that sent it. */
  readonly mchid: string;
  readonly coupon_code: string;
  readonly stock_id: string;
  readonly openid: string;
  readonly appid: string;
  /** `SENDED` is WeChat Pay's word. */
  readonly coupon_state: 'SENDED' | 'USED' | 'EXPIRED' | 'DEACTIVATED';
  /** `out_request_no` of the call that sent it. */
  readonly send_request_no: string;
  /** When it was sent, RFC 3339. */
  readonly receive_time: string;
  /** From when it can be used, RFC 3339. */
  readonly available_start_time: string;
  /** Until when it can be used, RFC 3339. */
  readonly expire_time: string;
  /** The order that it is associated with. */
  readonly associate_out_trade_no?: string | undefined;
  /** `use_request_no` of the call that used it. */
  readonly use_request_no?: string | undefined;
  /** When it was used, RFC 3339. */
  readonly wechatpay_use_time?: string | undefined;
  readonly return_request_no?: string;
  readonly return_time?: string;
  readonly deactivate_request_no?: string;
  readonly deactivate_time?: string;
  readonly deactivate_reason?: string;
}

/** The coupon of WeChat Pay's documentation, which exists from the start: any user has it. */
const FIRST: Omit<Coupon, 'mchid'> = {
  ...{ coupon_code: 'sxxe34343434', stock_id: FIRST_STOCK, openid: 'xsd3434454567676', appid: 'wx1234567889999' },
  ...{ coupon_state: 'SENDED', send_request_no: 'sandbox-1', receive_time: '2015-05-20T13:29:35+08:00' },
  ...{ available_start_time: '2015-01-01T00:00:00+08:00', expire_time: '2099-12-31T23:59:59+08:00' },
};

/** The task that expires a coupon. */
const EXPIRE = 'coupon.expire';

const DAY = 86_400_000;

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Business coupons (商家券). @see https://pay.weixin.qq.com/doc/v3/merchant/4012465292 */
export function businessCoupons(context: ProductContext): Product & { coupons(): Iterable<Coupon> } {
  const { store, clock, schedule, identities, notifier } = context;
  const stocks = businessCouponStocks(context);
  const coupons = store.table<Coupon>('coupons', {
    indexes: {
      user: ({ mchid, openid }) => keyOf(mchid, openid),
      userOfStock: ({ mchid, openid, stock_id }) => keyOf(mchid, `${stock_id}/${openid}`),
    },
  });
  const sends = createOnce<ResponseOf<typeof SEND, 'post'>>(store, 'coupon-sends');
  const uses = createOnce<ResponseOf<typeof USE, 'post'>>(store, 'coupon-uses');
  const returns = createOnce<ResponseOf<typeof RETURN, 'post'>>(store, 'coupon-returns');
  const deactivations = createOnce<ResponseOf<typeof DEACTIVATE, 'post'>>(store, 'coupon-deactivations');
  const associations = createOnce<ResponseOf<typeof ASSOCIATE, 'post'>>(store, 'coupon-associations');
  const disassociations = createOnce<ResponseOf<typeof DISASSOCIATE, 'post'>>(store, 'coupon-disassociations');

  const put = (coupon: Coupon): void => coupons.put(keyOf(coupon.mchid, coupon.coupon_code), coupon);

  function find(mchid: string, coupon_code: string, stock_id?: string): Coupon {
    const coupon = coupons.get(keyOf(mchid, coupon_code));
    if (!coupon || (stock_id !== undefined && coupon.stock_id !== stock_id)) {
      const ofStock = stock_id === undefined ? '' : ` of the stock ${stock_id}`;
      throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no coupon ${coupon_code}${ofStock}.`);
    }
    return coupon;
  }

  schedule.on(EXPIRE, (key) => {
    const coupon = coupons.get(key);
    if (coupon?.coupon_state === 'SENDED') coupons.put(key, { ...coupon, coupon_state: 'EXPIRED' });
  });

  function send(stock: Stock, asked: { openid: string; appid: string; out_request_no: string; coupon_code?: string }) {
    const { mchid } = stock;
    const { stock_id, stock_send_rule } = stock.shown;
    const { openid, appid, out_request_no: send_request_no } = asked;
    const held = coupons.by('userOfStock', keyOf(mchid, `${stock_id}/${openid}`)).length;
    if (held >= stock_send_rule.max_coupons_per_user) throw fault(403, 'RULELIMIT', '用户领取券张数已达上限');
    if (asked.coupon_code !== undefined && coupons.get(keyOf(mchid, asked.coupon_code))) {
      throw invalid(`The coupon ${asked.coupon_code} has been sent already.`);
    }
    const coupon_code = stocks.dispatch(stock, asked.coupon_code) ?? nonce(16);
    const { start, end } = validity(stock, clock.now());
    put({
      ...{ mchid, coupon_code, stock_id, openid, appid, coupon_state: 'SENDED', send_request_no },
      ...{ receive_time: beijing(clock.now()), available_start_time: beijing(start), expire_time: beijing(end) },
    });
    stocks.count(stocks.find(mchid, stock_id));
    schedule.at(end, EXPIRE, keyOf(mchid, coupon_code));
    const url = stocks.callback(mchid);
    if (url !== undefined) {
      const content = {
        ...{ event_type: 'EVENT_TYPE_BUSICOUPON_SEND', coupon_code, stock_id, openid, send_merchant: mchid },
        ...{ send_time: beijing(clock.now()), send_channel: 'BUSICOUPON_SEND_CHANNEL_API' },
      };
      notifier.notify({ kind: 'merchant', id: mchid }, 'COUPON.SEND', content, url);
    }
    return { stock_id, coupon_code, out_request_no: send_request_no };
  }

  /** Refuses a coupon that cannot be used now. */
  function checkUsable({ coupon_code, coupon_state, available_start_time }: Coupon): void {
    if (coupon_state === 'USED') throw fault(400, 'RESOURCE_ALREADY_EXISTS', '券已被其他订单核销');
    if (coupon_state === 'EXPIRED') throw fault(403, 'RULELIMIT', '券已过期，不能再进行其他操作');
    if (coupon_state === 'DEACTIVATED') throw invalid(`The coupon ${coupon_code} has been deactivated.`);
    if (Date.parse(available_start_time) > clock.now()) throw fault(403, 'RULELIMIT', '券不在使用有效期');
  }

  function show(coupon: Coupon): ResponseOf<typeof ONE, 'get'> {
    const { mchid, appid: _, wechatpay_use_time: use_time, stock_id, openid: __, ...rest } = coupon;
    const { shown } = stocks.find(mchid, stock_id);
    const { stock_name, belong_merchant, comment, goods_name, stock_type, coupon_use_rule } = shown;
    const { custom_entrance, display_pattern_info, stock_send_rule } = shown;
    const { use_request_no, associate_out_trade_no, ...others } = rest;
    return {
      ...{ stock_name, belong_merchant, goods_name, stock_type, stock_id, ...others },
      coupon_use_rule: given(coupon_use_rule),
      ...(comment !== undefined && { comment }),
      ...(custom_entrance && { custom_entrance }),
      ...(display_pattern_info && { display_pattern_info }),
      ...{ transferable: stock_send_rule.transferable ?? false, shareable: stock_send_rule.shareable ?? false },
      ...(use_request_no !== undefined && { use_request_no }),
      ...(use_time !== undefined && { use_time }),
      ...(associate_out_trade_no !== undefined && { associate_out_trade_no }),
    };
  }

  const routes = [
    operation('post', SEND, ({ mchid, json }) =>
      sends(mchid, json.out_request_no, json, () => {
        const { coupon_code, ...asked } = json;
        return send(stocks.find(mchid, json.stock_id), { ...asked, ...(coupon_code !== undefined && { coupon_code }) });
      }),
    ),

    operation('post', USE, ({ mchid, json }) => {
      const { coupon_code, use_request_no, use_time, openid, out_trade_no, stock_id } = json;
      if (!RFC3339.test(use_time) || Number.isNaN(Date.parse(use_time))) {
        throw paramError('body', '/use_time', 'is not an RFC 3339 time such as 2015-05-20T13:29:35+08:00', use_time);
      }
      // A client that repeats its request may send the time of the repeat.
      return uses(mchid, use_request_no, { ...json, use_time: '' }, () => {
        const coupon = find(mchid, coupon_code, stock_id);
        const { coupon_code_mode } = stocks.find(mchid, coupon.stock_id).shown;
        if (stock_id === undefined && coupon_code_mode !== 'WECHATPAY_MODE') {
          throw paramError('body', '/stock_id', `is missing: the coupon_code_mode is ${coupon_code_mode}`);
        }
        const user = coupon.send_request_no === FIRST.send_request_no ? (openid ?? coupon.openid) : coupon.openid;
        if (openid !== undefined && openid !== user) {
          throw fault(404, 'USER_NOT_EXISTS', `The user ${openid} does not have the coupon ${coupon_code}.`);
        }
        checkUsable(coupon);
        const { associate_out_trade_no: locked } = coupon;
        if (locked !== undefined && out_trade_no !== undefined && out_trade_no !== locked) {
          throw fault(400, 'RESOURCE_ALREADY_EXISTS', '券已被其他订单核销锁定');
        }
        const wechatpay_use_time = beijing(clock.now());
        put({ ...coupon, openid: user, coupon_state: 'USED', use_request_no, wechatpay_use_time });
        return { stock_id: coupon.stock_id, openid: user, wechatpay_use_time };
      });
    }),

    operation('post', RETURN, ({ mchid, json }) => {
      const { coupon_code, stock_id, return_request_no } = json;
      return returns(mchid, return_request_no, json, () => {
        const { use_request_no: _, wechatpay_use_time: __, ...coupon } = find(mchid, coupon_code, stock_id);
        if (coupon.coupon_state !== 'USED') throw invalid(`The coupon ${coupon_code} is ${coupon.coupon_state}.`);
        const wechatpay_return_time = beijing(clock.now());
        const coupon_state = Date.parse(coupon.expire_time) > clock.now() ? 'SENDED' : 'EXPIRED';
        put({ ...coupon, coupon_state, return_request_no, return_time: wechatpay_return_time });
        return { wechatpay_return_time };
      });
    }),

    operation('post', DEACTIVATE, ({ mchid, json }) => {
      const { coupon_code, stock_id, deactivate_request_no, deactivate_reason } = json;
      return deactivations(mchid, deactivate_request_no, json, () => {
        const coupon = find(mchid, coupon_code, stock_id);
        const { coupon_state } = coupon;
        if (coupon_state === 'USED') throw fault(400, 'RESOURCE_ALREADY_EXISTS', '券已被其他订单核销');
        if (coupon_state !== 'SENDED') throw invalid(`The coupon ${coupon_code} is ${coupon_state}.`);
        const wechatpay_deactivate_time = beijing(clock.now());
        put({
          ...{ ...coupon, coupon_state: 'DEACTIVATED', deactivate_request_no },
          ...{ deactivate_time: wechatpay_deactivate_time, ...(deactivate_reason && { deactivate_reason }) },
        });
        return { wechatpay_deactivate_time };
      });
    }),

    operation('post', ASSOCIATE, ({ mchid, json }) => {
      const { coupon_code, stock_id, out_trade_no, out_request_no } = json;
      return associations(mchid, out_request_no, json, () => {
        const coupon = find(mchid, coupon_code, stock_id);
        const { associate_out_trade_no = out_trade_no } = coupon;
        if (associate_out_trade_no !== out_trade_no) {
          throw fault(400, 'RESOURCE_ALREADY_EXISTS', '券已被其他订单核销锁定');
        }
        checkUsable(coupon);
        put({ ...coupon, associate_out_trade_no });
        return { wechatpay_associate_time: beijing(clock.now()) };
      });
    }),

    operation('post', DISASSOCIATE, ({ mchid, json }) => {
      const { coupon_code, stock_id, out_trade_no, out_request_no } = json;
      return disassociations(mchid, out_request_no, json, () => {
        const { associate_out_trade_no, ...coupon } = find(mchid, coupon_code, stock_id);
        if (associate_out_trade_no !== out_trade_no) {
          throw invalid(`The coupon ${coupon_code} is not associated with the order ${out_trade_no}.`);
        }
        if (coupon.coupon_state === 'USED') throw fault(400, 'RESOURCE_ALREADY_EXISTS', '券已被其他订单核销');
        put(coupon);
        return { wechatpay_disassociate_time: beijing(clock.now()) };
      });
    }),

    operation('get', OF_USER, ({ mchid, variables: { openid = '' }, query }) => {
      const asked = (name: string, value: string) => (query.get(name) ?? value) === value;
      const isAsked = ({ stock_id, coupon_state }: Coupon) =>
        asked('stock_id', stock_id) &&
        asked('coupon_state', coupon_state) &&
        asked('belong_merchant', stocks.find(mchid, stock_id).shown.belong_merchant) &&
        asked('creator_merchant', mchid) &&
        asked('sender_merchant', mchid);
      const { data, ...page } = pageOf(coupons.by('user', keyOf(mchid, openid)).filter(isAsked), query);
      return { ...page, data: data.map(show) };
    }),

    operation('get', ONE, ({ mchid, variables: { openid = '', coupon_code = '' } }) => {
      const coupon = find(mchid, coupon_code);
      if (coupon.openid !== openid && coupon.send_request_no !== FIRST.send_request_no) {
        throw fault(404, 'RESOURCE_NOT_EXISTS', `The user ${openid} does not have the coupon ${coupon_code}.`);
      }
      return show(coupon);
    }),
  ];

  return {
    coupons: () => coupons.values(),
    seed() {
      for (const { kind, id } of identities.all()) {
        if (kind !== 'merchant') continue;
        stocks.seed(id);
        if (!coupons.get(keyOf(id, FIRST.coupon_code))) put({ mchid: id, ...FIRST });
      }
    },
    routes: [...stocks.routes, ...routes],
  };
}

/** When a coupon that is sent now can be used, from and to, in milliseconds since 1970. */
function validity({ shown }: Stock, now: number): { start: number; end: number } {
  const time: {
    available_begin_time: string;
    available_end_time: string;
    wait_days_after_receive?: number;
    available_day_after_receive?: number;
    available_second_after_receive?: number;
  } = shown.coupon_use_rule.coupon_available_time;
  const { wait_days_after_receive: wait = 0, available_day_after_receive: days } = time;
  const { available_second_after_receive: seconds } = time;
  const midnight = Date.parse(`${beijing(now).slice(0, 10)}T00:00:00+08:00`);
  const start = Math.max(Date.parse(time.available_begin_time), wait > 0 ? midnight + wait * DAY : now);
  const ends = [Date.parse(time.available_end_time)];
  // Calendar days, including the first.
  if (days !== undefined) ends.push(midnight + (wait + days) * DAY - 1000);
  if (seconds !== undefined) ends.push(start + seconds * 1000);
  return { start, end: Math.min(...ends) };
}

function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}
