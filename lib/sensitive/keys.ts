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
   * Decrypts a sensitive field of a response or a notification with the merchant's private key.
   * @param ciphertext in Base64
   * @throws {@link InvalidArgumentError} where it was not encrypted for this key; {@link ConfigurationError} where the
   * key cannot decrypt, such as a function that signs in its place
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
 * @param serial which of WeChat Pay's keys is to encrypt; by default the one that the client announces
 * @throws {@link InvalidArgumentError} where there is no such key; {@link ConfigurationError} where there are none
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

/** Lengths of ciphertexts where the key is elsewhere: those of RSA 2048 and longer, in bytes. */
const MIN_CIPHERTEXT = 256;

/** What decrypts fields of responses. */
export interface FieldDecryption {
  /** Whether a text is a ciphertext by its form: Base64 of the key's length. */
  isCiphertext(text: string): boolean;
  /** Rejects with whatever error where the ciphertext was not made for the key. */
  decrypt(ciphertext: string): Promise<string>;
}

/**
 * What decrypts the fields of responses; `undefined` where the client has nothing that can. It never throws: by then the
 * request has been carried out.
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
  // A CryptoKey may be one to sign with alone.
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
