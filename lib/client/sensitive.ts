import type { Credentials } from '../crypto/credentials';
import type { SignFunction, VerifyFunction } from '../crypto/custom';
import { loadPrivateKey, loadPublicKey, type PrivateKeyInput } from '../crypto/key';
import { preferredSerial } from '../crypto/platform-keys';
import { decrypt, encrypt, type Padding } from '../crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../errors';

/** Encrypts for WeChat Pay and decrypts for the merchant. */
export interface SensitiveFields {
  /** The id of WeChat Pay's key that encrypts. */
  readonly serial: string;
  /** To be sent with a request that carries what was encrypted: it tells WeChat Pay which key that was. */
  readonly headers: { readonly 'Wechatpay-Serial': string };
  /**
   * Encrypts a sensitive field with WeChat Pay's key, RSA-OAEP with SHA-1.
   * @param plaintext text of 214 bytes of UTF-8 at most, for a key of 2048 bits
   * @param padding `PKCS1` for the fields of overseas APIs that ask for it
   * @returns the ciphertext in Base64
   * @throws {@link InvalidArgumentError} where the text is too long; {@link ConfigurationError} where the key cannot
   * encrypt, such as a function in its place
   */
  encrypt(plaintext: string, padding?: Padding): Promise<string>;
  /**
   * Decrypts a sensitive field of an answer or a notification with the merchant's private key.
   * @param ciphertext in Base64
   * @throws {@link InvalidArgumentError} where it was not encrypted for this key; {@link ConfigurationError} where the
   * key cannot decrypt, such as a function in its place
   */
  decrypt(ciphertext: string): Promise<string>;
}

/**
 * Loads the keys that encrypt and decrypt sensitive fields.
 * @param serial which of WeChat Pay's keys is to encrypt; by default the one that the client announces
 * @throws {@link InvalidArgumentError} where there is no such key; {@link ConfigurationError} where there are none
 */
export function sensitiveFields(credentials: Credentials, serial?: string): SensitiveFields {
  const { certs, certificates } = keysOf(credentials);
  const ids = () => [...(certificates?.keys() ?? Object.keys(certs))].join(', ');
  const id = serial ?? (certificates ? certificates.preferred() : preferredSerial(Object.keys(certs)));
  if (id === undefined) {
    throw new ConfigurationError(
      'No platform certificate is at hand yet: call await Certificates.of(instance).refresh() before.',
    );
  }
  const cert = Object.hasOwn(certs, id) ? certs[id] : certificates?.publicKey(id);
  if (cert === undefined) {
    throw new InvalidArgumentError(`"certs" has no key of the serial given: it has ${ids()}.`);
  }
  const name = `certs["${id}"]`;
  const theirs = settled(() => loadPublicKey(keyOf(cert, name, 'encrypt'), name, 'encrypt'));
  return {
    serial: id,
    headers: { 'Wechatpay-Serial': id },
    encrypt: async (plaintext, padding) => encrypt(plaintext, theirs(), padding),
    decrypt: decryption(credentials),
  };
}

/** Loads the key that decrypts sensitive fields. @throws {@link ConfigurationError} where there is none */
export function decryption(credentials: Credentials): SensitiveFields['decrypt'] {
  const { privateKey } = keysOf(credentials);
  const ours = settled(() => loadPrivateKey(keyOf(privateKey, '"privateKey"', 'decrypt'), 'privateKey', 'decrypt'));
  return async (ciphertext) => decrypt(ciphertext, ours());
}

function keysOf({ certs, privateKey, certificates }: Credentials) {
  if (certs !== undefined && privateKey !== undefined) return { certs, privateKey, certificates };
  throw new ConfigurationError(
    'The instance was built for v2 alone: sensitive fields need "serial", "privateKey" and "certs" of APIv3.',
  );
}

function keyOf<Key extends PrivateKeyInput>(
  input: Key | SignFunction | VerifyFunction,
  name: string,
  use: string,
): Key {
  if (typeof input !== 'function') return input;
  throw new ConfigurationError(
    `${name} is a function in the place of a key, which cannot ${use}: give the key itself.`,
  );
}

/** Loads at once, and tells of a failure where the key is used: the other of the two may do for what is wanted. */
function settled<Key>(load: () => Key): () => Key {
  try {
    const key = load();
    return () => key;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
