import { sign as signWithKeyObject, verify as verifyWithKeyObject } from 'node:crypto';
import { types } from 'node:util';
import { bytesOf, decodeBase64 } from './bytes';
import {
  type KeyInput,
  loadPrivateKey,
  loadPublicKey,
  type PrivateKey,
  type PrivateKeyInput,
  type PublicKey,
} from './keys';
import { subtleFor } from './provider';

const ALGORITHM = 'RSASSA-PKCS1-v1_5';

/**
 * Signs with SHA256withRSA (PKCS#1 v1.5), off the main thread.
 * @param message a string, encoded as UTF-8, or bytes
 * @returns the signature in Base64
 * @throws {@link ConfigurationError} if the key cannot be used
 */
export async function sign(message: string | Uint8Array, privateKey: PrivateKeyInput): Promise<string> {
  return signWith(loadPrivateKey(privateKey))(message);
}

/** Creates a signing function from a loaded key, which is not checked again. */
export function signWith(key: PrivateKey): (message: string | Uint8Array) => Promise<string> {
  if (!types.isKeyObject(key)) {
    return async (message) => {
      const subtle = await subtleFor(key);
      return Buffer.from(await subtle.sign(ALGORITHM, key, bytesOf(message, 'message'))).toString('base64');
    };
  }
  return (message) =>
    new Promise((resolve, reject) => {
      signWithKeyObject('sha256', bytesOf(message, 'message'), key, (error, signature) => {
        if (error) reject(error);
        else resolve(signature.toString('base64'));
      });
    });
}

/**
 * Verifies a signature made with SHA256withRSA (PKCS#1 v1.5).
 * @param message a string, encoded as UTF-8, or bytes
 * @param signature in Base64; anything else, such as WeChat Pay's probe `WECHATPAY/SIGNTEST/…`, is a wrong signature
 * @throws {@link ConfigurationError} if the key cannot be used
 */
export async function verify(message: string | Uint8Array, signature: string, publicKey: KeyInput): Promise<boolean> {
  return verifyWith(loadPublicKey(publicKey))(message, signature);
}

/**
 * Where to verify: the main thread is fastest for a single signature, the thread pool for many, and it blocks nothing
 * else.
 */
export type Thread = 'main' | 'pool';

/** Creates a verifying function from a loaded key, which is not checked again. */
export function verifyWith(
  key: PublicKey,
  thread: Thread = 'pool',
): (message: string | Uint8Array, signature: string) => boolean | Promise<boolean> {
  return (message, signature) => {
    const bytes = decodeBase64(signature);
    if (!bytes) return false;
    const data = bytesOf(message, 'message');
    if (!types.isKeyObject(key)) return subtleFor(key).then((subtle) => subtle.verify(ALGORITHM, key, bytes, data));
    if (thread === 'main') return verifyWithKeyObject('sha256', data, key, bytes);
    return new Promise((resolve, reject) => {
      verifyWithKeyObject('sha256', data, key, bytes, (error, isRight) => {
        if (error) reject(error);
        else resolve(isRight);
      });
    });
  };
}
