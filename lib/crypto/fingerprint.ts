import { createHash, getHashes, type Hash } from 'node:crypto';
import { InvalidArgumentError } from '../errors';

/** Hashes that WeChat Pay uses for files, by their OpenSSL names. */
export type Algorithm = 'md5' | 'sha1' | 'sha256' | 'sm3';

/** Hexadecimal digits of each. */
const DIGITS: Readonly<Record<Algorithm, number>> = { md5: 32, sha1: 40, sha256: 64, sm3: 64 };

/** Counts and hashes bytes as they pass through. */
export interface Fingerprint {
  /** Number of bytes so far. */
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** Their hash, in lower-case hexadecimal. Call this once, at the end. */
  digest(): string;
}

/** Whether this is one of the hashes and a hexadecimal string of its length. */
export function isDigest(algorithm: Algorithm, value: unknown): value is string {
  return typeof value === 'string' && value.length === DIGITS[algorithm] && /^[0-9a-f]+$/i.test(value);
}

/**
 * Starts a fingerprint.
 * @throws {@link InvalidArgumentError} if WeChat Pay does not use the hash, or this Node.js build's OpenSSL lacks it
 */
export function fingerprint(algorithm: Algorithm): Fingerprint {
  const hash = create(algorithm);
  let size = 0;
  return {
    get size() {
      return size;
    },
    update(bytes) {
      size += bytes.length;
      hash.update(bytes);
    },
    digest: () => hash.digest('hex'),
  };
}

function create(algorithm: Algorithm): Hash {
  if (!Object.hasOwn(DIGITS, algorithm)) {
    throw new InvalidArgumentError(`The hash must be one of ${Object.keys(DIGITS).join(', ')}.`);
  }
  if (getHashes().includes(algorithm)) return createHash(algorithm);
  throw new InvalidArgumentError(`This Node.js build's OpenSSL does not support ${algorithm}.`);
}
