import { InvalidArgumentError } from '../errors';
import { nonce } from '../signature/formatter';

/** Media types by file extension, for the types that WeChat Pay accepts. */
const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  bmp: 'image/bmp',
  gif: 'image/gif',
  webp: 'image/webp',
  mp4: 'video/mp4',
  f4v: 'video/mp4',
  m4v: 'video/x-m4v',
  mpeg: 'video/mpeg',
  mpg: 'video/mpeg',
  mov: 'video/quicktime',
  avi: 'video/x-msvideo',
  wmv: 'video/x-ms-wmv',
  mkv: 'video/x-matroska',
  flv: 'video/x-flv',
  rmvb: 'application/vnd.rn-realmedia-vbr',
  pdf: 'application/pdf',
  ofd: 'application/ofd',
  xml: 'application/xml',
  zip: 'application/zip',
  csv: 'text/csv',
  txt: 'text/plain',
};

/** The media type for the extension of a file name, case-insensitively; `application/octet-stream` if it is unknown. */
export function contentTypeOf(filename: string): string {
  const ending = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase();
  return (Object.hasOwn(TYPES, ending) && TYPES[ending]) || 'application/octet-stream';
}

/** Bytes that can be read more than once. */
export interface Content {
  /** Number of bytes. */
  readonly size: number;
  /** The bytes from the start, again on each call. */
  open(): AsyncIterable<Uint8Array>;
}

/** A part of a form. */
export interface Part {
  /** Name of the field. */
  name: string;
  /** A string (sent as UTF-8), bytes, or a {@link Content}. */
  content: string | Uint8Array | Content;
  /** File name, sent as unescaped UTF-8. */
  filename?: string;
  /** The part's `Content-Type`. */
  contentType?: string;
}

/** A form that can be sent more than once. */
export interface Multipart {
  /** The `Content-Type` header: `multipart/form-data` with the boundary. */
  readonly contentType: string;
  /** Exact number of bytes. */
  readonly contentLength: number;
  /** The bytes from the start; each call returns the same bytes again. */
  stream(): AsyncIterable<Uint8Array>;
}

/** Characters that would end a quoted header value early, or that parsers read differently. */
const UNQUOTABLE = /["\\\p{Cc}\p{Cs}]/u;
const CONTENT_TYPE = /^[\x21-\x7e][\x20-\x7e]*$/;

/**
 * Encodes a form as `multipart/form-data` (RFC 7578), with its parts in the given order. File names are sent as plain
 * UTF-8, never as `filename*=`, which WeChat Pay does not read.
 * @param boundary a string that occurs in no part; random by default
 * @throws {@link InvalidArgumentError} if a name or a type is not valid in a header
 */
export function multipart(parts: readonly Part[], boundary = `----${nonce()}`): Multipart {
  const pieces: (Uint8Array | Content)[] = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headers(part)}\r\n`),
    typeof part.content === 'string' ? Buffer.from(part.content) : part.content,
    Buffer.from('\r\n'),
  ]);
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: pieces.reduce((sum, piece) => sum + ('size' in piece ? piece.size : piece.length), 0),
    async *stream() {
      for (const piece of pieces) {
        if ('size' in piece) yield* piece.open();
        else if (piece.length > 0) yield piece;
      }
    },
  };
}

function headers({ name, filename, contentType }: Part): string {
  const disposition = [`name="${quotable('field name', name)}"`];
  if (filename !== undefined) disposition.push(`filename="${quotable('file name', filename)}"`);
  if (contentType !== undefined && !CONTENT_TYPE.test(contentType)) {
    throw new InvalidArgumentError('A content type must be printable ASCII, such as image/png.');
  }
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  return `Content-Disposition: form-data; ${disposition.join('; ')}\r\n${type}`;
}

function quotable(what: string, text: string): string {
  if (typeof text === 'string' && text !== '' && !UNQUOTABLE.test(text)) return text;
  throw new InvalidArgumentError(
    `The ${what} must be a non-empty string without quotes, backslashes or control characters.`,
  );
}
