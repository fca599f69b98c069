import { isUtf8 } from 'node:buffer';
import type { webcrypto } from 'node:crypto';
import { InvalidArgumentError } from '../errors';
import { aesKeyOf, bytesOf, decodeBase64 } from './bytes';
import { peculiarSubtle } from './provider';

const ALGORITHM = 'AES-ECB';

/**
 * Encrypts with AES-256-ECB and PKCS#7 padding.
 * @param plaintext a string, encoded as UTF-8, or bytes
 * @param key 32 bytes
 * @param _iv unused, like `_aad`: ECB has neither. All ciphers share one signature
 * @returns the ciphertext in Base64
 * @throws {@link InvalidArgumentError} if the key is not 32 bytes long
 */
export async function encrypt(
  plaintext: string | Uint8Array,
  key: string | Uint8Array,
  _iv: string | Uint8Array = '',
  _aad: string | Uint8Array = '',
): Promise<string> {
  const data = bytesOf(plaintext, 'plaintext');
  const ciphertext = await peculiarSubtle().encrypt(ALGORITHM, await importKey(key, 'encrypt'), data);
  return Buffer.from(ciphertext).toString('base64');
}

/**
 * Decrypts AES-256-ECB with PKCS#7 padding: `req_info` in v2's refund notifications.
 * @param ciphertext in Base64
 * @param key 32 bytes; for `req_info` the MD5 of the APIv2 key, in lower-case hexadecimal
 * @param _iv unused, like `_aad`: ECB has neither. All ciphers share one signature
 * @returns the plain text, decoded as UTF-8
 * @throws {@link InvalidArgumentError} if the key is not 32 bytes long, or does not match the ciphertext
 * @example const xml = await AesEcb.decrypt(req_info, Hash.md5(apiv2Key));
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_16
 */
export async function decrypt(
  ciphertext: string,
  key: string | Uint8Array,
  _iv: string | Uint8Array = '',
  _aad: string | Uint8Array = '',
): Promise<string> {
  const cryptoKey = await importKey(key, 'decrypt');
  const bytes = decodeBase64(ciphertext);
  const plaintext =
    bytes &&
    (await peculiarSubtle()
      .decrypt(ALGORITHM, cryptoKey, bytes)
      .catch(() => undefined));
  // One wrong key in 256 happens to produce valid padding.
  if (plaintext && isUtf8(plaintext)) return Buffer.from(plaintext).toString();
  throw new InvalidArgumentError(
    'The ciphertext cannot be decrypted: check that it is complete Base64 and that the key is correct. For "req_info" the key is ' +
      'the MD5 of the APIv2 key, in lower-case hexadecimal.',
  );
}

function importKey(key: string | Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<webcrypto.CryptoKey> {
  return peculiarSubtle().importKey('raw', aesKeyOf(key), ALGORITHM, false, [usage]);
}
