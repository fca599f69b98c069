/** The root of WeChat Pay's API. */
export const DEFAULT_BASE_URL = 'https://api.mch.weixin.qq.com/';

/** The domains of WeChat Pay's hosts. */
const WECHATPAY = /(?:^|\.)(?:weixin\.qq\.com|wechatpay\.cn)\.?$/;

/**
 * Reads a root of the API: an absolute http or https URL without user and password; of WeChat Pay's own hosts, https alone,
 * since whoever reads a signed request on its way has it too.
 * @returns undefined where it is none
 */
export function readBaseUrl(input: unknown): URL | undefined {
  if (!(input instanceof URL) && (typeof input !== 'string' || !URL.canParse(input))) return undefined;
  const url = new URL(input);
  const isUsable = url.protocol === 'https:' || (url.protocol === 'http:' && !WECHATPAY.test(url.hostname));
  return isUsable && url.username === '' && url.password === '' ? url : undefined;
}

/** What a base URL must be, for the errors about it. */
export const BASE_URL_RULE =
  'must be an absolute URL such as "https://api.mch.weixin.qq.com/"; hosts of WeChat Pay are called over https only';
