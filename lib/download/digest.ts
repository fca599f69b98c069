import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { codeOf } from '../crypto/bytes';
import { type Algorithm, fingerprint, isDigest } from '../crypto/fingerprint';
import { BodyError, InvalidArgumentError, SignatureError } from '../errors';
import type { ReceivedHeaders } from '../format/headers';

/**
 * The overseas statements (`hk/v3/statements`, `v3/global/statements`), under any base URL. Because the body may be
 * large, the response signature covers its hash.
 */
const STATEMENTS = /\/v3\/(?:global\/)?statements\/*$/i;
const HEADER = 'wechatpay-statement-sha1';

/** Values of `Content-Encoding`. */
const PLAIN = /^(?:identity)?$/i;
const ZIPPED = /^(?:x-)?gzip$/i;

/**
 * The text that WeChat Pay signs instead of the body when an overseas statement is downloaded: `{"sha1":"…"}` with the
 * value of the `Wechatpay-Statement-Sha1` header.
 *
 * WeChat Pay does not document this rule; wechatpay-php has implemented it since 1.4.5 (pull requests 95 and 112).
 * @param target path of the request, with or without its query
 * @param headers headers of the response
 * @returns the text to verify in place of the body; `undefined` for any other path
 * @throws {@link SignatureError} `ERR_SIGNATURE_MISSING` if the header is missing, repeated or not a SHA-1 hash: the
 * signature covers nothing else, so the statement could be replaced unnoticed
 * @see https://pay.weixin.qq.com/doc/global/v3/en/4012356934
 */
export function signedStatement(target: string, headers: ReceivedHeaders): string | undefined {
  if (!STATEMENTS.test(target.split('?', 1)[0] as string)) return undefined;
  const sha1 = headers[HEADER];
  if (isDigest('sha1', sha1)) return `{"sha1":"${sha1}"}`;
  const found = sha1 === undefined ? 'is missing' : Array.isArray(sha1) ? 'is repeated' : 'is not a SHA-1 hash';
  throw new SignatureError(
    'ERR_SIGNATURE_MISSING',
    `The header "${HEADER}" ${found}: without it, the signature does not cover the statement.`,
    { serial: text(headers['wechatpay-serial']), requestId: text(headers['request-id']) },
  );
}

/**
 * The hash that the body of an overseas statement must have, for `checkDigest`. Without that check, the signature does
 * not cover the body.
 * @param headers headers of the response
 * @returns `undefined` if the headers contain no hash
 * @throws {@link BodyError} `ERR_BODY_DIGEST` if the body is compressed with anything but gzip
 */
export function statementDigest(headers: ReceivedHeaders): FileDigest | undefined {
  const sha1 = headers[HEADER];
  if (!isDigest('sha1', sha1)) return undefined;
  const encoding = headers['content-encoding'];
  if (encoding === undefined || PLAIN.test(String(encoding))) return { hash_type: 'SHA1', hash_value: sha1 };
  if (ZIPPED.test(String(encoding))) return { hash_type: 'SHA1', hash_value: sha1, tar_type: 'GZIP' };
  throw new BodyError(
    'ERR_BODY_DIGEST',
    'The "content-encoding" of the statement is not gzip: its hash cannot be checked.',
  );
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? undefined : value;
}

