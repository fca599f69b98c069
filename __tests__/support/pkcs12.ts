import { createHash, createHmac, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { der, oid, sequence } from './keys';

/** What a PKCS#12 file is to hold. */
export interface Pkcs12Init {
  /** PEM. */
  cert: string;
  key: KeyObject;
  passphrase: string;
  /** As WeChat Pay issues it: the certificate is encrypted by RC2 with 40 bits, which OpenSSL 3 has no longer. */
  legacy?: boolean;
}

const DATA = oid('2a864886f70d010701');
const ENCRYPTED_DATA = oid('2a864886f70d010706');
const CERTIFICATE_BAG = oid('2a864886f70d010c0a0103');
const KEY_BAG = oid('2a864886f70d010c0a0102');
const X509 = oid('2a864886f70d01091601');
const RC2_40 = oid('2a864886f70d010c0106');
const SHA1 = sequence(oid('2b0e03021a'), Buffer.from('0500', 'hex'));
const ITERATIONS = 2048;

/** A PKCS#12 file (RFC 7292), as `apiclient_cert.p12` is one: certificate and key, with a MAC by SHA-1. */
export function pkcs12({ cert, key, passphrase, legacy = false }: Pkcs12Init): Buffer {
  const certificate = sequence(X509, explicit(octets(new X509Certificate(cert).raw)));
  const shrouded = key.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase });
  const certificates = sequence(sequence(CERTIFICATE_BAG, explicit(certificate)));
  const safe = sequence(
    legacy ? encrypted() : sequence(DATA, explicit(octets(certificates))),
    sequence(DATA, explicit(octets(sequence(sequence(KEY_BAG, explicit(shrouded)))))),
  );
  const salt = randomBytes(8);
  const mac = createHmac('sha1', macKey(passphrase, salt)).update(safe).digest();
  return sequence(
    integer(3),
    sequence(DATA, explicit(octets(safe))),
    sequence(sequence(SHA1, octets(mac)), octets(salt), integer(ITERATIONS)),
  );
}

/** Its content is never looked at: the algorithm alone makes OpenSSL 3 give up. */
function encrypted(): Buffer {
  const algorithm = sequence(RC2_40, sequence(octets(randomBytes(8)), integer(ITERATIONS)));
  return sequence(
    ENCRYPTED_DATA,
    explicit(sequence(integer(0), sequence(DATA, algorithm, der(0x80, randomBytes(64))))),
  );
}

/** RFC 7292, appendix B.2, for a key that is no longer than the hash. */
function macKey(passphrase: string, salt: Buffer): Buffer {
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
  let key = Buffer.concat([Buffer.alloc(64, 3), filled(salt), filled(password)]);
  for (let i = 0; i < ITERATIONS; i++) key = createHash('sha1').update(key).digest();
  return key;
}

/** Repeats bytes until they fill blocks of 64. */
function filled(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / 64) * 64, bytes);
}

function explicit(content: Buffer): Buffer {
  return der(0xa0, content);
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function integer(value: number): Buffer {
  return der(0x02, value < 0x80 ? Buffer.of(value) : Buffer.of(value >> 8, value & 0xff));
}
