import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { selfSigned as certify, der, oid, sequence } from '../../lib/sandbox/protocol/x509';

export { der, oid, pem, sequence } from '../../lib/sandbox/protocol/x509';

/** A pair of RSA keys. */
export interface RsaKeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const pairs = new Map<string, RsaKeyPair>();

/**
 * A pair of RSA keys: the same at each call in one process, since generating them takes long.
 * @param owner a merchant's key is refused in the place of WeChat Pay's: a test that needs both asks for `other` too
 */
export function rsaKeyPair(bits = 2048, owner: 'one' | 'other' = 'one'): RsaKeyPair {
  const id = `${bits} ${owner}`;
  const pair = pairs.get(id) ?? generateKeyPairSync('rsa', { modulusLength: bits });
  pairs.set(id, pair);
  return pair;
}

/** What a certificate is to say; each member has a default. */
export interface CertificateInit {
  /** Serial number, in hexadecimal. */
  serial?: string;
  /** Common name of subject and issuer. */
  subject?: string;
  /** IPv4 addresses that it is valid for, as the certificate of a server. */
  addresses?: string[];
  notBefore?: Date;
  notAfter?: Date;
  /** The pair to certify and sign with; {@link rsaKeyPair} by default. */
  pair?: RsaKeyPair;
}

const DAY = 86_400_000;
const SUBJECT_ALTERNATIVE_NAME = oid('551d11');

/** A self-signed X.509 v3 certificate, as PEM. */
export function selfSigned(init: CertificateInit = {}): string {
  const { pair = rsaKeyPair(), subject = 'Test CA', notBefore = new Date(Date.now() - DAY) } = init;
  const serial = init.serial ?? `5${randomBytes(20).toString('hex').slice(1)}`;
  const notAfter = init.notAfter ?? new Date(notBefore.getTime() + 365 * DAY);
  return certify({ serial, subject, notBefore, notAfter, pair, extensions: extensions(init) });
}

function extensions({ addresses = [] }: CertificateInit): Buffer[] {
  if (addresses.length === 0) return [];
  const names = addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number))));
  return [sequence(SUBJECT_ALTERNATIVE_NAME, der(0x04, sequence(...names)))];
}
