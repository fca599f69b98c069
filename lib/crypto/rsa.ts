import { createPublicKey, type KeyObject } from 'node:crypto';
import { ConfigurationError } from '../errors';
import { decodeBase64 } from './bytes';
import { kindOfDer } from './key-source';
import {
  type KeyInput,
  loadPrivateKey,
  loadPublicKey,
  type PrivateKey,
  type PrivateKeyInput,
  type PublicKey,
} from './keys';

export { decrypt, encrypt, type Padding } from './rsa-cipher';
export { sign, verify } from './rsa-signature';

/**
 * Loads a key.
 * @param input the key, in any form of {@link KeyInput}; a loaded key is returned unchanged
 * @param type the half of the key pair, private by default
 * @throws {@link ConfigurationError} that says what was found instead
 */
export function from(input: KeyInput, type: 'public'): PublicKey;
export function from(input: PrivateKeyInput, type?: 'private'): PrivateKey;
export function from(input: PrivateKeyInput, type: 'public' | 'private' = 'private'): PrivateKey | PublicKey {
  return type === 'public' ? loadPublicKey(input as KeyInput) : loadPrivateKey(input);
}

/** Loads a PKCS#1 key, private by default, from the Base64 of its DER. @throws {@link ConfigurationError} */
export function fromPkcs1(base64: string, type: 'public' | 'private' = 'private'): KeyObject {
  return (type === 'public' ? loadPublicKey : loadPrivateKey)(bare(`${type}.pkcs1`, base64)) as KeyObject;
}

/** Loads a PKCS#8 private key from the Base64 of its DER. @throws {@link ConfigurationError} */
export function fromPkcs8(base64: string): KeyObject {
  return loadPrivateKey(bare('private.pkcs8', base64)) as KeyObject;
}

/** Loads an SPKI public key from the Base64 of its DER. @throws {@link ConfigurationError} */
export function fromSpki(base64: string): KeyObject {
  return loadPublicKey(bare('public.spki', base64)) as KeyObject;
}

function bare(kind: string, base64: unknown): string {
  if (typeof base64 === 'string') return `${kind}://${base64}`;
  throw new ConfigurationError(`A ${kind} key must be a string, the Base64 encoding of its DER, not ${typeof base64}.`);
}

/**
 * Wraps a PKCS#1 public key as SPKI, which most libraries expect.
 * @param base64 Base64 of the DER of the RSAPublicKey, such as that returned by `getpublickey` of v2
 * @returns Base64 of the DER of the SubjectPublicKeyInfo
 * @throws {@link ConfigurationError} if the input is not such a key
 */
export function pkcs1ToSpki(base64: string): string {
  const key = typeof base64 === 'string' ? decodeBase64(base64.replace(/\s+/g, '')) : undefined;
  if (!key || kindOfDer(key) !== 'pkcs1-public') {
    throw new ConfigurationError(
      '"pkcs1ToSpki" takes the Base64 encoding of a PKCS#1 public key in DER; the input is something else.',
    );
  }
  return createPublicKey({ key, format: 'der', type: 'pkcs1' })
    .export({ format: 'der', type: 'spki' })
    .toString('base64');
}
