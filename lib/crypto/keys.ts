import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  type PrivateKeyInput as NodePrivateKeyInput,
  type webcrypto,
  X509Certificate,
} from 'node:crypto';
import { types } from 'node:util';
import { ConfigurationError } from '../errors';
import { codeOf } from './bytes';
import {
  cryptoKeyFault,
  isCryptoKey,
  type KeyInput,
  type KeyUse,
  type Material,
  type MaterialKind,
  modulusLengthOf,
  mostTelling,
  readKeySource,
} from './key-source';

export type { KeyInput, KeyUse } from './key-source';

/** A key that has been loaded and checked. */
export type LoadedKey = KeyObject | webcrypto.CryptoKey;

/** The half of a key pair. */
export type KeyHalf = 'private' | 'public';

/** Minimum modulus length, in bits, as in `WECHATPAY2-SHA256-RSA2048`. */
const MIN_MODULUS_LENGTH = 2048;

/** Minimum public exponent; with 1, every message would be its own signature. */
const MIN_EXPONENT = 3n;

const EXPECTED: Record<KeyHalf, string> = {
  private: 'an RSA private key',
  public: "WeChat Pay's RSA public key or platform certificate",
};

/** What to pass instead, if the other half was passed. */
const ADVICE: Record<KeyHalf, string> = {
  private: 'Pass the private key of the merchant certificate, apiclient_key.pem.',
  public: 'Pass the public key (pub_key.pem) or a platform certificate, as issued by WeChat Pay.',
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
  damaged: 'a damaged or unrecognised key',
  unknown: 'something that is not a key',
};

/** The error for an input that contains something other than the expected key. */
export function wrongKind(half: KeyHalf, kind: MaterialKind, name: string): ConfigurationError {
  return unusable(half, name, FOUND[kind]);
}

/** The error for an input of the right kind that cannot be read. Includes only the code of OpenSSL's error. */
export function unreadable(half: KeyHalf, kind: MaterialKind, name: string, cause: unknown): ConfigurationError {
  return unusable(half, name, `${FOUND[kind]} that cannot be read (${codeOf(cause)})`);
}

/**
 * Checks that a key is RSA, the right half, long enough, with a sound exponent, and usable for its purpose.
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
    throw unusable(half, name, `a ${bits ?? 'unknown'}-bit key; at least ${MIN_MODULUS_LENGTH} bits are required`);
  }
  const exponent = exponentOf(key);
  if (exponent !== undefined && (exponent < MIN_EXPONENT || exponent % 2n === 0n)) {
    throw unusable(half, name, `a key with public exponent ${exponent}; an odd number of 3 or more is required`);
  }
  return key;
}

/** `undefined` for a `CryptoKey` whose provider does not expose it. */
function exponentOf(key: LoadedKey): bigint | undefined {
  if (types.isKeyObject(key)) return key.asymmetricKeyDetails?.publicExponent;
  const { publicExponent } = key.algorithm as Partial<webcrypto.RsaKeyAlgorithm>;
  return publicExponent && BigInt(`0x${Buffer.from(publicExponent).toString('hex') || '0'}`);
}

function keyObjectFault({ asymmetricKeyType: type }: KeyObject): string | undefined {
  return type === 'rsa' ? undefined : `a key for ${type?.toUpperCase()}; RSA (rsaEncryption) is required`;
}

function unusable(half: KeyHalf, name: string, found: string): ConfigurationError {
  return new ConfigurationError(`"${name}" should hold ${EXPECTED[half]}; found ${found}. ${ADVICE[half]}`);
}

/** A private key, loaded. */
export type PrivateKey = KeyObject | webcrypto.CryptoKey;

/** A private key in any form of {@link KeyInput}, or such a form with its passphrase. */
export type PrivateKeyInput = KeyInput | { key: KeyInput; passphrase: string | Uint8Array };

type Passphrase = string | Uint8Array | undefined;

/** The Node.js key formats for the kinds of private keys. */
const PRIVATE_ENCODINGS: Partial<Record<Material['kind'], Pick<NodePrivateKeyInput, 'format' | 'type'>>> = {
  'pkcs1-private': { format: 'der', type: 'pkcs1' },
  pkcs8: { format: 'der', type: 'pkcs8' },
  'encrypted-pkcs8': { format: 'der', type: 'pkcs8' },
  'encrypted-pkcs1': { format: 'pem' },
};

/**
 * Loads an RSA private key of at least 2048 bits. A key that is already loaded is checked and returned unchanged.
 * @param input PKCS#1 or PKCS#8, in any form of {@link PrivateKeyInput}; in PEM text with several blocks, the first
 * private key counts
 * @param name the name of the input in errors
 * @param use what the key is used for; relevant for a `CryptoKey`, which is bound to one algorithm
 * @throws {@link ConfigurationError} that says what was found instead and what to do; it never shows the input
 */
