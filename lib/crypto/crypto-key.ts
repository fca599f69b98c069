import type { webcrypto } from 'node:crypto';

/** What a key is to be used for. */
export type KeyUse = 'sign' | 'verify' | 'encrypt' | 'encrypt-pkcs1' | 'decrypt';

/** What a `CryptoKey` must be for each use: WeChat Pay's algorithms, and the usage that WebCrypto asks for. */
const REQUIREMENTS: Record<KeyUse, { name: string; hash?: string; usage: webcrypto.KeyUsage }> = {
  sign: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', usage: 'sign' },
  verify: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', usage: 'verify' },
  encrypt: { name: 'RSA-OAEP', hash: 'SHA-1', usage: 'encrypt' },
  'encrypt-pkcs1': { name: 'RSAES-PKCS1-v1_5', usage: 'encrypt' },
  decrypt: { name: 'RSA-OAEP', hash: 'SHA-1', usage: 'decrypt' },
};

/** Whether a value is a `CryptoKey`, of Node or of another provider of WebCrypto. */
export function isCryptoKey(value: unknown): value is webcrypto.CryptoKey {
  if (typeof value !== 'object' || value === null) return false;
  const { type, algorithm, usages } = value as Partial<webcrypto.CryptoKey>;
  return typeof type === 'string' && typeof algorithm?.name === 'string' && Array.isArray(usages);
}

/** Says what keeps a `CryptoKey` from a use, in words that follow "a CryptoKey"; `undefined` where nothing does. */
export function cryptoKeyFault(key: webcrypto.CryptoKey, use: KeyUse): string | undefined {
  const { name, hash, usage } = REQUIREMENTS[use];
  const found = key.algorithm as Partial<webcrypto.RsaHashedKeyAlgorithm>;
  const fits = same(found.name, name) && (hash === undefined || same(found.hash?.name, hash));
  if (!fits) return `for ${title(found.name, found.hash?.name)}, where one for ${title(name, hash)} is needed`;
  if (!key.usages.includes(usage)) return `without the usage "${usage}": it has ${key.usages.join(', ') || 'none'}`;
  return undefined;
}

function same(found: string | undefined, expected: string): boolean {
  return found?.toUpperCase() === expected.toUpperCase();
}

function title(name: string | undefined, hash: string | undefined): string {
  return hash === undefined ? `${name}` : `${name} with ${hash}`;
}

/** The length of the modulus of an RSA `CryptoKey`, in bits. */
export function modulusLengthOf(key: webcrypto.CryptoKey): number | undefined {
  return (key.algorithm as Partial<webcrypto.RsaHashedKeyAlgorithm>).modulusLength;
}