/** The hash of a file, as returned by WeChat Pay with the `download_url`. */
export interface FileDigest {
  /** `SHA1`; `SHA256` or `SM3` for some receipts. */
  hash_type: string;
  /** Hash of the plain text, in hexadecimal. */
  hash_value: string;
  /** `GZIP` if the bill was requested with `tar_type=GZIP`: the file is then unzipped. */
  tar_type?: string | undefined;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = { SHA1: 'sha1', SHA256: 'sha256', SM3: 'sm3' };

/**
 * Passes a file through as plain text and checks its hash. The stream errors at its end if the hash does not match, so
 * whatever is read to the end without an error is what WeChat Pay sent.
 * @param body the body of the download response
 * @param expected `hash_type` and `hash_value` from the response to the request for the file, and the requested `tar_type`
 * @returns a stream that fails with a {@link BodyError}, `ERR_BODY_DIGEST`, if the hash does not match or the gzip data
 * is corrupt or truncated
 * @throws {@link InvalidArgumentError} if the hash type, its value or the `tar_type` is not supported
 * @example
 * const { download_url, ...digest } = await instance.v3.bill.tradebill.get({ query: { bill_date, tar_type: 'GZIP' } }).json();
 * const { body } = await instance.chain(download_url).get();
 * for await (const row of parseBill(checkDigest(body, { ...digest, tar_type: 'GZIP' }))) console.log(row);
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791868
 */
export function checkDigest(body: ReadableStream<Uint8Array> | null, expected: FileDigest): ReadableStream<Uint8Array> {
  const { taken, value: hash, isZipped } = readDigest(expected);
  if (body !== null && !(body instanceof ReadableStream)) {
    throw new InvalidArgumentError('"body" must be the body of a response: a ReadableStream, or null.');
  }
  const received = body === null ? Readable.from([]) : Readable.fromWeb(body as WebStream<Uint8Array>);
  const plain = isZipped ? unzip(received) : received;
  const chunks = plain[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next().catch((error: unknown) => {
          throw explain(error);
        });
        if (!done) {
          taken.update(value);
          controller.enqueue(value);
        } else if (taken.digest() === hash) {
          controller.close();
        } else {
          throw new BodyError(
            'ERR_BODY_DIGEST',
            `The ${expected.hash_type} of the file does not match; discard the file.`,
          );
        }
      },
      cancel() {
        plain.destroy();
        received.destroy();
      },
    },
    // Disables reading ahead of the caller.
    { highWaterMark: 0 },
  );
}

/**
 * Reads the expected digest, before there is a file.
 * @throws {@link InvalidArgumentError} if the hash type, its value or the `tar_type` is not supported, or this Node.js
 * lacks the hash
 */
export function readDigest(expected: FileDigest) {
  const { hash_type, hash_value, tar_type }: Record<string, unknown> = Object(expected);
  const algorithm = algorithmOf(hash_type);
  if (!isDigest(algorithm, hash_value)) {
    throw new InvalidArgumentError(`"hash_value" is not a hexadecimal ${hash_type} hash.`);
  }
  return { taken: fingerprint(algorithm), value: hash_value.toLowerCase(), isZipped: readTarType(tar_type) };
}

function algorithmOf(type: unknown): Algorithm {
  const name = typeof type === 'string' ? type.toUpperCase() : `a ${typeof type}`;
  if (Object.hasOwn(ALGORITHMS, name)) return ALGORITHMS[name] as Algorithm;
  throw new InvalidArgumentError(`"hash_type" must be one of ${Object.keys(ALGORITHMS).join(', ')}, not ${name}.`);
}

function readTarType(type: unknown): boolean {
  if (type === undefined || type === '') return false;
  if (typeof type === 'string' && /^gzip$/i.test(type)) return true;
  const found = typeof type === 'string' ? type : `a ${typeof type}`;
  throw new InvalidArgumentError(`"tar_type" must be GZIP or omitted, not ${found}.`);
}

/** `DecompressionStream` would not do: in Node.js 20 it reads ahead without limit, and cancel never reaches the source. */
function unzip(zipped: Readable): Readable {
  const gunzip = createGunzip();
  pipeline(zipped, gunzip).catch(() => {
    // `gunzip` has failed with the same error.
  });
  return gunzip;
}

function explain(error: unknown): unknown {
  const code = codeOf(error);
  if (!code.startsWith('Z_')) return error;
  return new BodyError('ERR_BODY_DIGEST', `The file is an incomplete or corrupt gzip (${code}); discard the file.`, {
    cause: error,
  });
}
