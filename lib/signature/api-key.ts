import * as AesGcm from '../crypto/aes-gcm';
import { bytesOf } from '../crypto/bytes';
import { ConfigurationError } from '../errors';

/** Bytes of the APIv3 key, of the APIv2 key and of the API key of a brand. */
const KEY_LENGTH = 32;

/**
 * Reads an API key of the merchant or of the brand.
 * @param name the option that holds it
 * @param title what the merchant platform, or the console of brands, calls it
 * @returns its bytes, a copy; undefined where there is none
 * @throws {@link ConfigurationError} where it has not 32 bytes; the error never shows it
 */
export function readApiKey(name: string, title: 'APIv2' | 'APIv3' | 'brand API', value: unknown): Buffer | undefined {
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

/** Where the key that was configured can be compared. */
const COMPARE = {
  apiv3Key:
    'Most likely "apiv3Key" is not, or is no longer, this merchant\'s APIv3 key: compare it with the merchant platform ' +
    '(账户中心 → API安全).',
  brandApiKey:
    'Most likely "brandApiKey" is not, or is no longer, this brand\'s API key: compare it with the console of brands ' +
    '(品牌经营平台).',
} as const;

/** The options that hold a key which decrypts what WeChat Pay sends. */
export type DecryptingKey = keyof typeof COMPARE;

/**
 * Decrypts what WeChat Pay has encrypted with the APIv3 key of a merchant, or with the API key of a brand.
 * @param issue begins the error: what cannot be decrypted
 * @param option the one that the key was configured by
 * @throws {@link ConfigurationError} where that fails; most likely it is another key
 */
export async function decryptApiv3(
  { ciphertext, nonce, associated_data }: Apiv3Ciphertext,
  apiv3Key: Uint8Array,
  issue: string,
  option: DecryptingKey = 'apiv3Key',
): Promise<string> {
  try {
    return await AesGcm.decrypt(String(ciphertext), apiv3Key, String(nonce ?? ''), String(associated_data ?? ''));
  } catch (cause) {
    throw new ConfigurationError(`${issue} ${COMPARE[option]}`, { cause });
  }
}
