import { InvalidArgumentError, WechatPayError, withoutText } from '../errors';

/** Where V8 says it stopped reading. A message that quotes the text ends in something else. */
const POSITION = / at (position \d+(?: \(line \d+ column \d+\))?)$/;
const END = 'Unexpected end of JSON input';

/** What became of a text that should be JSON: its value, or where it is not JSON. */
export type ParsedJson = { ok: true; value: unknown } | { ok: false; where: string };

/** Reads JSON without an error that quotes the text, as that of `JSON.parse` does. */
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
 * Reads the JSON that a text of the caller holds.
 * @param name of the text, for the error
 * @throws {@link InvalidArgumentError} that says where the text is not JSON, and quotes nothing of it
 */
export function requireJson(text: string, name: string): unknown {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError(`"${name}" must contain JSON, but ${parsed.where}.`);
}

/** What `JSON.stringify` itself says, which names members and classes, and quotes nothing. */
const OF_STRINGIFY = /^(?:Converting circular structure to JSON|Do not know how to serialize a BigInt)/;

/**
 * The error for a value that `JSON.stringify` does not write. What a getter or a `toJSON()` of the caller has thrown may
 * hold anything, and is not repeated.
 */
export function notWritable(name: string, thrown: unknown): InvalidArgumentError {
  const text = thrown instanceof Error ? thrown.message : '';
  const isKnown = thrown instanceof WechatPayError || OF_STRINGIFY.test(text);
  const reason = isKnown ? text : 'one of its getters or toJSON() threw.';
  return new InvalidArgumentError(`"${name}" cannot be written as JSON: ${reason}`, { cause: withoutText(thrown) });
}
