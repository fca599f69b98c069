import { constants, type KeyObject, publicEncrypt, webcrypto } from 'node:crypto';
import { types } from 'node:util';
import { InvalidArgumentError } from '../errors';
import { bytesOf, decodeBase64 } from './bytes';
import { modulusLengthOf } from './key-source';
import {
  type KeyInput,
  type KeyUse,
  loadPrivateKey,
  loadPublicKey,
  type PrivateKey,
  type PrivateKeyInput,
  type PublicKey,
} from './keys';
import { peculiarSubtle, subtleFor } from './provider';

/** The padding: OAEP with SHA-1 (the usual one), or PKCS#1 v1.5 (fields of some overseas APIs). */
export type Padding = 'OAEP' | 'PKCS1';

const OAEP = { name: 'RSA-OAEP', hash: 'SHA-1' };
const RSAES = 'RSAES-PKCS1-v1_5';

/** Bytes that the padding takes: RFC 8017, 7.1.1 (two SHA-1 hashes, plus two) and 7.2.1. */
const OVERHEAD: Record<Padding, number> = { OAEP: 42, PKCS1: 11 };

/** What a key is to be loaded for, to encrypt with a padding. */
export const ENCRYPTING: Record<Padding, KeyUse> = { OAEP: 'encrypt', PKCS1: 'encrypt-pkcs1' };

/**
 * Encrypts a sensitive field for the owner of the public key.
 * @param plaintext a string, encoded as UTF-8, or bytes: at most 214 for a 2048-bit key (245 with `PKCS1`)
 * @param publicKey WeChat Pay's public key or platform certificate
 * @returns the ciphertext in Base64
 * @example const name = await Rsa.encrypt('张三', 'file:///path/to/pub_key.pem');
 * @throws {@link InvalidArgumentError} if the text is too long; {@link ConfigurationError} if the key cannot be used
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053257
 */
export async function encrypt(
  plaintext: string | Uint8Array,
  publicKey: KeyInput,
  padding: Padding = 'OAEP',
): Promise<string> {
  checkPadding(padding);
  return encryptWith(plaintext, loadPublicKey(publicKey, 'publicKey', ENCRYPTING[padding]), padding);
}

/**
 * The same as {@link encrypt}, with a key that has been loaded for that padding.
 * @throws {@link InvalidArgumentError} where the text is too long
 */
export async function encryptWith(plaintext: string | Uint8Array, key: PublicKey, padding: Padding): Promise<string> {
  const data = bytesOf(plaintext, 'plaintext');
  const limit = modulusBytes(key) - OVERHEAD[padding];
  if (data.length > limit) {
    throw new InvalidArgumentError(
      `The text to encrypt is ${data.length} bytes in UTF-8; RSA with this key and padding takes at most ${limit}.`,
    );
  }
  const encrypted = await (padding === 'PKCS1' ? encryptPkcs1 : encryptOaep)(data, key);
  return Buffer.from(encrypted).toString('base64');
}

/**
 * Decrypts a sensitive field (OAEP) with the merchant's private key, off the main thread.
 * @param ciphertext in Base64
 * @returns the plain text, decoded as UTF-8
 * @throws {@link InvalidArgumentError} if the ciphertext was not encrypted for this key; {@link ConfigurationError} if
 * the key cannot be used
 */
export async function decrypt(ciphertext: string, privateKey: PrivateKeyInput): Promise<string> {
  return decryptWith(ciphertext, loadPrivateKey(privateKey, 'privateKey', 'decrypt'));
}

/** The same as {@link decrypt}, with a key that has been loaded for it. @throws {@link InvalidArgumentError} */
export async function decryptWith(ciphertext: string, key: PrivateKey): Promise<string> {
  const bytes = decodeBase64(ciphertext);
  const plaintext = bytes && (await decryptOaep(bytes, key));
  if (plaintext) return Buffer.from(plaintext).toString();
  throw new InvalidArgumentError(
    `The ciphertext cannot be decrypted with this private key: it should be the Base64 encoding of ${modulusBytes(key)} bytes ` +
      'encrypted for the merchant certificate of this key. Check that it is complete and that this is the current key.',
  );
}

/** @throws {@link InvalidArgumentError} */
export function checkPadding(padding: Padding): void {
  if (Object.keys(OVERHEAD).includes(padding)) return;
  throw new InvalidArgumentError(`The padding must be one of ${Object.keys(OVERHEAD).join(', ')}.`);
}

/** The length of a key's modulus, and so of its ciphertexts, in bytes. */
export function modulusBytes(key: PrivateKey | PublicKey): number {
  const bits = types.isKeyObject(key) ? key.asymmetricKeyDetails?.modulusLength : modulusLengthOf(key);
  return Math.ceil((bits ?? 0) / 8);
}

async function encryptOaep(data: Uint8Array, key: PublicKey): Promise<Uint8Array> {
  if (types.isKeyObject(key)) return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, data);
  return new Uint8Array(await (await subtleFor(key)).encrypt(OAEP, key, data));
}

async function encryptPkcs1(data: Uint8Array, key: PublicKey): Promise<Uint8Array> {
  if (!types.isKeyObject(key)) return new Uint8Array(await (await subtleFor(key)).encrypt(RSAES, key, data));
  const subtle = peculiarSubtle();
  const spki = key.export({ format: 'der', type: 'spki' });
  const imported = await subtle.importKey('spki', spki, { name: RSAES, hash: 'SHA-1' }, false, ['encrypt']);
  return new Uint8Array(await subtle.encrypt(RSAES, imported, data));
}

/** Returns `undefined` if the padding shows that the ciphertext was not encrypted for this key. */
async function decryptOaep(data: Uint8Array, key: PrivateKey): Promise<Uint8Array | undefined> {
  const native = types.isKeyObject(key);
  const subtle = native ? webcrypto.subtle : await subtleFor(key);
  const cryptoKey = native ? await cryptoKeyOf(key) : key;
  return subtle.decrypt(OAEP, cryptoKey, data).then(
    (plaintext) => new Uint8Array(plaintext),
    () => undefined,
  );
}

/** WebCrypto keys by the key they were imported from: an import takes longer than a decryption. */
const cryptoKeys = new WeakMap<KeyObject, Promise<webcrypto.CryptoKey>>();

/** Only WebCrypto decrypts off the main thread, which a decryption would otherwise block for almost 1 ms. */
function cryptoKeyOf(key: KeyObject): Promise<webcrypto.CryptoKey> {
  let imported = cryptoKeys.get(key);
  if (!imported) {
    const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
    imported = webcrypto.subtle.importKey('pkcs8', pkcs8, OAEP, false, ['decrypt']);
    cryptoKeys.set(key, imported);
  }
  return imported;
}
