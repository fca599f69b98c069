import { createHash } from 'node:crypto';

/** A file of an upload, as it arrived. It is hashed on the way; see {@link bytesOf}. */
export interface UploadedFile {
  /** Name of its part. */
  readonly name: string;
  readonly filename: string;
  /** Number of bytes. */
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Lower-case hexadecimal. */
  readonly md5: string;
  /** The part's `Content-Type`; empty if it has none. */
  readonly contentType: string;
}

/** A body of `multipart/form-data`. */
export interface Form {
  /** The parts that are not files, by name, as text. */
  readonly fields: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
  /** What is wrong with it, if it cannot be read to its end. */
  readonly fault?: string;
}

/** Maximum size of a part that is not a file, and of the headers of a part, in bytes. */
const MAX_FIELD = 1024 * 1024;
const MAX_HEADERS = 16 * 1024;

const HEADERS_END = Buffer.from('\r\n\r\n');

/** How much of a file is kept while its request is processed. */
const MAX_KEPT = 8 * 1024 * 1024;

/** The bytes of files, for as long as the request that brought them. */
const contents = new WeakMap<UploadedFile, Buffer>();

/** The bytes of a file, as long as its request is processed; `undefined` of one that is longer than 8 MB. */
export function bytesOf(file: UploadedFile): Buffer | undefined {
  return contents.get(file);
}

class Malformed extends Error {}

/**
 * Reads a form (RFC 7578) as it arrives, in a memory that does not grow with its files.
 * @param contentType the header of that name
 * @returns the form, also one that is malformed: what is read of it, and its `fault`
 */
export async function readForm(contentType: string, chunks: AsyncIterable<Buffer>): Promise<Form> {
  const source = chunks[Symbol.asyncIterator]();
  const fields = new Map<string, string>();
  const files: UploadedFile[] = [];
  const result = (fault?: string): Form => ({
    fields: Object.fromEntries(fields),
    files,
    ...(fault !== undefined && { fault }),
  });
  try {
    await readParts(contentType, source, fields, files);
    return result();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return result(error.message);
  } finally {
    // Whatever is wrong: a response goes out once the request is in.
    while (!(await source.next()).done);
  }
}

async function readParts(
  contentType: string,
  source: AsyncIterator<Buffer>,
  fields: Map<string, string>,
  files: UploadedFile[],
): Promise<void> {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Malformed('its Content-Type has no boundary');
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const { upTo, take } = cutter(source);

  for await (const _ of upTo(delimiter)); // What stands before the first part means nothing.
  for (;;) {
    const end = await take(2);
    if (end === '--') return;
    if (end !== '\r\n') throw new Malformed('a boundary is followed by neither a line end nor "--"');
    const { name, filename, type } = readPart(await whole(upTo(HEADERS_END), MAX_HEADERS, 'the headers of a part'));
    if (filename !== undefined) {
      const { bytes, ...hashes } = await fingerprint(upTo(delimiter));
      const file = { name, filename, contentType: type, ...hashes };
      if (bytes) contents.set(file, bytes);
      files.push(file);
    } else {
      if (fields.has(name)) throw new Malformed(`it has the field "${name}" twice`);
      fields.set(name, await whole(upTo(delimiter), MAX_FIELD, `the field "${name}", which has no filename="…",`));
    }
  }
}

/** Cuts a stream. */
interface Cutter {
  /** Yields what precedes a mark, piece by piece, and removes the mark. */
  upTo(mark: Buffer): AsyncGenerator<Buffer, void>;
  /** Takes so many bytes, as text. */
  take(size: number): Promise<string>;
}

function cutter(source: AsyncIterator<Buffer>): Cutter {
  // The line end that the first boundary need not have before it.
  let held = Buffer.from('\r\n');
  const more = async (): Promise<void> => {
    const { done, value } = await source.next();
    if (done) throw new Malformed('it ends before its last boundary');
    held = Buffer.concat([held, value]);
  };
  const cut = (size: number): Buffer => {
    const piece = held.subarray(0, size);
    held = held.subarray(size);
    return piece;
  };
  return {
    async *upTo(mark) {
      for (;;) {
        const at = held.indexOf(mark);
        // The end of what is held may be the beginning of the mark.
        const clear = at >= 0 ? at : held.length - mark.length + 1;
        if (clear > 0) yield cut(clear);
        if (at >= 0) return void cut(mark.length);
        await more();
      }
    },
    async take(size) {
      while (held.length < size) await more();
      return cut(size).toString();
    },
  };
}

async function whole(pieces: AsyncIterable<Buffer>, limit: number, what: string): Promise<string> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > limit) throw new Malformed(`${what} is longer than ${limit} bytes`);
    kept.push(piece);
  }
  return Buffer.concat(kept).toString();
}

/** What is known of a file, and its bytes where they are not too many. */
type Read = Pick<UploadedFile, 'size' | 'sha256' | 'md5'> & { readonly bytes: Buffer | undefined };

async function fingerprint(pieces: AsyncIterable<Buffer>): Promise<Read> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let kept: Buffer[] | undefined = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    sha256.update(piece);
    md5.update(piece);
    if (size > MAX_KEPT) kept = undefined;
    kept?.push(piece);
  }
  return { size, sha256: sha256.digest('hex'), md5: md5.digest('hex'), bytes: kept && Buffer.concat(kept) };
}

/** WeChat Pay does not read `filename*=`: a part with nothing else is not a file. */
function readPart(text: string): { name: string; filename: string | undefined; type: string } {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const [, name = '', value = ''] = /^([^\s:]+):[ \t]*(.*)$/.exec(line) ?? [];
    headers.set(name.toLowerCase(), value.trim());
  }
  const disposition = headers.get('content-disposition') ?? '';
  const parameter = (name: string) => {
    const [, quoted, plain] = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(disposition) ?? [];
    return quoted ?? plain;
  };
  const name = parameter('name');
  if (!/^form-data\s*;/i.test(disposition) || name === undefined) {
    throw new Malformed('a part has no Content-Disposition: form-data; name="…"');
  }
  return { name, filename: parameter('filename'), type: headers.get('content-type') ?? '' };
}
