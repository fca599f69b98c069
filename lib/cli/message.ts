import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { codeOf } from '../crypto/bytes';
import { InvalidArgumentError } from '../errors';
import { type ReceivedHeaders, readHeaders } from '../format/headers';
import type { RawRequest } from '../notification/request';
import type { Io } from './io';

/** The empty line between headers and body (RFC 9112, section 2.2: a line may end in a line feed only). */
const EMPTY_LINE = /\r?\n\r?\n/;
const START_LINE = /^(?:[A-Z]+ \S+ HTTP\/\d|HTTP\/\d[.\d]* \d{3})/;

/**
 * Reads a file or stdin, byte for byte.
 * @param path `-` for stdin
 * @throws {@link InvalidArgumentError} if it cannot be read
 */
export async function readBytes({ stdin }: Io, path: string): Promise<Buffer> {
  if (path === '-' && !stdin.isTTY) return buffer(stdin);
  if (path === '-') throw new InvalidArgumentError('stdin is a terminal; pipe the message in.');
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new InvalidArgumentError(`The file ${path} cannot be read (${codeOf(cause)}).`, { cause });
  }
}

/**
 * Parses a saved HTTP message: headers, an empty line, the body. It may start with the request line.
 * @throws {@link InvalidArgumentError} if it is not such a message
 */
export function parseMessage(bytes: Buffer): RawRequest {
  // In Latin-1 each character is one byte.
  const text = bytes.toString('latin1');
  const end = EMPTY_LINE.exec(text);
  if (!end) {
    throw new InvalidArgumentError(
      'The message has no empty line between headers and body. Save it exactly as received, or pass --headers and --body.',
    );
  }
  const headers = parseHeaders(bytes.subarray(0, end.index).toString());
  const body = bytes.subarray(end.index + end[0].length);
  const { 'content-length': length } = headers;
  // A line break added by an editor is not part of the body.
  return {
    headers,
    body: typeof length === 'string' && /^\d+$/.test(length) ? body.subarray(0, Number(length)) : body,
  };
}

/**
 * Parses saved headers: one per line, or a JSON object, as programs write them to their logs.
 * @throws {@link InvalidArgumentError} if they are neither
 */
export function parseHeaders(text: string): ReceivedHeaders {
  return readHeaders(/^\s*\{/.test(text) ? jsonPairs(text) : linePairs(text));
}

function linePairs(text: string): [string, string][] {
  const lines = text.split(/\r?\n/).filter((line, index) => line !== '' && !(index === 0 && START_LINE.test(line)));
  return lines.map((line) => {
    const [, name, value = ''] = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name !== undefined) return [name, value];
    throw new InvalidArgumentError('Invalid header line; expected "Name: value".');
  });
}

function jsonPairs(text: string): [string, string][] {
  let members: unknown;
  try {
    members = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('The headers look like JSON but cannot be parsed.');
  }
  return Object.entries(Object(members)).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  );
}
