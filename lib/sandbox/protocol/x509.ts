import { type KeyObject, sign } from 'node:crypto';

/** What a certificate says. */
export interface X509Init {
  /** Serial number, in hexadecimal. */
  readonly serial: string;
  /** Common name of subject and issuer. */
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The pair to certify, and to sign with. */
  readonly pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** Extensions, each in DER. */
  readonly extensions?: readonly Buffer[];
}

const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), Buffer.from('0500', 'hex'));
const COMMON_NAME = oid('550403');

/** A self-signed X.509 v3 certificate (RFC 5280), as PEM. */
export function selfSigned({ serial, subject, notBefore, notAfter, pair, extensions = [] }: X509Init): string {
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(subject)))));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    integer(serial),
    SHA256_WITH_RSA,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    pair.publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', toBeSigned, pair.privateKey));
  return pem('CERTIFICATE', sequence(toBeSigned, SHA256_WITH_RSA, signature));
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
