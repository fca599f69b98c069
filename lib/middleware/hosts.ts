import { ConfigurationError } from '../errors';
import { BASE_URL_RULE, readBaseUrl } from '../format/base-url';
import type { SignedDispatchOptions } from './dispatch-options';

/**
 * WeChat Pay's API hosts. Requests are signed for these and for the configured base URLs only, wherever a redirect may
 * lead.
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

/** The configured base URLs. */
export interface BaseUrls {
  baseUrl?: string | URL | undefined;
  baseUrls?: readonly (string | URL)[] | undefined;
}

/**
 * The origins to sign for: WeChat Pay's over https, and the configured ones.
 * @throws {@link ConfigurationError} if a base URL is not valid
 */
export function trustedOrigins({ baseUrl, baseUrls }: BaseUrls = {}): ReadonlySet<string> {
  const origins = new Set(WECHATPAY_HOSTS.map((host) => `https://${host}`));
  if (baseUrl !== undefined) origins.add(configuredBase('baseUrl', baseUrl).origin);
  for (const base of configuredBases(baseUrls)) origins.add(base.origin);
  return origins;
}

/** @throws {@link ConfigurationError} if the base URL with that name is not valid */
export function configuredBase(name: string, input: unknown): URL {
  const base = readBaseUrl(input);
  if (base) return base;
  throw new ConfigurationError(`"${name}" ${BASE_URL_RULE}.`);
}

/** @throws {@link ConfigurationError} if `baseUrls` is not a list of base URLs */
export function configuredBases(baseUrls: unknown = []): URL[] {
  if (!Array.isArray(baseUrls)) throw new ConfigurationError('"baseUrls" must be a list of URLs.');
  return baseUrls.map((base, index) => configuredBase(`baseUrls[${index}]`, base));
}

/** Whether an undici request goes to one of the origins, or to the one that its options trust. */
export function isTrusted(options: SignedDispatchOptions, origins: ReadonlySet<string>): boolean {
  const { origin, trustedOrigin } = options;
  if (typeof origin === 'string' && origins.has(origin)) return true;
  const normal = originOf(origin);
  if (normal === undefined) return false;
  return origins.has(normal) || (normal === trustedOrigin && readBaseUrl(normal) !== undefined);
}

/** Scheme, host and port; undefined if the URL has none. */
export function originOf(origin: string | URL | undefined): string | undefined {
  if (origin instanceof URL) return origin.origin;
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).origin : undefined;
}
