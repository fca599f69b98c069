import { InvalidArgumentError } from '../errors';
import { fieldText, notXmlText } from '../format/fields';
import { notWritable } from '../format/json';
import { isXmlName, isXmlText } from '../format/xml-reader';
import { isMedia, type Media } from '../upload/media';

/** The body of a request: the options `json` (null is none) or else `body`. */
export function writeBody(json: unknown, body: unknown): string | Uint8Array | Media | undefined {
  if (json !== undefined && json !== null) return writeJson(json);
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array || isMedia(body)) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (['number', 'bigint', 'boolean'].includes(typeof body)) return String(body);
  throw new InvalidArgumentError(
    '"body" must be a string, bytes or a Media; pass an object as "json", a file through Media.from().',
  );
}

/** What a name becomes that no element of XML can have, as wechatpay-php has it. */
const ITEM = 'item';

/**
 * The option `xml` as the fields of an XML body, which the signer signs and writes.
 * @throws {@link InvalidArgumentError} that names the field which XML cannot carry
 */
export function readXmlFields(xml: unknown): Record<string, string> | undefined {
  const given = readFields(xml);
  if (!given) return undefined;
  const fields = new Map<string, string>();
  for (const [key, text] of Object.entries(given)) {
    if (!isXmlText(text)) throw notXmlText(key);
    const name = isXmlName(key) ? key : ITEM;
    if (fields.has(name)) {
      throw new InvalidArgumentError(
        `"xml" has several fields to write as "${ITEM}", which v2 cannot sign: names that are not valid in XML become that.`,
      );
    }
    fields.set(name, text);
  }
  return Object.fromEntries(fields);
}

/**
 * The option `xml` as the texts that are signed and sent.
 * @throws {@link InvalidArgumentError} that names the field which has no text
 */
export function readFields(xml: unknown): Record<string, string> | undefined {
  if (xml === undefined || xml === null) return undefined;
  if (typeof xml !== 'object' || Array.isArray(xml)) {
    throw new InvalidArgumentError('"xml" must be an object of field names and values.');
  }
  return Object.fromEntries(Object.entries(xml).map(([name, value]) => [name, fieldText(name, value)]));
}

function writeJson(json: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(json);
    // A replacer makes it several times as slow: it is only for text that may hold such a null.
    if (text?.includes('null')) JSON.stringify(json, refuseNotANumber);
  } catch (cause) {
    throw notWritable('json', cause);
  }
  if (text === undefined) throw new InvalidArgumentError(`"json" cannot be a ${typeof json}.`);
  return text;
}

/** `JSON.stringify` would write null for these, an amount that nobody meant. */
function refuseNotANumber(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`its member "${key}" is ${value}.`);
}
