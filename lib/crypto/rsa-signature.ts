import { sign as signWithKeyObject, verify as verifyWithKeyObject } from 'node:crypto';
import { promisify, types } from 'node:util';
import { bytesOf, decodeBase64 } from './bytes';
import { type KeyInput, loadPrivateKey, loadPublicKey, type PrivateKeyInput } from './key';
import { subtleFor } from './provider';

const ALGORITHM = 'RSASSA-PKCS1-v1_5';

const signInThreadPool = promisify(signWithKeyObject);

/**
 * Signs with SHA256withRSA (PKCS#1 v1.5), off the main thread.
 * @param message text, which is taken as UTF-8, or bytes
 * @returns the signature in Base64
 * @throws {@link ConfigurationError} where the key cannot be used
 */
export async function sign(message: string | Uint8Array, privateKey: PrivateKeyInput): Promise<string> {
  const key = loadPrivateKey(privateKey);
  const data = bytesOf(message, 'message');
  if (types.isKeyObject(key)) return (await signInThreadPool('sha256', data, key)).toString('base64');
  const subtle = await subtleFor(key);
  return Buffer.from(await subtle.sign(ALGORITHM, key, data)).toString('base64');
}

/**
 * Verifies a signature made with SHA256withRSA (PKCS#1 v1.5).
 * @param message text, which is taken as UTF-8, or bytes
 * @param signature in Base64; what is no Base64, such as WeChat Pay's probe `WECHATPAY/SIGNTEST/…`, is a wrong signature
 * @throws {@link ConfigurationError} where the key cannot be used
 */
export async function verify(message: string | Uint8Array, signature: string, publicKey: KeyInput): Promise<boolean> {
  const key = loadPublicKey(publicKey);
  const bytes = decodeBase64(signature);
  if (!bytes) return false;
  const data = bytesOf(message, 'message');
  // Three times as fast on the main thread as by way of the thread pool.
  if (types.isKeyObject(key)) return verifyWithKeyObject('sha256', data, key, bytes);
  const subtle = await subtleFor(key);
  return subtle.verify(ALGORITHM, key, bytes, data);
}
