import type { Dispatcher } from 'undici';

/**
 * The hosts of WeChat Pay's API. Requests are signed for these and for the base URL that the user configured; for no
 * other, wherever a redirect may lead.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075113
 */
export const WECHATPAY_ORIGINS: ReadonlySet<string> = new Set(
  [
    'api.mch.weixin.qq.com',
    'api2.mch.weixin.qq.com',
    'apihk.mch.weixin.qq.com',
    'apius.mch.weixin.qq.com',
    'apieu.mch.weixin.qq.com',
    'fraud.mch.weixin.qq.com',
    'payapp.weixin.qq.com',
    'api.weixin.qq.com',
    'pay.wechatpay.cn',
  ].map((host) => `https://${host}`),
);

/** Where a request of undici goes to: scheme, host and port. */
export function originOf({ origin }: Dispatcher.DispatchOptions): string {
  if (origin instanceof URL) return origin.origin;
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).origin : '';
}