export function loadPrivateKey(input: PrivateKeyInput, name = 'privateKey', use: KeyUse = 'sign'): PrivateKey {
  const { key, passphrase } = hasPassphrase(input) ? input : { key: input, passphrase: undefined };
  const materials = readKeySource(key, name);
  const material = materials.find((one) => 'key' in one || PRIVATE_ENCODINGS[one.kind]) ?? mostTelling(materials);
  return checkKey(openPrivateKey(material, passphrase, name), 'private', use, name);
}

function hasPassphrase(input: PrivateKeyInput): input is { key: KeyInput; passphrase: string | Uint8Array } {
  return typeof input === 'object' && input !== null && 'key' in input && !isCryptoKey(input);
}

function openPrivateKey(material: Material, passphrase: Passphrase, name: string): PrivateKey {
  if ('key' in material) return material.key;
  const encoding = PRIVATE_ENCODINGS[material.kind];
  if (!encoding) throw wrongKind('private', material.kind, name);
  const key = Buffer.from('pem' in material ? material.pem : 'der' in material ? material.der : '');
  if (!material.kind.startsWith('encrypted')) {
    try {
      return createPrivateKey({ key, ...encoding });
    } catch (error) {
      throw unreadable('private', material.kind, name, error);
    }
  }
  if (!passphrase?.length) {
    throw new ConfigurationError(`"${name}" is encrypted: pass { key, passphrase }.`);
  }
  try {
    return createPrivateKey({ key, ...encoding, passphrase: Buffer.from(passphrase) });
  } catch (error) {
    throw new ConfigurationError(
      `The passphrase does not decrypt "${name}" (${codeOf(error)}). Check the passphrase; if it is right, the ` +
        'encryption may be too old for OpenSSL 3: convert the key with "openssl pkcs8 -topk8 -v2 aes-256-cbc".',
    );
  }
}

/** A public key, loaded. */
export type PublicKey = KeyObject | webcrypto.CryptoKey;

const PUBLIC_ENCODINGS: Partial<Record<Material['kind'], 'pkcs1' | 'spki'>> = { 'pkcs1-public': 'pkcs1', spki: 'spki' };

/**
 * Loads an RSA public key of at least 2048 bits. A key that is already loaded is checked and returned unchanged.
 * @param input SPKI, PKCS#1 or a certificate, in any form of {@link KeyInput}; in PEM text with several blocks, the
 * first public key or certificate counts
 * @param name the name of the input in errors
 * @param use what the key is used for; relevant for a `CryptoKey`, which is bound to one algorithm
 * @throws {@link ConfigurationError} that says what was found instead and what to do; it never shows the input
 */
export function loadPublicKey(input: KeyInput, name = 'publicKey', use: KeyUse = 'verify'): PublicKey {
  const materials = readKeySource(input, name);
  const material = materials.find(isPublic) ?? mostTelling(materials);
  return checkKey(openPublicKey(material, name), 'public', use, name);
}

/**
 * The first certificate in an input.
 * @returns `undefined` if there is none; {@link loadPublicKey} then reports what is wrong
 */
export function certificateOf(input: KeyInput): X509Certificate | undefined {
  try {
    const material = readKeySource(input, 'certificate').find(isPublic);
    return material && openCertificate(material, 'certificate');
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

/** The serial number of a certificate in WeChat Pay's format: upper-case hexadecimal. */
export function serialOf(certificate: X509Certificate): string {
  return certificate.serialNumber.toUpperCase();
}

function isPublic(material: Material): boolean {
  return (
    'key' in material ||
    'certificate' in material ||
    material.kind === 'certificate' ||
    material.kind in PUBLIC_ENCODINGS
  );
}

function openPublicKey(material: Material, name: string): PublicKey {
  if ('key' in material) return material.key;
  const certificate = openCertificate(material, name);
  if (certificate) return keyOfCertificate(certificate, name);
  const type = PUBLIC_ENCODINGS[material.kind];
  if (!type || !('der' in material)) throw wrongKind('public', material.kind, name);
  try {
    return createPublicKey({ key: Buffer.from(material.der), format: 'der', type });
  } catch (error) {
    throw unreadable('public', material.kind, name, error);
  }
}

/** The key in a valid certificate may be damaged. */
function keyOfCertificate(certificate: X509Certificate, name: string): PublicKey {
  try {
    return certificate.publicKey;
  } catch (error) {
    throw unreadable('public', 'certificate', name, error);
  }
}

function openCertificate(material: Material, name: string): X509Certificate | undefined {
  if (material.kind === 'X509Certificate') return material.certificate;
  if (material.kind !== 'certificate') return undefined;
  try {
    return new X509Certificate(material.der);
  } catch (error) {
    throw unreadable('public', material.kind, name, error);
  }
}
