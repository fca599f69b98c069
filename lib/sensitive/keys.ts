import type { X509Certificate } from 'node:crypto';
import { decodeBase64 } from '../crypto/bytes';
import { type KeyInput, loadPrivateKey, loadPublicKey, type PrivateKey, type PublicKey } from '../crypto/keys';
import { checkPadding, decryptWith, ENCRYPTING, encryptWith, modulusBytes, type Padding } from '../crypto/rsa-cipher';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import type { Credentials } from '../signature/credentials';
import { type DecryptFunction, decryptBy, isExternalKey, type VerifyFunction } from '../signature/functions';
import { DatedKeys } from '../signature/platform-keys';

/** Encrypts for WeChat Pay and decrypts for the merchant. */
export interface SensitiveFields {
  /** The id of the WeChat Pay key that encrypts. */
  readonly serial: string;
  /** Send these headers with the encrypted fields: they tell WeChat Pay which key was used. */
  readonly headers: { readonly 'Wechatpay-Serial': string };
  /**
   * Encrypts a sensitive field with WeChat Pay's key, RSA-OAEP with SHA-1.
   * @param plaintext at most 214 bytes in UTF-8, for a 2048-bit key
   * @param padding `PKCS1` for the fields of overseas APIs that require it
   * @returns the ciphertext in Base64
   * @throws {@link InvalidArgumentError} if the text is too long; {@link ConfigurationError} if the key cannot encrypt,
   * such as a function
   */
  encrypt(plaintext: string, padding?: Padding): Promise<string>;
  /**
   * Decrypts a sensitive field of a response or a notification with the merchant's private key.
   * @param ciphertext in Base64
   * @throws {@link InvalidArgumentError} if it was not encrypted for this key; {@link ConfigurationError} if the key
   * cannot decrypt, such as a signing function
   */
  decrypt(ciphertext: string): Promise<string>;
}

/** What is made of a client's keys when it is first needed, and kept for as long as they are. */
class Derived {
  readonly #credentials: Credentials;
  /** By key of WeChat Pay and by padding. */
  readonly #encrypting = new WeakMap<object, Partial<Record<Padding, PublicKey>>>();
  #dated: DatedKeys | undefined;
  #decrypting: PrivateKey | undefined;
  #fields: { decryption: FieldDecryption | undefined } | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** The configured keys of WeChat Pay, with their dates. */
  get dated(): DatedKeys {
    const { certs = {}, certificates } = this.#credentials;
    this.#dated ??= new DatedKeys(certs, certificates ? 'counted' : 'required');
    return this.#dated;
  }

  /** What decrypts the fields of responses. */
  get fields(): FieldDecryption | undefined {
    this.#fields ??= { decryption: makeFieldDecryption(this.#credentials) };
    return this.#fields.decryption;
  }

  /** A key of WeChat Pay, loaded to encrypt. @throws {@link ConfigurationError} where it cannot */
  encrypting(input: PublicKey | X509Certificate | VerifyFunction, name: string, padding: Padding): PublicKey {
    const keys = this.#encrypting.get(input) ?? {};
    this.#encrypting.set(input, keys);
    keys[padding] ??= loadPublicKey(keyOf(input, name), name, ENCRYPTING[padding]);
    return keys[padding];
  }

  /** The merchant's key, loaded to decrypt. @throws {@link ConfigurationError} where it cannot */
  decrypting(privateKey: PrivateKey): PrivateKey {
    this.#decrypting ??= loadPrivateKey(privateKey, 'privateKey', 'decrypt');
    return this.#decrypting;
  }
}

const known = new WeakMap<Credentials, Derived>();

function derivedFrom(credentials: Credentials): Derived {
  const derived = known.get(credentials) ?? new Derived(credentials);
  known.set(credentials, derived);
  return derived;
}

/**
 * The keys that encrypt and decrypt sensitive fields.
 * @param serial the WeChat Pay key to encrypt with; by default the one that the client announces
 * @throws {@link InvalidArgumentError} if there is no such key; {@link ConfigurationError} if there are no keys
 */
