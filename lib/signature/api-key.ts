import * as AesGcm from '../crypto/aes-gcm';
import { bytesOf } from '../crypto/bytes';
import { ConfigurationError } from '../errors';

/** Length of the APIv3 key and of the APIv2 key, in bytes. */
const KEY_LENGTH = 32;

/**
 * Reads an API key of the merchant.
 * @param name the option that contains it
 * @param title its name on the merchant platform
 * @returns a copy of its bytes; undefined if there is none
 * @throws {@link ConfigurationError} if it is not 32 bytes long; the error never shows it
 */
export function readApiKey(name: string, title: 'APIv2' | 'APIv3', value: unknown): Buffer | undefined {
  if (value === undefined) return undefined;
  const readable = typeof value === 'string' || value instanceof Uint8Array;
  // A copy, because the caller may change the bytes.
  if (readable && Buffer.byteLength(value) === KEY_LENGTH) return Buffer.from(bytesOf(value, name));
  const found = readable ? `${Buffer.byteLength(value)} bytes` : `a value of type ${typeof value}`;
  throw new ConfigurationError(`"${name}" must be the ${title} key, ${KEY_LENGTH} bytes; found ${found}.`);
}

/** The members that WeChat Pay sends with a ciphertext, unchecked. */
export interface Apiv3Ciphertext {
  ciphertext: unknown;
  nonce: unknown;
  associated_data: unknown;
}

/**
 * Decrypts data that WeChat Pay has encrypted with a merchant's APIv3 key.
 * @param issue beginning of the error: what cannot be decrypted
 * @throws {@link ConfigurationError} if decryption fails; most likely the key is another one
 */
export async function decryptApiv3(
  { ciphertext, nonce, associated_data }: Apiv3Ciphertext,
  apiv3Key: Uint8Array,
  issue: string,
): Promise<string> {
  try {
    return await AesGcm.decrypt(String(ciphertext), apiv3Key, String(nonce ?? ''), String(associated_data ?? ''));
  } catch (cause) {
    throw new ConfigurationError(
      `${issue} Most likely "apiv3Key" is not, or is no longer, this merchant's APIv3 key: compare it with the ` +
        'merchant platform (账户中心 → API安全).',
      { cause },
    );
  }
}
