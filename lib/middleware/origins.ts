import { ConfigurationError } from '../errors';
import { BASE_URL_RULE, readBaseUrl } from '../format/base-url';
import type { SignedDispatchOptions } from './dispatch-options';

/**
 * The hosts of WeChat Pay's API. Requests are signed for these and for the base URL that the user configured; for no
 * other, wherever a redirect may lead.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075113
 */
const WECHATPAY_HOSTS = [
  'api.mch.weixin.qq.com',
  'api2.mch.weixin.qq.com',
  'apihk.mch.weixin.qq.com',
  'apius.mch.weixin.qq.com',
  'apieu.mch.weixin.qq.com',
  'fraud.mch.weixin.qq.com',
  'payapp.weixin.qq.com',
  'api.weixin.qq.com',
  'pay.wechatpay.cn',
];

/**
 * The origins to sign for: WeChat Pay's and the configured one.
 * @throws {@link ConfigurationError} where the base URL is none
 */
export function trustedOrigins(baseUrl?: string | URL): ReadonlySet<string> {
  const origins = new Set(WECHATPAY_HOSTS.map((host) => `https://${host}`));
  if (baseUrl === undefined) return origins;
  const base = readBaseUrl(baseUrl);
  if (!base) throw new ConfigurationError(`"baseUrl" ${BASE_URL_RULE}.`);
  return origins.add(base.origin);
}

/** Whether a request of undici goes to one of the origins, or to the one that it says to trust. */
export function isTrusted(options: SignedDispatchOptions, origins: ReadonlySet<string>): boolean {
  const { origin, trustedOrigin } = options;
  if (typeof origin === 'string' && origins.has(origin)) return true;
  const normal = originOf(origin);
  return normal !== undefined && (origins.has(normal) || normal === trustedOrigin);
}

/** Scheme, host and port; undefined where there are none. */
export function originOf(origin: string | URL | undefined): string | undefined {
  if (origin instanceof URL) return origin.origin;
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).origin : undefined;
}
