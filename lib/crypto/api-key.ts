import { ConfigurationError } from '../errors';
import { bytesOf } from './bytes';

/** Bytes of the APIv3 key and of the APIv2 key. */
const KEY_LENGTH = 32;

/**
 * Reads an API key of the merchant.
 * @param name the option that holds it
 * @param title what the merchant platform calls it
 * @returns its bytes, a copy; undefined where there is none
 * @throws {@link ConfigurationError} where it has not 32 bytes; the error never shows it
 */
export function readApiKey(name: string, title: 'APIv2' | 'APIv3', value: unknown): Buffer | undefined {
  if (value === undefined) return undefined;
  const readable = typeof value === 'string' || value instanceof Uint8Array;
  // A copy: what is given as bytes may change.
  if (readable && Buffer.byteLength(value) === KEY_LENGTH) return Buffer.from(bytesOf(value, name));
  const found = readable ? `${Buffer.byteLength(value)} bytes` : `a value of type ${typeof value}`;
  throw new ConfigurationError(`"${name}" must be the ${title} key, ${KEY_LENGTH} bytes; found ${found}.`);
}
