import { bytesOf } from '../crypto/bytes';
import { BodyError } from '../errors';

/** Greatest length of a line; those of bills have some hundred characters. */
const MAX_LINE = 1024 * 1024;

/**
 * The lines of a text in UTF-8, without their ends (LF or CR LF) and without a byte order mark; characters and line ends
 * may be cut anywhere.
 * @throws {@link BodyError} `ERR_BODY_TOO_LARGE` where a line does not end
 */
export async function* lines(source: AsyncIterable<Uint8Array> | string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of decoded(source)) {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield withoutReturn(piece);
    if (rest.length > MAX_LINE) {
      throw new BodyError('ERR_BODY_TOO_LARGE', `A line of the text is longer than ${MAX_LINE} characters.`);
    }
  }
  if (rest !== '') yield withoutReturn(rest);
}

async function* decoded(source: AsyncIterable<Uint8Array> | string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  if (typeof source === 'string') {
    yield source.replace(/^\ufeff/, '');
    return;
  }
  for await (const chunk of source) yield decoder.decode(bytesOf(chunk, 'chunk'), { stream: true });
  yield decoder.decode();
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
