import { InvalidArgumentError } from '../errors';

/** Where V8 says it stopped reading; the rest of its message may quote the text. */
const POSITION = /position \d+(?: \(line \d+ column \d+\))?/;

/** What became of a text that should be JSON: its value, or where it is not JSON. */
export type ParsedJson = { ok: true; value: unknown } | { ok: false; where: string };

/** Reads JSON without an error that quotes the text, as that of `JSON.parse` does. */
export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    if (text.trim() === '') return { ok: false, where: 'it is empty' };
    const position = POSITION.exec((error as Error).message)?.[0];
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
  throw new InvalidArgumentError(`"${name}" must hold JSON, but ${parsed.where}.`);
}
