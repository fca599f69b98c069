import { type Algorithm, fingerprint } from '../crypto/fingerprint';
import { InvalidArgumentError } from '../errors';
import { fieldText } from '../format/fields';
import { notWritable } from '../format/json';
import { type Content, contentTypeOf, type Multipart, multipart } from './multipart';
import { filenameOf, type MediaSource, readSource, type Source } from './source';

export type { MediaSource };

/** What is known of the file when the fields beside it are written. */
export interface MediaFile {
  readonly filename: string;
  /** Number of bytes. */
  readonly size: number;
  /** Hash of the bytes, in lower-case hexadecimal; SHA-256 unless `algorithm` says otherwise. */
  readonly digest: string;
}

/** What is sent beside a file, by name. */
export type MediaFields = Readonly<Record<string, unknown>>;

/** Options of {@link Media.from}. */
export interface MediaOptions {
  /** Name of the file, with an ending that WeChat Pay takes; that of the path, `File` or file stream by default. */
  filename?: string;
  /** Media type of the file; by the ending of its name by default. */
  contentType?: string;
  /** Name of the part that holds the file; `file` by default. */
  name?: string;
  /** Hash of the file that `meta` or `fields` is given as `digest`; `sha256` by default. */
  algorithm?: 'md5' | 'sha1' | 'sha256' | 'sm3';
  /**
   * The part `meta`, `{ filename, sha256 }` by default. An object adds to that (a member of `undefined` takes away); a
   * function replaces it, for the operations that want other names.
   */
  meta?: MediaFields | ((file: MediaFile) => MediaFields | Promise<MediaFields>);
  /** Plain fields instead of `meta`, as v2's `uploadmedia` wants them. */
  fields?: (file: MediaFile) => MediaFields | Promise<MediaFields>;
}

/** What a {@link Media} is made of. */
interface Init {
  file: MediaFile;
  source: Source;
  fields: Readonly<Record<string, string>>;
  name: string;
  contentType: string;
  algorithm: Algorithm;
}

/** What the options must be where they are given. */
const TYPES = { filename: 'string', contentType: 'string', name: 'string', algorithm: 'string', fields: 'function' };

function checkTypes(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('The options must be an object.');
  for (const [name, value] of Object.entries(options)) {
    const type = Object.hasOwn(TYPES, name) ? TYPES[name as keyof typeof TYPES] : typeof value;
    if (value !== undefined && typeof value !== type) throw new InvalidArgumentError(`"${name}" must be a ${type}.`);
  }
}

const BRAND = Symbol.for('wechatpay-undici.Media');

/**
 * A file to upload, as the body of a request: `multipart/form-data`, of which APIv3 signs the part `meta` alone.
 *
 * The file is read once to be hashed, and once more each time it is sent; it is never held in memory.
 */
export class Media {
  /** Name of the file. */
  readonly filename: string;
  /** Number of bytes of the file. */
  readonly size: number;
  readonly #init: Init;
  readonly #form: Multipart;

  private constructor(init: Init) {
    this.filename = init.file.filename;
    this.size = init.file.size;
    this.#init = init;
    const fields = Object.entries(init.fields).map(([name, content]) =>
      name === 'meta' ? { name, content, contentType: 'application/json' } : { name, content },
    );
    const { name, contentType } = init;
    this.#form = multipart([...fields, { name, content: unchanged(init), filename: this.filename, contentType }]);
  }

