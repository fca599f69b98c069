import { InvalidArgumentError, WechatPayError, withoutText } from '../errors';

/** Matches the position at which V8 stopped. Messages that quote the input end differently. */
const POSITION = / at (position \d+(?: \(line \d+ column \d+\))?)$/;
const END = 'Unexpected end of JSON input';

/** The result of parsing JSON: its value, or where it is invalid. */
export type ParsedJson = { ok: true; value: unknown } | { ok: false; where: string };

/** Parses JSON without an error that quotes the input, unlike `JSON.parse`. */
export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    if (text.trim() === '') return { ok: false, where: 'it is empty' };
    const { message } = error as Error;
    const position = message === END ? 'its end' : POSITION.exec(message)?.[1];
    return {
      ok: false,
      where: position === undefined ? 'a token is out of place' : `there is an error at ${position}`,
    };
  }
}

/**
 * Parses a JSON string passed by the caller.
 * @param name name of the string, for the error
 * @throws {@link InvalidArgumentError} that says where the JSON is invalid, without quoting it
 */
export function requireJson(text: string, name: string): unknown {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError(`"${name}" must contain JSON, but ${parsed.where}.`);
}

/** Messages of `JSON.stringify` itself: they name members and classes, and quote no values. */
const OF_STRINGIFY = /^(?:Converting circular structure to JSON|Do not know how to serialize a BigInt)/;

/**
 * Creates the error for a value that `JSON.stringify` rejects. An error thrown by a getter or a `toJSON()` of the caller
 * may contain anything, so its message is not repeated.
 */
export function notWritable(name: string, thrown: unknown): InvalidArgumentError {
  const text = thrown instanceof Error ? thrown.message : '';
  const isKnown = thrown instanceof WechatPayError || OF_STRINGIFY.test(text);
  const reason = isKnown ? text : 'one of its getters or toJSON() threw.';
  return new InvalidArgumentError(`"${name}" cannot be written as JSON: ${reason}`, { cause: withoutText(thrown) });
}
