import type { KeyObject, X509Certificate } from 'node:crypto';
import { loadPublicKey, serialOf } from '../crypto/key';
import type { SignatureCheck } from '../crypto/platform-keys';
import { verifyWith } from '../crypto/rsa-signature';

/** A platform certificate, checked. */
export interface Certificate {
  readonly serial: string;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly verify: SignatureCheck;
  /** When it begins and ceases to be valid, in milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
}

/** How far the local clock may be behind that of WeChat Pay, in milliseconds. */
const SKEW = 300_000;

/**
 * Makes a certificate ready for use.
 * @param validity what WeChat Pay says of it beside the certificate's own dates; the narrower counts
 * @throws {@link ConfigurationError} where its key is not RSA with 2048 bits or more
 */
export function certificate(x509: X509Certificate, validity: { from?: number; until?: number } = {}): Certificate {
  const serial = serialOf(x509);
  // Of a certificate it is always a KeyObject.
  const publicKey = loadPublicKey(x509, `platform certificate ${serial}`) as KeyObject;
  return {
    serial,
    x509,
    publicKey,
    verify: verifyWith(publicKey),
    from: Math.max(Date.parse(x509.validFrom), validity.from ?? 0),
    until: Math.min(Date.parse(x509.validTo), validity.until ?? Number.POSITIVE_INFINITY),
  };
}

/** Whether a certificate is valid now. */
export function isValid({ from, until }: Certificate, now = Date.now()): boolean {
  return from - SKEW <= now && now < until;
}

/** Certificates without those that have expired, that with the longest validity first. */
export function unexpired(certificates: Iterable<Certificate>): Certificate[] {
  const now = Date.now();
  return [...certificates].filter(({ until }) => now < until).sort((a, b) => b.until - a.until);
}
