import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A pair of RSA keys. */
export interface RsaKeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const pairs = new Map<number, RsaKeyPair>();

/** A pair of RSA keys: the same at each call in one process, since generating them takes long. */
export function rsaKeyPair(bits = 2048): RsaKeyPair {
  const pair = pairs.get(bits) ?? generateKeyPairSync('rsa', { modulusLength: bits });
  pairs.set(bits, pair);
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
const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), Buffer.from('0500', 'hex'));
const COMMON_NAME = oid('550403');
const SUBJECT_ALTERNATIVE_NAME = oid('551d11');

/** A self-signed X.509 v3 certificate, as PEM. */
export function selfSigned(init: CertificateInit = {}): string {
  const { privateKey, publicKey } = init.pair ?? rsaKeyPair();
  const serial = init.serial ?? `5${randomBytes(20).toString('hex').slice(1)}`;
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(init.subject ?? 'Test CA')))));
  const notBefore = init.notBefore ?? new Date(Date.now() - DAY);
  const validity = sequence(time(notBefore), time(init.notAfter ?? new Date(notBefore.getTime() + 365 * DAY)));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    integer(serial),
    SHA256_WITH_RSA,
    name,
    validity,
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    ...extensions(init),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', toBeSigned, privateKey));
  return pem('CERTIFICATE', sequence(toBeSigned, SHA256_WITH_RSA, signature));
}

function extensions({ addresses = [] }: CertificateInit): Buffer[] {
  if (addresses.length === 0) return [];
  const names = addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number))));
  return [der(0xa3, sequence(sequence(SUBJECT_ALTERNATIVE_NAME, der(0x04, sequence(...names)))))];
}

/** Puts DER into the armour of PEM. */
export function pem(label: string, content: Buffer): string {
  return `-----BEGIN ${label}-----\n${content.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

/** An element of DER: tag, length, contents. */
export function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...octets), content]);
}

/** A SEQUENCE of DER. */
export function sequence(...members: Buffer[]): Buffer {
  return der(0x30, ...members);
}

/** An OBJECT IDENTIFIER, from the hexadecimal of its content. */
export function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function integer(hex: string): Buffer {
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return der(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]));
}

/** A GeneralizedTime, to the second. */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}
