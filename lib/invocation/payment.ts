import { InvalidArgumentError } from '../errors';
import { nonce, timestamp } from '../signature/formatter';
import type { PaySignType, Signing } from './signing';
import { type Texts, texts } from './signing';

/** An order that has been placed. */
export interface PlacedOrder {
  /** The app that pays: the `appid` of the order, or its `sub_appid`. */
  appid: string;
  /** Returned by WeChat Pay when the order was placed. */
  prepay_id: string;
  /** `RSA`, the default, for APIv3 orders; for v2 orders, the `sign_type` they were placed with. */
  signType?: PaySignType;
}

/** An order to pay in a native app. */
export interface PlacedAppOrder extends PlacedOrder {
  /** The merchant that is paid, if it is not the merchant of the instance. */
  partnerid?: string;
}

/** The argument of `WeixinJSBridge.invoke('getBrandWCPayRequest', …)` and `wx.requestPayment(…)`. */
export type BridgeParameters = Texts<'appId' | 'timeStamp' | 'nonceStr' | 'package' | 'signType' | 'paySign'>;

/** The members that an app passes to the WeChat OpenSDK. */
export type AppParameters = Texts<'appid' | 'partnerid' | 'prepayid' | 'package' | 'noncestr' | 'timestamp' | 'sign'>;

/** Parameters for front ends that start a payment. A QR code (Native) needs only its `code_url`. */
export interface Payments {
  /**
   * Parameters for a page in WeChat (公众号): `WeixinJSBridge.invoke('getBrandWCPayRequest', parameters, …)`.
   * @throws {@link InvalidArgumentError} if a member is missing or not a string; {@link ConfigurationError} if the
   * instance lacks the key that signs
   * @example
   * const { prepay_id } = await instance.chain('v3/pay/transactions/jsapi').post({ json }).json<{ prepay_id: string }>();
   * const parameters = await invocation.jsapi({ appid: json.appid, prepay_id });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365339
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011935213
   */
  jsapi(order: PlacedOrder): Promise<BridgeParameters>;
  /**
   * Parameters for a mini program: `wx.requestPayment(parameters)`, which ignores their `appId`.
   * @throws as {@link Payments.jsapi}
   * @example const parameters = await invocation.miniProgram({ appid, prepay_id, signType: 'MD5' });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791898
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011939566
   */
  miniProgram(order: PlacedOrder): Promise<BridgeParameters>;
  /**
   * Parameters for a native app.
   * @throws as {@link Payments.jsapi}
   * @example const { partnerid, prepayid, noncestr, timestamp, sign } = await invocation.app({ appid, prepay_id });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012265144
   * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013636475
   */
  app(order: PlacedAppOrder): Promise<AppParameters>;
  /**
   * The URL to which to redirect a browser outside WeChat (H5). Nothing is signed.
   * @param h5_url `h5_url` from the response, or `mweb_url` for v2
   * @param redirect_url absolute URL, not encoded, to which WeChat Pay returns the user afterwards. The user's return
   * does not mean that the order is paid
   * @throws {@link InvalidArgumentError} if one of them is not an absolute URL
   * @example response.redirect(invocation.h5(h5_url, 'https://shop.example/orders/1217752501'));
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011936869
   */
  h5(h5_url: string, redirect_url?: string | URL): string;
}

/** Creates the payment parameters for one merchant. */
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

/** Keeps a URL as written: WeChat Pay's must not be changed, and an app may have a scheme of its own. */
function wholeUrl(name: string, value: string | URL): string {
  const url = value instanceof URL ? value.href : value;
  if (typeof url === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return url;
  throw new InvalidArgumentError(`"${name}" must be an absolute URL, such as https://shop.example/paid.`);
}
