import { InvalidArgumentError } from '../errors';

/** The body of a request: the options `json` (null is none) or else `body`. */
export function writeBody(json: unknown, body: unknown): string | Uint8Array | undefined {
  if (json !== undefined && json !== null) return writeJson(json);
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (['number', 'bigint', 'boolean'].includes(typeof body)) return String(body);
  throw new InvalidArgumentError('"body" must be text or bytes; an object goes into "json".');
}

function writeJson(json: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(json, refuseNotANumber);
  } catch (cause) {
    throw new InvalidArgumentError(`"json" cannot be written as JSON: ${(cause as Error).message}`, { cause });
  }
  if (text === undefined) throw new InvalidArgumentError(`"json" cannot be a ${typeof json}.`);
  return text;
}

/** `JSON.stringify` would write null for these, an amount that nobody meant. */
function refuseNotANumber(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`its member "${key}" is ${value}.`);
}
