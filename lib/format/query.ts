import { InvalidArgumentError } from '../errors';

const RESERVED_BY_RFC_3986 = /[!'()*]/g;

/** Percent-encodes all but the unreserved characters of RFC 3986, which `encodeURIComponent` does not quite. */
export function encodeComponent(text: string): string {
  try {
    return encodeURIComponent(text).replace(RESERVED_BY_RFC_3986, percent);
  } catch (cause) {
    throw new InvalidArgumentError('The value contains a lone surrogate and cannot be encoded.', { cause });
  }
}

/** One ASCII character, percent-encoded. */
export function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

const NOT_IN_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+|%(?![0-9A-Fa-f]{2})/gu;
const NOT_IN_QUERY = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+|%(?![0-9A-Fa-f]{2})/gu;

/** Encodes what RFC 3986 does not let stand in a path; escapes (`%2F`) stay. */
export function encodePath(path: string): string {
  return path.replace(NOT_IN_PATH, encodeComponent);
}

/** Encodes what RFC 3986 does not let stand in a query; escapes (`%2F`) stay. */
export function encodeQuery(query: string): string {
  return query.replace(NOT_IN_QUERY, encodeComponent);
}

/** Greatest depth of a query: beyond it stands only what holds itself. */
const MAX_DEPTH = 32;

/**
 * The option `query` as it goes out, without the question mark.
 *
 * Text goes out as it is but for characters that a query may not hold. Objects become `a=1&b%5B0%5D=x`, as
 * wechatpay-php's `http_build_query` writes them; null and undefined are left out.
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

/** A list, or an object with members: a Map, a Date or the like has none, and would be lost. */
function isNested(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null || Object.keys(value).length > 0;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : ['string', 'bigint', 'boolean'].includes(typeof value);
}
