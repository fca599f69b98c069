import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { codeOf } from '../crypto/error-code';
import { BodyError, InvalidArgumentError } from '../errors';
import { type Algorithm, fingerprint, isDigest } from './fingerprint';

/** The hash of a file, as WeChat Pay's answer names it beside the `download_url`. */
export interface FileDigest {
  /** `SHA1`; `SHA256` or `SM3` for some receipts. */
  hash_type: string;
  /** Hash of the plain text, in hexadecimal. */
  hash_value: string;
  /** `GZIP` where the bill was asked for with `tar_type=GZIP`: it is unzipped on the way. */
  tar_type?: string | undefined;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = { SHA1: 'sha1', SHA256: 'sha256', SM3: 'sm3' };

/**
 * Passes a file on as plain text, and checks it on the way: the stream itself fails at its end where the hash is another,
 * so that what is read to the end without an error is what WeChat Pay has sent.
 * @param body the body of the download's answer
 * @param expected `hash_type` and `hash_value` of the answer to the application for the file, and the `tar_type` applied for
 * @returns a stream that fails with a {@link BodyError}, `ERR_BODY_DIGEST`, where the hash does not match or the gzip is
 * damaged or cut off
 * @throws {@link InvalidArgumentError} where the hash is not known, its value is none, or the file is zipped otherwise
 * @example
 * const { download_url, ...digest } = await instance.v3.bill.tradebill.get({ query: { bill_date, tar_type: 'GZIP' } }).json();
 * const { body } = await instance.chain(download_url).get();
 * for await (const row of parseBill(checkDigest(body, { ...digest, tar_type: 'GZIP' }))) console.log(row);
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791868
 */
export function checkDigest(body: ReadableStream<Uint8Array> | null, expected: FileDigest): ReadableStream<Uint8Array> {
  const { taken, value: hash, isZipped } = readDigest(expected);
  if (body !== null && !(body instanceof ReadableStream)) {
    throw new InvalidArgumentError('"body" must be the body of an answer: a ReadableStream, or null.');
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
            `The ${expected.hash_type} of the file is not the one expected: do not use it.`,
          );
        }
      },
      cancel() {
        plain.destroy();
        received.destroy();
      },
    },
    // Nothing is read ahead of the caller.
    { highWaterMark: 0 },
  );
}

/**
 * What a digest says, before there is a file.
 * @throws {@link InvalidArgumentError} where the hash is not known, its value is none, this Node cannot take it, or the
 * file is zipped otherwise
 */
export function readDigest(expected: FileDigest) {
  const { hash_type, hash_value, tar_type }: Record<string, unknown> = Object(expected);
  const algorithm = algorithmOf(hash_type);
  if (!isDigest(algorithm, hash_value)) {
    throw new InvalidArgumentError(`"hash_value" is no ${hash_type} in hexadecimal.`);
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
  throw new InvalidArgumentError(`"tar_type" must be GZIP or left out, not ${found}.`);
}

/** Not by the web's DecompressionStream: in Node 20 it reads ahead without bound, and a cancel never reaches the source. */
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
  return new BodyError('ERR_BODY_DIGEST', `The file is no whole gzip (${code}): do not use it.`, { cause: error });
}
