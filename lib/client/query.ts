import { InvalidArgumentError } from '../errors';
import { encodeComponent, encodeQuery } from '../format/encode';

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
    throw new InvalidArgumentError(`"query" must be an object, URLSearchParams or text, not a ${typeof query}.`);
  }
  return pairs(query, encodeComponent, 1).join('&');
}

function pairs(value: object, nameOf: (key: string) => string, depth: number): string[] {
  if (depth > MAX_DEPTH) {
    throw new InvalidArgumentError(`"query" is nested deeper than ${MAX_DEPTH} levels, or holds itself.`);
  }
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const name = nameOf(key);
    if (member === undefined || member === null) return [];
    if (isNested(member)) return pairs(member, (inner) => `${name}%5B${encodeComponent(inner)}%5D`, depth + 1);
    if (!isScalar(member)) {
      throw new InvalidArgumentError(`The member "${key}" of "query" must be text, a number or a boolean.`);
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
