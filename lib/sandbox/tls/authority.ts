import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { nonce } from '../../signature/formatter';
import { type KeyPair, keyPair } from '../protocol/keyring';
import { der, extension, oid, selfSigned, sequence, signedBy, TRUE } from '../protocol/x509';
import type { Store } from '../store';

/** A certificate authority of the sandbox's own. Whoever trusts it trusts the certificates of this sandbox. */
export interface Authority {
  /** Its certificate, PEM. */
  readonly certificate: string;
  /** Certifies a fresh pair of keys for these names and addresses. */
  issue(names: readonly string[]): Promise<ServerKeys>;
}

/** What a server presents, PEM. */
export interface ServerKeys {
  readonly key: string;
  readonly cert: string;
}

/** The authority as the store keeps it. */
interface Stored {
  readonly privateKey: string;
  readonly certificate: string;
}

const DAY = 86_400_000;
/** Ten years: it is kept as long as the journal. */
const AUTHORITY_VALID_FOR = 3650 * DAY;
/** A year: some clients refuse certificates of servers that are valid for much longer. */
const SERVER_VALID_FOR = 365 * DAY;

/** The purpose of servers (id-kp-serverAuth), and the object identifiers of extensions. */
const SERVER_AUTH = '2b06010505070301';
const EXTENSIONS = {
  subjectKeyIdentifier: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyIdentifier: '551d23',
  extKeyUsage: '551d25',
} as const;

/** Creates the authority, or loads the one that the store has: trust in it outlasts a restart. */
export async function createAuthority(store: Store): Promise<Authority> {
  const kept = store.table<Stored>('tls-authority', { survivesReset: true });
  const stored = kept.get('authority') ?? (await newAuthority());
  kept.put('authority', stored);
  store.commit();

  const { certificate } = stored;
  const privateKey = createPrivateKey(stored.privateKey);
  const subject = new X509Certificate(certificate).subject.replace(/^CN=/, '');
  const identifier = keyIdentifier(createPublicKey(privateKey));
  return {
    certificate,
    async issue(names) {
      const pair = await keyPair();
      const cert = signedBy(
        { subject, privateKey },
        {
          ...{ serial: serialNumber(), subject: names[0] ?? 'localhost', pair, ...validFor(SERVER_VALID_FOR) },
          extensions: [
            extension(EXTENSIONS.basicConstraints, sequence(), true),
            // digitalSignature, keyEncipherment.
            extension(EXTENSIONS.keyUsage, der(0x03, Buffer.of(5, 0xa0)), true),
            extension(EXTENSIONS.extKeyUsage, sequence(oid(SERVER_AUTH))),
            extension(EXTENSIONS.subjectKeyIdentifier, der(0x04, keyIdentifier(pair.publicKey))),
            extension(EXTENSIONS.authorityKeyIdentifier, sequence(der(0x80, identifier))),
            extension(EXTENSIONS.subjectAltName, sequence(...names.map(generalName))),
          ],
        },
      );
      return { key: pemOf(pair), cert };
    },
  };
}

async function newAuthority(): Promise<Stored> {
  const pair = await keyPair();
  const certificate = selfSigned({
    // A name of its own, so that certificates of an earlier one are not taken for its own.
    ...{ serial: serialNumber(), subject: `wechatpay-undici sandbox ${nonce(8)}`, pair },
    ...validFor(AUTHORITY_VALID_FOR),
    extensions: [
      // It certifies servers, no further authorities.
      extension(EXTENSIONS.basicConstraints, sequence(TRUE, der(0x02, Buffer.of(0))), true),
      // keyCertSign.
      extension(EXTENSIONS.keyUsage, der(0x03, Buffer.of(2, 0x04)), true),
      extension(EXTENSIONS.subjectKeyIdentifier, der(0x04, keyIdentifier(pair.publicKey))),
    ],
  });
  return { privateKey: pemOf(pair), certificate };
}

/** From yesterday on, for clients whose clock is a little behind. */
function validFor(milliseconds: number): { notBefore: Date; notAfter: Date } {
  // Certificates keep the real time, as signatures do.
  const now = Date.now();
  return { notBefore: new Date(now - DAY), notAfter: new Date(now + milliseconds) };
}

/** An address or a DNS name, as subjectAltName has them. */
function generalName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // Of the forms of an IPv6 address, the URL parser gives the one without a dotted end.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const all = [...before, ...(tail === undefined ? [] : zeros), ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest();
}

function serialNumber(): string {
  return `5${nonce(31)}`;
}

function pemOf({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
