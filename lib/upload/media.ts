import { type Algorithm, fingerprint } from '../crypto/fingerprint';
import { InvalidArgumentError } from '../errors';
import { fieldText } from '../format/fields';
import { notWritable } from '../format/json';
import { type Content, contentTypeOf, type Multipart, multipart } from './multipart';
import { filenameOf, type MediaSource, readSource, type Source } from './source';

export type { MediaSource };

/** What is known about the file when the fields sent with it are written. */
export interface MediaFile {
  readonly filename: string;
  /** Number of bytes. */
  readonly size: number;
  /** Hash of the bytes, in lower-case hexadecimal; SHA-256 unless `algorithm` is set. */
  readonly digest: string;
}

/** What is sent beside a file, by name. */
export type MediaFields = Readonly<Record<string, unknown>>;

/** Options of {@link Media.from}. */
export interface MediaOptions {
  /** File name, with an extension that WeChat Pay accepts. Defaults to the name of the path, `File` or file stream. */
  filename?: string;
  /** Media type of the file. Defaults to the type for its extension. */
  contentType?: string;
  /** Name of the form part that contains the file. Defaults to `file`. */
  name?: string;
  /** Hash passed to `meta` or `fields` as `digest`. Defaults to `sha256`. */
  algorithm?: 'md5' | 'sha1' | 'sha256' | 'sm3';
  /**
   * The `meta` part, `{ filename, sha256 }` by default. An object adds members (`undefined` removes one); a function
   * replaces the default, for operations with other member names.
   */
  meta?: MediaFields | ((file: MediaFile) => MediaFields | Promise<MediaFields>);
  /** Plain form fields instead of `meta`, as required by `uploadmedia` of v2. */
  fields?: (file: MediaFile) => MediaFields | Promise<MediaFields>;
}

/** The parts of a {@link Media}. */
interface Init {
  file: MediaFile;
  source: Source;
  fields: Readonly<Record<string, string>>;
  name: string;
  contentType: string;
  algorithm: Algorithm;
}

/** The types of the options. */
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
 * A file to upload, used as the body of a request: `multipart/form-data`, of which APIv3 signs only the `meta` part.
 *
 * The file is read once to hash it, and again each time it is sent; it is never held in memory.
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
   * Reads and hashes a file for upload.
   *
   * A stream can be read only once, but its hash is sent before its content. It is therefore stored in a temporary file
   * until the media is disposed of.
   * @throws {@link InvalidArgumentError} if the file cannot be read or has no name, or an option is invalid
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
    // Before anything is read, because the names must be valid.
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

  /** Hash of the file with the `algorithm` from the options, in lower-case hexadecimal. */
  get digest(): string {
    return this.#init.file.digest;
  }

  /** The form fields sent with the file, as strings. */
  get fields(): Readonly<Record<string, string>> {
    return this.#init.fields;
  }

  /** The `meta` part: JSON that APIv3 signs as the body. Empty if there is none. */
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
   * The bytes of the body, from the start. Each call returns the same bytes again.
   *
   * Throws an {@link InvalidArgumentError}, before the last boundary, if the file has changed since it was hashed.
   */
  stream(): AsyncIterable<Uint8Array> {
    return this.#form.stream();
  }

  /** The same file with other fields, such as a `sign` computed from the existing ones. */
  withFields(fields: Readonly<Record<string, unknown>>): Media {
    return new Media({ ...this.#init, fields: texts(fields) });
  }

  /** Deletes the temporary file, if there is one. The media cannot be sent afterwards. */
  dispose(): Promise<void> {
    return this.#init.source.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Identifies a media, including one created by another copy of this package. */
  get [BRAND](): true {
    return true;
  }
}

/** Whether this is a {@link Media}, including one created by another copy of this package. */
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

/** The content of the file; throws if it differs from what was hashed. */
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
