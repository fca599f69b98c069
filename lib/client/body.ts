import { InvalidArgumentError } from '../errors';
import { fieldText } from '../format/fields';
import { notWritable } from '../format/json';
import { toXml } from '../format/transformer';
import { isMedia, type Media } from '../upload/media';

/** The body of a request: the `json` option, unless it is null, or else `body`. */
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

/** The unsigned body of a v2 request: an upload, or the `xml` option. */
export function writeXml(xml: unknown, body: unknown): string | Media | undefined {
  if (isMedia(body)) return body;
  const fields = readFields(xml);
  return fields && toXml(fields);
}

/**
 * Converts the `xml` option to the strings that are signed and sent.
 * @throws {@link InvalidArgumentError} that names a field whose value v2 cannot represent
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
    // A replacer is several times slower, so it is used only for JSON that may contain such a null.
    if (text?.includes('null')) JSON.stringify(json, refuseNotANumber);
  } catch (cause) {
    throw notWritable('json', cause);
  }
  if (text === undefined) throw new InvalidArgumentError(`"json" cannot be a ${typeof json}.`);
  return text;
}

/** `JSON.stringify` writes null for these, which would be an unintended amount. */
function refuseNotANumber(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`its member "${key}" is ${value}.`);
}
