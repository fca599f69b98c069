import { InvalidArgumentError } from '../errors';

/** Headers of a request: names in lower case, values ready for the wire. */
export type WireHeaders = Record<string, string>;

/** RFC 9110, section 5.6.2; `__proto__` is none, since no object keeps it as a member. */
const TOKEN = /^(?!__proto__$)[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that end a header
const UNSENDABLE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Headers that the connection sets by itself. */
const OF_THE_CONNECTION = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
]);

/**
 * Headers as the caller gives them, for the wire: one value for each name, text as UTF-8.
 * A value of null or undefined drops the header, also one of `defaults`.
 */
export function writeHeaders(input: unknown, defaults: WireHeaders = {}): WireHeaders {
  if (input === undefined || input === null) return { ...defaults };
  const headers = { ...defaults };
  const given = new Set<string>();
  for (const [key, value] of entriesOf(input)) {
    const name = key.toLowerCase();
    if (!TOKEN.test(name)) throw new InvalidArgumentError(`"${key}" is not a valid header name.`);
    if (OF_THE_CONNECTION.has(name)) continue;
    if (value === null || value === undefined) {
      delete headers[name];
      continue;
    }
    const text = writeValue(name, value);
    if (name === 'host' && !URL.canParse(`http://${text}`))
      throw new InvalidArgumentError('The "host" header is not a valid host.');
    headers[name] = given.has(name) ? `${headers[name]}, ${text}` : text;
    given.add(name);
  }
  return headers;
}

function entriesOf(input: unknown): Iterable<readonly [string, unknown]> {
  if (typeof input !== 'object' || input === null) {
    throw new InvalidArgumentError(
      `"headers" must be an object, a Headers instance or a list of pairs, not ${typeof input}.`,
    );
  }
  if (!isIterable(input)) return Object.entries(input);
  const pairs = [...input];
  if (!pairs.every(isPair))
    throw new InvalidArgumentError('"headers" given as a list must contain [name, value] pairs.');
  return pairs;
}

function isIterable(input: object): input is Iterable<unknown> {
  return Symbol.iterator in input && typeof input[Symbol.iterator] === 'function';
}

function isPair(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}

function writeValue(name: string, value: unknown): string {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw new InvalidArgumentError(`The header "${name}" is an empty list.`);
  const text = values.map((item) => writeText(name, item)).join(', ');
  // undici writes a header as Latin-1: these are the bytes of its UTF-8.
  return Buffer.from(text, 'utf8').toString('latin1');
}

function writeText(name: string, value: unknown): string {
  if (!['string', 'number', 'bigint', 'boolean'].includes(typeof value)) {
    throw new InvalidArgumentError(`The header "${name}" must be a string, a number or a list of these.`);
  }
  const text = String(value).trim();
  if (UNSENDABLE.test(text)) {
    throw new InvalidArgumentError(`The header "${name}" contains a line break or another control character.`);
  }
  return text;
}