  /**
   * Reads and hashes a file, to be uploaded.
   *
   * A stream can be read only once, and its hash has to go out before it: it is kept in a temporary file until the media
   * is disposed of.
   * @throws {@link InvalidArgumentError} where the file cannot be read, has no name, or an option cannot be used
   * @example
   * const media = await Media.from('/path/to/图片.png');
   * await instance.v3.merchant.media.upload.post({ body: media });
   * @example
   * await using media = await Media.from(stream, { filename: 'invoice.pdf', algorithm: 'sm3',
   *   meta: ({ digest }) => ({ file_type: 'PDF', digest_alogrithm: 'SM3', digest }) });
   */
  static async from(source: MediaSource, options: MediaOptions = {}): Promise<Media> {
    checkTypes(options);
    const { name = 'file', algorithm = 'sha256', meta, fields } = options;
    const filename = options.filename ?? filenameOf(source);
    if (filename === undefined || filename === '') {
      throw new InvalidArgumentError('Missing file name; pass "filename", such as "shop.png".');
    }
    if (meta !== undefined && fields !== undefined)
      throw new InvalidArgumentError('Pass either "meta" or "fields", not both.');
    if (algorithm !== 'sha256' && typeof meta !== 'function' && fields === undefined) {
      throw new InvalidArgumentError(
        `With the algorithm ${algorithm}, "meta" must be a function, so that it can place the digest.`,
      );
    }
    const contentType = options.contentType ?? contentTypeOf(filename);
    // Before anything is read: the names must do.
    multipart([{ name, content: '', filename, contentType }]);

    const taken = fingerprint(algorithm);
    const opened = await readSource(source, taken);
    try {
      const file = { filename, size: taken.size, digest: taken.digest() };
      const written = fields ? await fields(file) : { meta: writeJson(await metaOf(meta, file)) };
      return new Media({ file, source: opened, fields: texts(written), name, contentType, algorithm });
    } catch (error) {
      await opened.dispose();
      throw error;
    }
  }

  /** Hash of the file, in lower-case hexadecimal, by the `algorithm` of the options. */
  get digest(): string {
    return this.#init.file.digest;
  }

  /** The fields beside the file, as text. */
  get fields(): Readonly<Record<string, string>> {
    return this.#init.fields;
  }

  /** The part `meta`: JSON, which is the body as far as the signature of APIv3 goes. Empty where there is none. */
  get meta(): string {
    return this.fields.meta ?? '';
  }

  /** Headers that describe the body. */
  get headers(): { 'content-type': string } {
    return { 'content-type': this.#form.contentType };
  }

  /** Exact number of bytes of the body. */
  get contentLength(): number {
    return this.#form.contentLength;
  }

  /**
   * The bytes of the body from the first on, anew and the same at each call.
   *
   * It fails with an {@link InvalidArgumentError}, before the last boundary, where the file is not what was hashed.
   */
  stream(): AsyncIterable<Uint8Array> {
    return this.#form.stream();
  }

  /** The same file with other fields, such as a `sign` over those it has. */
  withFields(fields: Readonly<Record<string, unknown>>): Media {
    return new Media({ ...this.#init, fields: texts(fields) });
  }

  /** Deletes the temporary file, where there is one. The media cannot be sent afterwards. */
  dispose(): Promise<void> {
    return this.#init.source.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Tells a media, also one of another copy of this package. */
  get [BRAND](): true {
    return true;
  }
}

/** Whether this is a {@link Media}, also one of another copy of this package. */
export function isMedia(value: unknown): value is Media {
  return typeof value === 'object' && value !== null && BRAND in value;
}

async function metaOf(meta: MediaOptions['meta'], file: MediaFile): Promise<Readonly<Record<string, unknown>>> {
  return typeof meta === 'function' ? meta(file) : { filename: file.filename, sha256: file.digest, ...meta };
}

function writeJson(meta: unknown): string {
  if (typeof meta !== 'object' || meta === null) throw new InvalidArgumentError('"meta" must return an object.');
  try {
    return JSON.stringify(meta);
  } catch (cause) {
    throw notWritable('meta', cause);
  }
}

function texts(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fieldText(name, value)]));
}

/** The file, as long as it is what was hashed. */
function unchanged({ file, source, algorithm }: Init): Content {
  return {
    size: file.size,
    async *open() {
      const taken = fingerprint(algorithm);
      for await (const chunk of source.open()) {
        taken.update(chunk);
        if (taken.size > file.size) throw changed(file);
        yield chunk;
      }
      if (taken.size !== file.size || taken.digest() !== file.digest) throw changed(file);
    },
  };
}

function changed({ filename }: MediaFile): InvalidArgumentError {
  return new InvalidArgumentError(
    `"${filename}" has changed since it was hashed: the upload was aborted. Create the Media again.`,
  );
}
