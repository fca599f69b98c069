import { InvalidArgumentError } from '../errors';

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

const RESERVED_BY_RFC_3986 = /[!'()*]/g;

/** Percent-encodes all but the unreserved characters of RFC 3986; `encodeURIComponent` leaves a few more. */
export function encodeComponent(text: string): string {
  try {
    return encodeURIComponent(text).replace(RESERVED_BY_RFC_3986, percent);
  } catch (cause) {
    throw new InvalidArgumentError('The value contains a lone surrogate and cannot be encoded.', { cause });
  }
}

/** Percent-encodes one ASCII character. */
export function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

const NOT_IN_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+|%(?![0-9A-Fa-f]{2})/gu;
const NOT_IN_QUERY = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+|%(?![0-9A-Fa-f]{2})/gu;

/** Encodes characters that RFC 3986 does not allow in a path; existing escapes (`%2F`) are kept. */
export function encodePath(path: string): string {
  return path.replace(NOT_IN_PATH, encodeComponent);
}

/** Encodes characters that RFC 3986 does not allow in a query; existing escapes (`%2F`) are kept. */
export function encodeQuery(query: string): string {
  return query.replace(NOT_IN_QUERY, encodeComponent);
}

/** Maximum depth of a query; anything deeper contains a circular reference. */
const MAX_DEPTH = 32;

/**
 * Encodes the `query` option, without the question mark.
 *
 * A string is sent as it is, except for characters that a query cannot contain. Objects become `a=1&b%5B0%5D=x`, as with
 * `http_build_query` in wechatpay-php; null and undefined are omitted.
 */
export function writeQuery(query: unknown): string {
  if (typeof query === 'string') return encodeQuery(query);
  if (query instanceof URLSearchParams) {
    return [...query].map(([name, value]) => `${encodeComponent(name)}=${encodeComponent(value)}`).join('&');
  }
  if (typeof query !== 'object' || query === null) {
    throw new InvalidArgumentError(`"query" must be an object, URLSearchParams or a string, not ${typeof query}.`);
  }
  return pairs(query, encodeComponent, 1).join('&');
}

function pairs(value: object, nameOf: (key: string) => string, depth: number): string[] {
  if (depth > MAX_DEPTH) {
    throw new InvalidArgumentError(
      `"query" is nested deeper than ${MAX_DEPTH} levels, or contains a circular reference.`,
    );
  }
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const name = nameOf(key);
    if (member === undefined || member === null) return [];
    if (isNested(member)) return pairs(member, (inner) => `${name}%5B${encodeComponent(inner)}%5D`, depth + 1);
    if (!isScalar(member)) {
      throw new InvalidArgumentError(`The "query" member "${key}" must be a string, a number or a boolean.`);
    }
    return [`${name}=${encodeComponent(String(member))}`];
  });
}

/** Whether a value is an array or an object with members: a Map or a Date has none and would be lost. */
function isNested(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null || Object.keys(value).length > 0;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : ['string', 'bigint', 'boolean'].includes(typeof value);
}
