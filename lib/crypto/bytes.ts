import { InvalidArgumentError } from '../errors';

/** Length of AES-256 keys, including WeChat Pay's APIv3 key, in bytes. */
const AES_KEY_LENGTH = 32;

/**
 * Encodes a string as UTF-8; returns bytes unchanged.
 * @param name the name of the value in the error, which states its type and never its content
 * @throws {@link InvalidArgumentError} if the value is neither
 */
export function bytesOf(value: string | Uint8Array, name: string): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new InvalidArgumentError(`"${name}" must be a string or bytes, not ${value === null ? 'null' : typeof value}.`);
}

/**
 * The bytes of an AES-256 key.
 * @throws {@link InvalidArgumentError} if it is not 32 bytes long
 */
export function aesKeyOf(key: string | Uint8Array): Buffer {
  const bytes = bytesOf(key, 'key');
  if (bytes.length === AES_KEY_LENGTH) return bytes;
  throw new InvalidArgumentError(`An AES-256 key must be ${AES_KEY_LENGTH} bytes long; this one has ${bytes.length}.`);
}

/**
 * Decodes Base64 strictly: the alphabet with `+` and `/`, padding, no white space.
 * @returns the bytes, or `undefined` if the value is not valid Base64
 */
export function decodeBase64(value: unknown): Buffer | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}

/** The code of an error of Node.js or OpenSSL; unlike the message, it never contains input. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no code';
}
