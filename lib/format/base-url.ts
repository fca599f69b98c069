/** The root of WeChat Pay's API. */
export const DEFAULT_BASE_URL = 'https://api.mch.weixin.qq.com/';

/**
 * Reads a root of the API: an absolute http or https URL without user and password.
 * @returns undefined where it is none
 */
export function readBaseUrl(input: unknown): URL | undefined {
  if (!(input instanceof URL) && (typeof input !== 'string' || !URL.canParse(input))) return undefined;
  const url = new URL(input);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined;
}

/** What a base URL must be, for the errors about it. */
export const BASE_URL_RULE = 'must be an absolute URL such as "https://api.mch.weixin.qq.com/"';
