import { InvalidArgumentError } from '../errors';
import type { Signing } from './signing';
import { query, type Texts, texts } from './signing';

/** A coupon to hand out. Every member present is signed and sent. */
export interface CouponToSend {
  /** The batch (批次号). */
  stock_id: string;
  /** The merchant's own unique number for this distribution (发券凭证). */
  out_request_no: string;
  /** The code of the coupon, for batches whose codes the merchant supplies. */
  coupon_code?: string;
  /** The time of distribution, RFC 3339. */
  customize_send_time?: string;
  /** The merchant that created the batch, for cash coupons (代金券). */
  create_coupon_merchant?: string;
}

/** Coupons to hand out together. */
export interface CouponsToSend {
  /** The coupons, 10 at most. */
  send_coupon_params: readonly CouponToSend[];
  /** The merchant that hands out the coupons, if it is not the merchant of the instance. */
  send_coupon_merchant?: string;
}

/** A coupon to hand out to a user on a WeChat Pay page. */
export interface CouponForUser extends Omit<CouponToSend, 'create_coupon_merchant'> {
  /** The user's openid. */
  open_id: string;
  /** The merchant that hands out the coupon, if it is not the merchant of the instance. */
  send_coupon_merchant?: string;
}

/** The properties of the `send-coupon` mini program component. */
export interface SendCouponParameters {
  send_coupon_params: Texts[];
  send_coupon_merchant: string;
  sign: string;
}

/** The argument of `wx.addCard(…)`. */
export interface AddCardParameters {
  /** `cardExt` is a JSON object as a string. */
  cardList: Texts<'cardId' | 'cardExt'>[];
}

/** Parameters for front ends that hand out coupons. All are signed by HMAC-SHA256 with the APIv2 key. */
export interface Coupons {
  /**
   * Parameters for the mini program plug-in that hands out coupons (小程序发券插件), `<send-coupon>`.
   * @throws {@link InvalidArgumentError} if there is no coupon, or a member of one is missing or not a string;
   * {@link ConfigurationError} if the instance has no `secret`
   * @example
   * const { send_coupon_params, send_coupon_merchant, sign } = await invocation.sendCoupon({
   *   send_coupon_params: [{ stock_id: '98065001', out_request_no: '89560002019101000121' }],
   * });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012285674
   */
  sendCoupon(coupons: CouponsToSend): Promise<SendCouponParameters>;
  /**
   * Parameters for a page in WeChat that hands out business coupons (商家券) with the JS-SDK: `wx.addCard(parameters)`.
   * @throws as {@link Coupons.sendCoupon}
   * @example
   * const { cardList } = await invocation.addCard({
   *   send_coupon_params: [{ stock_id: '1069587740', out_request_no: 'send199945614' }],
   * });
   * @see https://developers.weixin.qq.com/community/pay/doc/0002aeac904cc8ab4fac9f6db5e400
   */
  addCard(coupons: CouponsToSend): Promise<AddCardParameters>;
  /**
   * The URL of the WeChat Pay page that hands a business coupon to a user (H5 发券).
   * @throws as {@link Coupons.sendCoupon}
   * @example
   * const coupon = { stock_id: '1234567890000000', out_request_no: '201911280000', open_id: 'oiSFDIOoijdsf' };
   * response.redirect(await invocation.couponUrl(coupon));
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012285783
   */
  couponUrl(coupon: CouponForUser): Promise<string>;
}

const MEMBERS = ['coupon_code', 'customize_send_time'] as const;
const PAGE = 'https://action.weixin.qq.com/busifavor/getcouponinfo';
/** Without this fragment the page shows error 268435461. */
const FRAGMENT = '#wechat_pay&wechat_redirect';

/** Creates the coupon parameters for one merchant. */
export function coupons(signing: Signing): Coupons {
  const sendCoupon = (argument: CouponsToSend) => send(signing, argument);
  return {
    sendCoupon,
    addCard: async (argument) => toCards(await sendCoupon(argument)),
    couponUrl: (coupon) => couponUrl(signing, coupon),
  };
}

async function send(signing: Signing, argument: CouponsToSend): Promise<SendCouponParameters> {
  const { send_coupon_merchant = signing.mchid } = texts(argument, [], ['send_coupon_merchant']);
  const { send_coupon_params: list } = argument;
  if (!Array.isArray(list) || list.length === 0) {
    throw new InvalidArgumentError('"send_coupon_params" must be a non-empty array of coupons.');
  }
  const optional = [...MEMBERS, 'create_coupon_merchant'] as const;
  const send_coupon_params = list.map((coupon) => texts(coupon, ['stock_id', 'out_request_no'], optional));
  const numbered = send_coupon_params.flatMap((coupon, index) =>
    Object.entries(coupon).map(([name, value]) => [`${name}${index}`, value] as const),
  );
  const fields: Texts = { ...Object.fromEntries(numbered), send_coupon_merchant };
  return { send_coupon_params, send_coupon_merchant, sign: await signing.sign('HMAC-SHA256', fields) };
}

/** The same in the format of `wx.addCard`: the first card carries the merchant and the signature for all. */
function toCards({ send_coupon_params, ...common }: SendCouponParameters): AddCardParameters {
  const cardList = send_coupon_params.map(({ stock_id: cardId = '', ...rest }, index) => ({
    cardId,
    cardExt: JSON.stringify(index === 0 ? { ...rest, ...common } : rest),
  }));
  return { cardList };
}

async function couponUrl(signing: Signing, coupon: CouponForUser): Promise<string> {
  const required = ['stock_id', 'out_request_no', 'open_id'] as const;
  const given = texts(coupon, required, [...MEMBERS, 'send_coupon_merchant']);
  const fields: Texts = { send_coupon_merchant: signing.mchid, ...given };
  const sign = await signing.sign('HMAC-SHA256', fields);
  return `${PAGE}?${query({ ...fields, sign })}${FRAGMENT}`;
}
