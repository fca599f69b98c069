import type { KeyObject, webcrypto } from 'node:crypto';
import { types } from 'node:util';
import { ConfigurationError } from '../errors';
import { cryptoKeyFault, type KeyUse, modulusLengthOf } from './crypto-key';
import { codeOf } from './error-code';
import type { MaterialKind } from './key-source';

/** A key that has been loaded and checked. */
export type LoadedKey = KeyObject | webcrypto.CryptoKey;

/** Which half of a pair is meant. */
export type KeyHalf = 'private' | 'public';

/** The least length of a modulus, in bits: that of `WECHATPAY2-SHA256-RSA2048`. */
const MIN_MODULUS_LENGTH = 2048;

/** The least public exponent; with 1, anything would be its own signature. */
const MIN_EXPONENT = 3n;

const EXPECTED: Record<KeyHalf, string> = {
  private: 'an RSA private key',
  public: "WeChat Pay's RSA public key or platform certificate",
};

/** What to give instead, where the other half has been given. */
const ADVICE: Record<KeyHalf, string> = {
  private: 'Give the private key of the merchant certificate, apiclient_key.pem.',
  public: 'Give the public key (pub_key.pem) or a platform certificate, as WeChat Pay issued it.',
};

const FOUND: Record<MaterialKind, string> = {
  'pkcs1-private': 'a private key',
  'encrypted-pkcs1': 'an encrypted private key',
  pkcs8: 'a private key',
  'encrypted-pkcs8': 'an encrypted private key',
  sec1: 'an EC private key',
  'pkcs1-public': 'a public key',
  spki: 'a public key',
  certificate: 'a certificate',
  X509Certificate: 'a certificate',
  request: 'a certificate request',
  pkcs12: 'a PKCS#12 file (.p12)',
  openssh: 'an OpenSSH key',
  KeyObject: 'a KeyObject',
  CryptoKey: 'a CryptoKey',
  damaged: 'damaged or unknown content in the form of a key',
  unknown: 'something that is no key',
};

/** The error about an input that holds another thing than the key that is wanted. */
export function wrongKind(half: KeyHalf, kind: MaterialKind, name: string): ConfigurationError {
  return unusable(half, name, FOUND[kind]);
}

/** The error about an input of the right kind that cannot be read. Of OpenSSL's error only the code is told. */
export function unreadable(half: KeyHalf, kind: MaterialKind, name: string, cause: unknown): ConfigurationError {
  return unusable(half, name, `${FOUND[kind]} that cannot be read (${codeOf(cause)})`);
}

/**
 * Checks that a key is RSA, of the right half, long enough, of a sound exponent, and fit for its use.
 * @throws {@link ConfigurationError}
 */
export function checkKey<Key extends LoadedKey>(key: Key, half: KeyHalf, use: KeyUse, name: string): Key {
  const native = types.isKeyObject(key);
  if (key.type !== half)
    throw unusable(half, name, `a ${native ? 'KeyObject' : 'CryptoKey'} of the type "${key.type}"`);
  const fault = native ? keyObjectFault(key) : cryptoKeyFault(key, use);
  if (fault) throw unusable(half, name, native ? fault : `a CryptoKey ${fault}`);
  const bits = native ? key.asymmetricKeyDetails?.modulusLength : modulusLengthOf(key);
  if (bits === undefined || bits < MIN_MODULUS_LENGTH) {
    throw unusable(half, name, `one of ${bits ?? 'unknown'} bits, where ${MIN_MODULUS_LENGTH} are the least`);
  }
  const exponent = exponentOf(key);
  if (exponent !== undefined && (exponent < MIN_EXPONENT || exponent % 2n === 0n)) {
    throw unusable(half, name, `one with the public exponent ${exponent}, where an odd number of 3 or more is needed`);
  }
  return key;
}

/** `undefined` of a `CryptoKey` of a provider that does not tell. */
function exponentOf(key: LoadedKey): bigint | undefined {
  if (types.isKeyObject(key)) return key.asymmetricKeyDetails?.publicExponent;
  const { publicExponent } = key.algorithm as Partial<webcrypto.RsaKeyAlgorithm>;
  return publicExponent && BigInt(`0x${Buffer.from(publicExponent).toString('hex') || '0'}`);
}

function keyObjectFault({ asymmetricKeyType: type }: KeyObject): string | undefined {
  return type === 'rsa' ? undefined : `a key for ${type?.toUpperCase()}, where one for RSA (rsaEncryption) is needed`;
}

function unusable(half: KeyHalf, name: string, found: string): ConfigurationError {
  return new ConfigurationError(`"${name}" should hold ${EXPECTED[half]}; found ${found}. ${ADVICE[half]}`);
}
