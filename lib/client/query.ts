import { InvalidArgumentError } from '../errors';
import { encodeComponent, encodeQuery } from '../format/encode';

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
  return pairs(query, encodeComponent).join('&');
}

function pairs(value: object, nameOf: (key: string) => string): string[] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const name = nameOf(key);
    if (member === undefined || member === null) return [];
    if (typeof member === 'object') return pairs(member, (inner) => `${name}%5B${encodeComponent(inner)}%5D`);
    if (!isScalar(member)) {
      throw new InvalidArgumentError(`The member "${key}" of "query" must be text, a number or a boolean.`);
    }
    return [`${name}=${encodeComponent(String(member))}`];
  });
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : ['string', 'bigint', 'boolean'].includes(typeof value);
}
