import type { Response } from 'undici';
import type { ResponseOf } from '../../openapi/operation';
import { nonce } from '../../signature/formatter';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { fault, paramError } from '../wire/response';
import { beijing, optional, required } from './members';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const SEND = 'v3/marketing/busifavor/coupons/send';
const USE = 'v3/marketing/busifavor/coupons/use';

/** A business coupon, with the names that WeChat Pay gives its members. */
export interface Coupon {
  /** The merchant that handed it out. */
  readonly mchid: string;
  readonly coupon_code: string;
  readonly stock_id: string;
  readonly openid: string;
  readonly appid: string;
  /** `SENDED` is WeChat Pay's word. */
  readonly coupon_state: 'SENDED' | 'USED';
  /** `out_request_no` of the call that handed it out. */
  readonly send_request_no: string;
  /** `use_request_no` of the call that used it. */
  readonly use_request_no?: string;
  /** When it was used, RFC 3339. */
  readonly wechatpay_use_time?: string;
}

/** The coupon of WeChat Pay's documentation, which a new sandbox has handed out already. */
const FIRST: Omit<Coupon, 'mchid'> = {
  coupon_code: 'sxxe34343434',
  stock_id: '100088',
  openid: 'xsd3434454567676',
  appid: 'wx1234567889999',
  coupon_state: 'SENDED',
  send_request_no: 'sandbox-1',
};

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Business coupons. @see https://pay.weixin.qq.com/doc/v3/merchant/4012465292 */
export function businessCoupons({
  store,
  clock,
  identities,
}: ProductContext): Product & { coupons(): Iterable<Coupon> } {
  const coupons = store.table<Coupon>('coupons', {
    indexes: {
      send_request_no: ({ mchid, send_request_no }) => keyOf(mchid, send_request_no),
      use_request_no: ({ mchid, use_request_no }) => use_request_no && keyOf(mchid, use_request_no),
    },
  });

  return {
    coupons: () => coupons.values(),
    seed() {
      for (const { kind, id } of identities.all()) {
        const key = keyOf(id, FIRST.coupon_code);
        if (kind === 'merchant' && !coupons.get(key)) coupons.put(key, { mchid: id, ...FIRST });
      }
    },
    routes: [
      operation('post', SEND, ({ mchid, json }) => {
        const { openid, appid, stock_id, out_request_no } = required(
          json,
          'openid',
          'appid',
          'stock_id',
          'out_request_no',
        );
        const given = optional(json, 'coupon_code');
        const before = coupons.by('send_request_no', keyOf(mchid, out_request_no))[0];
        if (before) {
          const again = { coupon_code: before.coupon_code, stock_id, openid, appid, ...given };
          if (!sameMembers(before, again)) throw invalid(`out_request_no ${out_request_no} has sent another coupon.`);
          return sent(before);
        }
        const { coupon_code = nonce(16) } = given;
        if (coupons.get(keyOf(mchid, coupon_code))) throw invalid(`The coupon ${coupon_code} has been sent already.`);
        const coupon: Coupon = {
          mchid,
          coupon_code,
          stock_id,
          openid,
          appid,
          coupon_state: 'SENDED',
          send_request_no: out_request_no,
        };
        coupons.put(keyOf(mchid, coupon_code), coupon);
        return sent(coupon);
      }),

      operation('post', USE, ({ mchid, json }) => {
        const { coupon_code, use_time, use_request_no } = required(
          json,
          'coupon_code',
          'appid',
          'use_time',
          'use_request_no',
        );
        const given = optional(json, 'stock_id', 'openid');
        if (!RFC3339.test(use_time) || Number.isNaN(Date.parse(use_time))) {
          throw paramError('body', 'use_time', 'is no RFC 3339 time such as 2015-05-20T13:29:35+08:00', use_time);
        }
        const coupon = coupons.get(keyOf(mchid, coupon_code));
        if (!coupon) throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no coupon ${coupon_code}.`);
        for (const name of ['stock_id', 'openid'] as const) {
          const value = given[name];
          if (value !== undefined && value !== coupon[name]) {
            throw paramError('body', name, `is not that of the coupon ${coupon_code}`, value);
          }
        }
        const before = coupons.by('use_request_no', keyOf(mchid, use_request_no))[0];
        if (before && before.coupon_code !== coupon_code) {
          throw invalid(`use_request_no ${use_request_no} has used another coupon, ${before.coupon_code}.`);
        }
        if (before) return used(before);
        if (coupon.coupon_state === 'USED') throw invalid(`The coupon ${coupon_code} has been used already.`);

        const after: Coupon = {
          ...coupon,
          coupon_state: 'USED',
          use_request_no,
          wechatpay_use_time: beijing(clock.now()),
        };
        coupons.put(keyOf(mchid, coupon_code), after);
        return used(after);
      }),
    ],
  };
}

function sent({ stock_id, coupon_code, send_request_no }: Coupon): ResponseOf<typeof SEND, 'post'> {
  return { stock_id, coupon_code, out_request_no: send_request_no };
}

function used({ stock_id, openid, wechatpay_use_time = '' }: Coupon): ResponseOf<typeof USE, 'post'> {
  return { stock_id, openid, wechatpay_use_time };
}

const IDENTITY = ['coupon_code', 'stock_id', 'openid', 'appid'] as const;

function sameMembers(a: Pick<Coupon, (typeof IDENTITY)[number]>, b: typeof a): boolean {
  return IDENTITY.every((name) => a[name] === b[name]);
}

function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}
