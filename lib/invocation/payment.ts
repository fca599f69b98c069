import { InvalidArgumentError } from '../errors';
import { nonce, timestamp } from '../signature/formatter';
import type { PaySignType, Signing } from './signing';
import { type Texts, texts } from './signing';

/** An order that has been placed. */
export interface PlacedOrder {
  /** The app that is to pay: `appid` of the order, or its `sub_appid`. */
  appid: string;
  /** What WeChat Pay answered when the order was placed. */
  prepay_id: string;
  /** `RSA`, the default, for an order of APIv3; for one of v2, the `sign_type` that it was placed with. */
  signType?: PaySignType;
}

/** An order for an app on the phone. */
export interface PlacedAppOrder extends PlacedOrder {
  /** The merchant that is paid, where it is not the one that the instance was built for. */
  partnerid?: string;
}

/** What `WeixinJSBridge.invoke('getBrandWCPayRequest', …)` and `wx.requestPayment(…)` take. */
export type BridgeParameters = Texts<'appId' | 'timeStamp' | 'nonceStr' | 'package' | 'signType' | 'paySign'>;

/** What an app hands to the OpenSDK of WeChat, member by member. */
export type AppParameters = Texts<'appid' | 'partnerid' | 'prepayid' | 'package' | 'noncestr' | 'timestamp' | 'sign'>;

/** What a front end needs to begin a payment. A QR code (Native) needs its `code_url` alone. */
export interface Payments {
  /**
   * Parameters for a page in WeChat (公众号): `WeixinJSBridge.invoke('getBrandWCPayRequest', parameters, …)`.
   * @throws {@link InvalidArgumentError} where a member is missing or not text; {@link ConfigurationError} where the
   * instance lacks the key that signs
   * @example
   * const { prepay_id } = await instance.chain('v3/pay/transactions/jsapi').post({ json }).json<{ prepay_id: string }>();
   * const parameters = await invocation.jsapi({ appid: json.appid, prepay_id });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365339
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011935213
   */
  jsapi(order: PlacedOrder): Promise<BridgeParameters>;
  /**
   * Parameters for a mini program: `wx.requestPayment(parameters)`, which takes no notice of their `appId`.
   * @throws as {@link Payments.jsapi}
   * @example const parameters = await invocation.miniProgram({ appid, prepay_id, signType: 'MD5' });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791898
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011939566
   */
  miniProgram(order: PlacedOrder): Promise<BridgeParameters>;
  /**
   * Parameters for an app on the phone.
   * @throws as {@link Payments.jsapi}
   * @example const { partnerid, prepayid, noncestr, timestamp, sign } = await invocation.app({ appid, prepay_id });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012265144
   * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013636475
   */
  app(order: PlacedAppOrder): Promise<AppParameters>;
  /**
   * The address that a browser outside of WeChat (H5) is sent to. Nothing is signed.
   * @param h5_url `h5_url` of the response, or `mweb_url` of v2
   * @param redirect_url where WeChat Pay is to send the user afterwards, as a whole URL; not encoded. That the user
   * comes back does not mean that the order is paid
   * @throws {@link InvalidArgumentError} where one of them is not a whole URL
   * @example response.redirect(invocation.h5(h5_url, 'https://shop.example/orders/1217752501'));
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011936869
   */
  h5(h5_url: string, redirect_url?: string | URL): string;
}

/** Payments of one merchant. */
export function payments(signing: Signing): Payments {
  return {
    jsapi: (order) => bridge(signing, order),
    miniProgram: (order) => bridge(signing, order),
    app: (order) => app(signing, order),
    h5,
  };
}

async function bridge(signing: Signing, order: PlacedOrder): Promise<BridgeParameters> {
  const { appid, prepay_id } = texts(order, ['appid', 'prepay_id']);
  const { signType = 'RSA' } = order;
  const fields = {
    appId: appid,
    timeStamp: String(timestamp()),
    nonceStr: nonce(),
    package: `prepay_id=${prepay_id}`,
    signType,
  };
  return { ...fields, paySign: await signing.sign(signType, fields, ['appId', 'timeStamp', 'nonceStr', 'package']) };
}

async function app(signing: Signing, order: PlacedAppOrder): Promise<AppParameters> {
  const { appid, prepay_id, partnerid = signing.mchid } = texts(order, ['appid', 'prepay_id'], ['partnerid']);
  const fields = {
    appid,
    partnerid,
    prepayid: prepay_id,
    package: 'Sign=WXPay',
    noncestr: nonce(),
    timestamp: String(timestamp()),
  };
  const lines = ['appid', 'timestamp', 'noncestr', 'prepayid'] as const;
  return { ...fields, sign: await signing.sign(order.signType ?? 'RSA', fields, lines) };
}

function h5(h5_url: string, redirect_url?: string | URL): string {
  const url = wholeUrl('h5_url', h5_url);
  if (redirect_url === undefined) return url;
  const separator = url.includes('?') ? '&' : '?';
  return `${url}${separator}redirect_url=${encodeURIComponent(wholeUrl('redirect_url', redirect_url))}`;
}

/** A URL as it is written: what WeChat Pay gave must not be changed, and an app may have a scheme of its own. */
function wholeUrl(name: string, value: string | URL): string {
  const url = value instanceof URL ? value.href : value;
  if (typeof url === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return url;
  throw new InvalidArgumentError(`"${name}" must be an absolute URL, such as https://shop.example/paid.`);
}
