import { InvalidArgumentError } from '../errors';

const RESERVED_BY_RFC_3986 = /[!'()*]/g;

/** Percent-encodes all but the unreserved characters of RFC 3986, which `encodeURIComponent` does not quite. */
export function encodeComponent(text: string): string {
  try {
    return encodeURIComponent(text).replace(RESERVED_BY_RFC_3986, percent);
  } catch (cause) {
    throw new InvalidArgumentError('Half a surrogate pair is no text and cannot be sent.', { cause });
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
