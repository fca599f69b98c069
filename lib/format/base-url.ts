/** The base URL of WeChat Pay's API. */
export const DEFAULT_BASE_URL = 'https://api.mch.weixin.qq.com/';

/** The domains of WeChat Pay's hosts. */
const WECHATPAY = /(?:^|\.)(?:weixin\.qq\.com|wechatpay\.cn)\.?$/;

/**
 * Parses a base URL: an absolute http or https URL without user and password. WeChat Pay's own hosts require https,
 * because anyone who can read a signed request in transit can also send it.
 * @returns undefined if it is not a valid base URL
 */
export function readBaseUrl(input: unknown): URL | undefined {
  if (!(input instanceof URL) && (typeof input !== 'string' || !URL.canParse(input))) return undefined;
  const url = new URL(input);
  const isUsable = url.protocol === 'https:' || (url.protocol === 'http:' && !WECHATPAY.test(url.hostname));
  return isUsable && url.username === '' && url.password === '' ? url : undefined;
}

/** What a base URL must be, for error messages. */
export const BASE_URL_RULE =
  'must be an absolute URL such as "https://api.mch.weixin.qq.com/"; hosts of WeChat Pay are called over https only';
