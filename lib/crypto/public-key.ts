import { createPublicKey, type KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../errors';
import type { KeyUse } from './crypto-key';
import { checkKey, unreadable, wrongKind } from './key-check';
import { type KeyInput, type Material, mostTelling, readKeySource } from './key-source';

/** A public key, loaded. */
export type PublicKey = KeyObject | webcrypto.CryptoKey;

const ENCODINGS: Partial<Record<Material['kind'], 'pkcs1' | 'spki'>> = { 'pkcs1-public': 'pkcs1', spki: 'spki' };

/**
 * Loads a public key: RSA, 2048 bits or more. What is loaded already is checked and handed back as it is.
 * @param input SPKI, PKCS#1 or a certificate, in any form of {@link KeyInput}; of a PEM text with several blocks, the
 * first public key or certificate
 * @param name what errors call the input
 * @param use what the key is for; matters to a `CryptoKey`, which is bound to one algorithm
 * @throws {@link ConfigurationError} that says what was found instead and what to do; it never shows the input
 */
export function loadPublicKey(input: KeyInput, name = 'publicKey', use: KeyUse = 'verify'): PublicKey {
  const materials = readKeySource(input, name);
  const material = materials.find(isPublic) ?? mostTelling(materials);
  return checkKey(open(material, name), 'public', use, name);
}

/**
 * The certificate that an input holds, the first if there are several.
 * @returns `undefined` where it holds none; {@link loadPublicKey} says what is wrong then
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

/** The serial number of a certificate as WeChat Pay writes it: hexadecimal, upper case. */
export function serialOf(certificate: X509Certificate): string {
  return certificate.serialNumber.toUpperCase();
}

function isPublic(material: Material): boolean {
  return (
    'key' in material || 'certificate' in material || material.kind === 'certificate' || material.kind in ENCODINGS
  );
}

function open(material: Material, name: string): PublicKey {
  if ('key' in material) return material.key;
  const certificate = openCertificate(material, name);
  if (certificate) return keyOf(certificate, name);
  const type = ENCODINGS[material.kind];
  if (!type || !('der' in material)) throw wrongKind('public', material.kind, name);
  try {
    return createPublicKey({ key: Buffer.from(material.der), format: 'der', type });
  } catch (error) {
    throw unreadable('public', material.kind, name, error);
  }
}

/** Of a certificate that is whole, the key in it may be damaged. */
function keyOf(certificate: X509Certificate, name: string): PublicKey {
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
