import type { KeyObject, X509Certificate } from 'node:crypto';
import { loadPublicKey, serialOf } from '../crypto/key';
import type { SignatureCheck } from '../crypto/platform-keys';
import { verifyWith } from '../crypto/rsa-signature';
import { type Validity, validityOf } from '../crypto/validity';

/** A platform certificate, checked. */
export interface Certificate extends Validity {
  readonly serial: string;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly verify: SignatureCheck;
}

/**
 * Makes a certificate ready for use.
 * @param validity what WeChat Pay says of it beside the certificate's own dates; the narrower counts
 * @throws {@link ConfigurationError} where its key is not RSA with 2048 bits or more
 */
export function certificate(x509: X509Certificate, validity: { from?: number; until?: number } = {}): Certificate {
  const serial = serialOf(x509);
  // Of a certificate it is always a KeyObject.
  const { from, until } = validityOf(x509);
  const publicKey = loadPublicKey(x509, `platform certificate ${serial}`) as KeyObject;
  return {
    serial,
    x509,
    publicKey,
    verify: verifyWith(publicKey),
    from: Math.max(from, validity.from ?? 0),
    until: Math.min(until, validity.until ?? Number.POSITIVE_INFINITY),
  };
}

/** Certificates without those that have expired, that with the longest validity first. */
export function unexpired(certificates: Iterable<Certificate>): Certificate[] {
  const now = Date.now();
  return [...certificates].filter(({ until }) => now < until).sort((a, b) => b.until - a.until);
}
