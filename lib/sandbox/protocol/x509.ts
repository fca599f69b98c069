import { type KeyObject, sign } from 'node:crypto';

/** Who signs the certificate of another. */
export interface X509Issuer {
  /** Common name of its subject. */
  readonly subject: string;
  readonly privateKey: KeyObject;
}

/** What a certificate says. */
export interface X509Init {
  /** Serial number, in hexadecimal. */
  readonly serial: string;
  /** Common name of the subject. */
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The pair to certify; without an issuer it signs, too. */
  readonly pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** Extensions, each in DER: see {@link extension}. */
  readonly extensions?: readonly Buffer[];
}

const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), Buffer.from('0500', 'hex'));
const COMMON_NAME = oid('550403');
/** The BOOLEAN true. */
export const TRUE = der(0x01, Buffer.of(0xff));

/** A self-signed X.509 v3 certificate (RFC 5280), as PEM. */
export function selfSigned(init: X509Init): string {
  return signedBy({ subject: init.subject, privateKey: init.pair.privateKey }, init);
}

/** An X.509 v3 certificate (RFC 5280) that an issuer has signed, as PEM. */
export function signedBy(
  issuer: X509Issuer,
  { serial, subject, notBefore, notAfter, pair, extensions = [] }: X509Init,
): string {
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    integer(serial),
    SHA256_WITH_RSA,
    nameOf(issuer.subject),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    pair.publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', toBeSigned, issuer.privateKey));
  return pem('CERTIFICATE', sequence(toBeSigned, SHA256_WITH_RSA, signature));
}

/** An extension of a certificate, by the hexadecimal of its OBJECT IDENTIFIER. */
export function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), der(0x04, value));
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

/** A subject or an issuer that has a common name only. */
function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
}

/** A time to the second: up to 2049 a UTCTime, which leaves the century out, then a GeneralizedTime. */
function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}
