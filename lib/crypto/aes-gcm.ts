import { createCipheriv, createDecipheriv } from 'node:crypto';
import { InvalidArgumentError } from '../errors';
import { aesKeyOf, bytesOf, decodeBase64 } from './bytes';

const ALGORITHM = 'aes-256-gcm';
/** Length of the tag in bytes; it follows the ciphertext (RFC 5116, 5.1). */
const TAG_LENGTH = 16;
/** Length in bytes of the longest nonce that OpenSSL 3 accepts; WeChat Pay's have 12. */
const MAX_IV_LENGTH = 128;

/**
 * Encrypts with AES-256-GCM, as WeChat Pay does in notifications and platform certificates.
 * @param plaintext a string, encoded as UTF-8, or bytes
 * @param key the APIv3 key, 32 bytes
 * @param iv the `nonce`, 1 to 128 bytes; WeChat Pay's have 12. Never reuse one with the same key
 * @param aad the `associated_data`, which is authenticated but not encrypted
 * @returns ciphertext and tag in Base64
 * @throws {@link InvalidArgumentError} if the key is not 32 bytes long, or the `iv` is empty or longer than 128 bytes
 * @example const ciphertext = await AesGcm.encrypt('plain', apiv3Key, Formatter.nonce(12), 'transaction');
 */
export async function encrypt(
  plaintext: string | Uint8Array,
  key: string | Uint8Array,
  iv: string | Uint8Array,
  aad: string | Uint8Array = '',
): Promise<string> {
  const [secret, nonce] = [aesKeyOf(key), ivOf(iv)];
  const [additional, text] = [bytesOf(aad, 'aad'), bytesOf(plaintext, 'plaintext')];
  const cipher = createCipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG_LENGTH }).setAAD(additional);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/**
 * Decrypts AES-256-GCM: the `resource` of a notification, or a platform certificate. Returns nothing unless the tag is
 * valid.
 * @param ciphertext ciphertext and tag in Base64
 * @param key the APIv3 key, 32 bytes
 * @param iv the `nonce` that came with the ciphertext
 * @param aad the `associated_data` that came with it, or an empty string
 * @returns the plain text, decoded as UTF-8
 * @throws {@link InvalidArgumentError} if the key is not 32 bytes long, the `iv` is empty or longer than 128 bytes, or
 * the tag does not match
 * @example const { ciphertext, nonce, associated_data } = notification.resource;
 * const resource = JSON.parse(await AesGcm.decrypt(ciphertext, apiv3Key, nonce, associated_data));
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012071382
 */
export async function decrypt(
  ciphertext: string,
  key: string | Uint8Array,
  iv: string | Uint8Array,
  aad: string | Uint8Array = '',
): Promise<string> {
  const [secret, nonce, additional] = [aesKeyOf(key), ivOf(iv), bytesOf(aad, 'aad')];
  const bytes = decodeBase64(ciphertext);
  if (!bytes || bytes.length < TAG_LENGTH) {
    throw new InvalidArgumentError(
      `"ciphertext" must be the Base64 encoding of at least ${TAG_LENGTH} bytes, ending with the ${TAG_LENGTH}-byte tag.`,
    );
  }
  const plaintext = open(secret, nonce, additional, bytes.subarray(0, -TAG_LENGTH), bytes.subarray(-TAG_LENGTH));
  if (plaintext) return plaintext.toString();
  throw new InvalidArgumentError(
    'The ciphertext cannot be decrypted: authentication failed. Usually the APIv3 key is wrong (check that it is not the ' +
      'APIv2 key or another merchant\'s); otherwise "iv", "aad" or the ciphertext differs from what was received.',
  );
}

/** Returns `undefined` if the tag is wrong. */
function open(key: Buffer, iv: Buffer, aad: Buffer, ciphertext: Buffer, tag: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH }).setAAD(aad).setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    return undefined;
  }
}

function ivOf(iv: string | Uint8Array): Buffer {
  const bytes = bytesOf(iv, 'iv');
  if (bytes.length === 0) {
    throw new InvalidArgumentError('"iv" is empty: pass the "nonce" received with the ciphertext.');
  }
  if (bytes.length > MAX_IV_LENGTH) {
    throw new InvalidArgumentError(
      `"iv" must have 1 to ${MAX_IV_LENGTH} bytes; this one has ${bytes.length}. WeChat Pay's "nonce" has 12.`,
    );
  }
  return bytes;
}
