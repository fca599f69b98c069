import { type KeyInput, loadPrivateKey, loadPublicKey, type PrivateKey, type PrivateKeyInput } from '../crypto/keys';
import { signWith, type Thread, verifyWith } from '../crypto/rsa-signature';
import { ConfigurationError } from '../errors';

/** Signs instead of a private key, for example with an HSM: SHA256withRSA, in Base64. */
export type SignFunction = (message: Uint8Array) => string | Promise<string>;

/** Decrypts instead of a private key: RSA-OAEP with SHA-1 (and MGF1 with SHA-1); returns a string or its bytes. */
export type DecryptFunction = (ciphertext: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>;

/** An external private key. */
export interface ExternalKey {
  sign: SignFunction;
  /** Decrypts response fields that are encrypted for the merchant. Without it, they stay encrypted. */
  decrypt?: DecryptFunction | undefined;
}

/** Verifies instead of a public key: SHA256withRSA, the signature in Base64. */
export type VerifyFunction = (message: Uint8Array, signature: string) => boolean | Promise<boolean>;

/** All forms of a merchant's private key. */
export type MerchantKeyInput = PrivateKeyInput | SignFunction | ExternalKey;

/** The same, loaded. */
export type MerchantKey = PrivateKey | ExternalKey;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Whether a key is an external one. */
export function isExternalKey(key: MerchantKeyInput): key is ExternalKey {
  return typeof key === 'object' && key !== null && 'sign' in key;
}

/**
 * Loads a merchant's private key, or functions instead of one.
 * @throws {@link ConfigurationError} if it cannot be used
 */
export function loadMerchantKey(input: MerchantKeyInput): MerchantKey {
  if (typeof input === 'function') return { sign: input };
  if (!isExternalKey(input)) return loadPrivateKey(input);
  const { sign, decrypt } = input;
  if (typeof sign !== 'function' || (decrypt !== undefined && typeof decrypt !== 'function')) {
    throw new ConfigurationError(
      '"privateKey" given as { sign, decrypt } must contain functions; "decrypt" may be omitted.',
    );
  }
  // Later changes to the object have no effect, and methods of a class keep their `this`.
  return decrypt ? { sign: sign.bind(input), decrypt: decrypt.bind(input) } : { sign: sign.bind(input) };
}

/** Creates a signing function from a key or a function. @throws {@link ConfigurationError} */
export function toSign(input: MerchantKeyInput): (message: string | Uint8Array) => Promise<string> {
  const key = loadMerchantKey(input);
  if (!isExternalKey(key)) return signWith(key);
  return async (message) => {
    const signature: unknown = await ofConfiguration('privateKey', () => key.sign(Buffer.from(message)));
    if (typeof signature === 'string' && BASE64.test(signature)) return signature;
    throw new ConfigurationError('The "privateKey" function must return the signature as Base64.');
  };
}

/** Wraps a decryption function. Fails with the function's own error, or a {@link ConfigurationError}. */
export function decryptBy(decrypt: DecryptFunction): (ciphertext: Uint8Array) => Promise<string> {
  return async (ciphertext) => {
    const plaintext: unknown = await decrypt(ciphertext);
    if (typeof plaintext === 'string') return plaintext;
    if (plaintext instanceof Uint8Array) return Buffer.from(plaintext).toString();
    throw new ConfigurationError('The "privateKey.decrypt" function must return a string or bytes.');
  };
}

/**
 * Creates a verifying function from a key or a function. Errors of the function are rethrown unchanged: by then a request
 * has been sent, or a notification has arrived.
 * @throws {@link ConfigurationError} if a key cannot be used
 */
export function toVerify(
  input: KeyInput | VerifyFunction,
  name: string,
  thread?: Thread,
): (message: string | Uint8Array, signature: string) => boolean | Promise<boolean> {
  if (typeof input === 'function') {
    return async (message, signature) => {
      const isRight: unknown = await input(Buffer.from(message), signature);
      if (typeof isRight === 'boolean') return isRight;
      throw new ConfigurationError(`The "${name}" function must return true or false.`);
    };
  }
  return verifyWith(loadPublicKey(input, name), thread);
}

async function ofConfiguration<Result>(name: string, call: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    throw new ConfigurationError(`The "${name}" function threw; see error.cause.`, {
      cause,
    });
  }
}
