import { InvalidArgumentError } from '../errors';

/** Headers of a request: names in lower case, values encoded for undici. */
export type HeaderRecord = Record<string, string>;

/** Headers as undici and Node.js return them: names in lower case, repeated headers as arrays. */
export type ReceivedHeaders = Record<string, string | string[] | undefined>;

/** RFC 9110, section 5.6.2. `__proto__` is refused, because an object cannot have it as a plain member. */
const TOKEN = /^(?!__proto__$)[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that end a header
const UNSENDABLE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Headers that the connection sets itself. */
const OF_THE_CONNECTION = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
]);

/**
 * Encodes the caller's headers for sending: one value per name, strings as UTF-8.
 * A value of null or undefined drops the header, including one from `defaults`.
 */
export function writeHeaders(input: unknown, defaults: HeaderRecord = {}): HeaderRecord {
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

/**
 * Reads headers in any of the forms of undici, Node.js, `fetch` and frameworks: an object, `Headers`, a `Map`, pairs, or
 * a flat list of names and values. The returned object has no prototype, so a header may have any name.
 * @throws {@link InvalidArgumentError} if the headers have another form
 */
export function readHeaders(input: unknown): ReceivedHeaders {
  const headers: ReceivedHeaders = Object.create(null);
  for (const [key, value] of isFlat(input) ? pairsOf(input) : entriesOf(input)) {
    if (value === undefined || value === null) continue;
    const text = typeof value === 'number' ? String(value) : value;
    if (!isText(text) && !(Array.isArray(text) && text.every(isText))) {
      throw new InvalidArgumentError('"headers" must be an object of strings or a list of [name, string] pairs.');
    }
    const name = key.toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? text : [before, text].flat();
  }
  return headers;
}

/** Received headers in the form of the standard. */
export function toHeaders(received: ReceivedHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const item of [value ?? ''].flat()) headers.append(name, item);
  }
  return headers;
}

/** The form in which undici's redirect interceptor passes headers on. */
function isFlat(input: unknown): input is unknown[] {
  return Array.isArray(input) && input.length % 2 === 0 && input.every((item, at) => at % 2 === 1 || isText(item));
}

function pairsOf(list: readonly unknown[]): (readonly [string, unknown])[] {
  return list.flatMap((name, at) => (at % 2 === 0 ? [[String(name), list[at + 1]] as const] : []));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
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
  // undici writes headers as Latin-1, so pass it the UTF-8 bytes.
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
