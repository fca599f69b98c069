import { InvalidArgumentError } from '../errors';

/** Bytes of the keys of AES-256, WeChat Pay's APIv3 key among them. */
const AES_KEY_LENGTH = 32;

/**
 * Text as UTF-8, or bytes as they are.
 * @param name what the error calls the value; it tells the type and never the value
 * @throws {@link InvalidArgumentError} where the value is neither
 */
export function bytesOf(value: string | Uint8Array, name: string): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new InvalidArgumentError(`"${name}" must be a string or bytes, not ${value === null ? 'null' : typeof value}.`);
}

/**
 * The bytes of an AES-256 key.
 * @throws {@link InvalidArgumentError} where there are not 32 of them
 */
export function aesKeyOf(key: string | Uint8Array): Buffer {
  const bytes = bytesOf(key, 'key');
  if (bytes.length === AES_KEY_LENGTH) return bytes;
  throw new InvalidArgumentError(`An AES-256 key must be ${AES_KEY_LENGTH} bytes long; this one has ${bytes.length}.`);
}

/**
 * Decodes Base64 strictly: the alphabet with `+` and `/`, padding, no blanks.
 * @returns the bytes, or `undefined` where the value is no Base64
 */
export function decodeBase64(value: unknown): Buffer | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}

/** The code of an error of Node or OpenSSL, which unlike its message is sure to hold nothing of the input. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no code';
}