export function sensitiveFields(credentials: Credentials, serial?: string): SensitiveFields {
  const { certs, certificates } = keysOf(credentials);
  const ids = () => [...(certificates?.keys() ?? Object.keys(certs))].join(', ');
  const derived = derivedFrom(credentials);
  const { dated } = derived;
  dated.require();
  const id = serial ?? (certificates ? certificates.preferred() : dated.preferred());
  if (id === undefined) {
    throw new ConfigurationError(
      'No platform certificate has been downloaded yet; await Certificates.of(instance).refresh() first.',
    );
  }
  const cert = Object.hasOwn(certs, id) ? certs[id] : certificates?.publicKey(id);
  if (cert === undefined) {
    throw new InvalidArgumentError(`"certs" has no key with that serial; available: ${ids()}.`);
  }
  const expired = dated.explain(id);
  if (expired) throw new ConfigurationError(`${expired} Encrypt with another key, or configure the newer one.`);
  const name = `certs["${id}"]`;
  return {
    serial: id,
    headers: { 'Wechatpay-Serial': id },
    encrypt: async (plaintext, padding = 'OAEP') => {
      checkPadding(padding);
      return encryptWith(plaintext, derived.encrypting(cert, name, padding), padding);
    },
    decrypt: decryption(credentials),
  };
}

/** What decrypts sensitive fields, and fails where the merchant's key cannot. */
function decryption(credentials: Credentials): SensitiveFields['decrypt'] {
  const { privateKey } = keysOf(credentials);
  if (!isExternalKey(privateKey)) {
    return async (ciphertext) => decryptWith(ciphertext, derivedFrom(credentials).decrypting(privateKey));
  }
  const { decrypt: elsewhere } = privateKey;
  return async (ciphertext) => {
    if (elsewhere) return decryptElsewhere(ciphertext, elsewhere);
    throw new ConfigurationError(
      '"privateKey" is a signing function, which cannot decrypt; configure { sign, decrypt } or the key itself.',
    );
  };
}

async function decryptElsewhere(ciphertext: string, elsewhere: DecryptFunction): Promise<string> {
  const bytes = decodeBase64(ciphertext);
  if (!bytes) throw new InvalidArgumentError('The ciphertext must be Base64.');
  try {
    return await decryptBy(elsewhere)(bytes);
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    throw new ConfigurationError('The "privateKey.decrypt" function threw; see error.cause.', { cause });
  }
}

/** Possible lengths of ciphertexts for an external key: those of RSA 2048 and longer, in bytes. */
const MIN_CIPHERTEXT = 256;

/** Decrypts fields of responses. */
export interface FieldDecryption {
  /** Whether a string has the form of a ciphertext: Base64 of the key's length. */
  isCiphertext(text: string): boolean;
  /** Rejects with any error if the ciphertext was not encrypted for the key. */
  decrypt(ciphertext: string): Promise<string>;
}

/**
 * Creates the decrypter for response fields; `undefined` if the client has no key that can decrypt. It never throws,
 * because the request has already been processed.
 */
export function fieldDecryption(credentials: Credentials): FieldDecryption | undefined {
  return derivedFrom(credentials).fields;
}

function makeFieldDecryption(credentials: Credentials): FieldDecryption | undefined {
  const { privateKey } = credentials;
  if (privateKey === undefined) return undefined;
  if (isExternalKey(privateKey)) {
    const { decrypt: elsewhere } = privateKey;
    if (!elsewhere) return undefined;
    const open = decryptBy(elsewhere);
    return {
      isCiphertext: (text) => (decodeBase64(text)?.length ?? 0) >= MIN_CIPHERTEXT,
      decrypt: async (ciphertext) => open(Buffer.from(ciphertext, 'base64')),
    };
  }
  // A CryptoKey may be usable for signing only.
  const key = decryptingOrNone(credentials, privateKey);
  if (!key) return undefined;
  const length = modulusBytes(key);
  return {
    isCiphertext: (text) => decodeBase64(text)?.length === length,
    decrypt: (ciphertext) => decryptWith(ciphertext, key),
  };
}

function decryptingOrNone(credentials: Credentials, privateKey: PrivateKey): PrivateKey | undefined {
  try {
    return derivedFrom(credentials).decrypting(privateKey);
  } catch {
    return undefined;
  }
}

function keysOf({ certs, privateKey, certificates }: Credentials) {
  if (certs !== undefined && privateKey !== undefined) return { certs, privateKey, certificates };
  throw new ConfigurationError(
    'The client is configured for v2 only; sensitive fields require the APIv3 "serial", "privateKey" and "certs".',
  );
}

function keyOf(input: KeyInput | VerifyFunction, name: string): KeyInput {
  if (typeof input !== 'function') return input;
  throw new ConfigurationError(`${name} is a function, which cannot encrypt; configure the key itself.`);
}
