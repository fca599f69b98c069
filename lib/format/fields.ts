import { InvalidArgumentError } from '../errors';

/** The fields of a v2 request or response, or other data that is signed field by field. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields in the order in which v2 signs them: by the UTF-8 bytes of their names, as PHP's `ksort` does with
 * `SORT_STRING`.
 *
 * JavaScript makes one exception: integer names (`9`, `10`) come first in any object, in numeric order. WeChat Pay has no
 * such names; {@link sortedEntries} has no such exception.
 */
export function ksort<Value>(fields: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(sortedEntries(fields));
}

/** Names and values of the fields, sorted by the UTF-8 bytes of the names. */
export function sortedEntries<Value>(fields: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(required(fields))
    .map(([name, value]) => ({ bytes: Buffer.from(name), entry: [name, value] satisfies [string, Value] }))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes))
    .map(({ entry }) => entry);
}

/**
 * `a=1&b=2`, the text that v2 signs: the sorted fields, not encoded, without `sign` and without fields that are `''`,
 * `null` or `undefined`.
 * @param fields an object, or [name, value] pairs
 * @throws {@link InvalidArgumentError} that names a field whose value v2 cannot represent (see {@link fieldText})
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=4_3
 */
export function queryStringLike(
  fields: Readonly<Record<string, unknown>> | Iterable<readonly [string, unknown]>,
): string {
  const entries = entriesOf(fields);
  if (!entries.every(isPair)) throw new InvalidArgumentError('Fields given as a list must be [name, value] pairs.');
  return entries
    .map(([name, value]) => [name, name === 'sign' ? '' : fieldText(name, value)])
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}=${text}`)
    .join('&');
}

function required<Given>(fields: Given): Given {
  if (typeof fields === 'object' && fields !== null) return fields;
  throw new InvalidArgumentError('Fields must be an object of names and values.');
}

function entriesOf(fields: Fields | Iterable<readonly [string, unknown]>): (readonly [string, unknown])[] {
  const isList = typeof Reflect.get(required(fields), Symbol.iterator) === 'function';
  return isList ? [...(fields as Iterable<[string, unknown]>)] : Object.entries(fields);
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'string';
}

/**
 * The text of a v2 field, used both to sign and to send: that of a string, a number, a bigint or a URL; `1` for `true`;
 * empty for `null` and `undefined`.
 * @throws {@link InvalidArgumentError} that names the field if its value is `false`, not a finite number, or an object
 */
export function fieldText(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value === true) return '1';
  if (typeof value === 'string' || typeof value === 'bigint' || value instanceof URL) return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw new InvalidArgumentError(`The field "${name}" ${fault(value)}.`);
}

function fault(value: unknown): string {
  if (value === false) return 'is false, which v2 cannot represent; pass the string WeChat Pay documents, or omit it';
  if (typeof value === 'number') return `is ${value}; pass a finite number or a string`;
  const found = Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
  return `is ${found}, which v2 cannot sign; pass a string, e.g. JSON.stringify(value)`;
}

/** The error about a field whose text XML cannot carry. */
export function notXmlText(name: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `The field "${name}" contains a control character or lone surrogate, which XML does not allow.`,
  );
}
