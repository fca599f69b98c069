import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import * as AesGcm from '../../crypto/aes-gcm';
import { decrypt } from '../../crypto/rsa';
import { InvalidArgumentError } from '../../errors';
import type { ResponseOf } from '../../openapi/operation';
import { nonce } from '../../signature/formatter';
import { beijing, digits } from '../products/members';
import { fault } from '../wire/response';
import { selfSigned } from './x509';

/** A pair of RSA keys. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A key of the platform, and its id. */
export interface PlatformKey extends KeyPair {
  readonly serial: string;
}

/** The two kinds of keys that the platform has. */
export type PlatformKeyKind = 'certificate' | 'public-key';

/** The keys of the platform; what it has as a key itself is the one that it signs with now. */
export interface Keyring extends PlatformKey {
  /** Signs with another key from now on; of certificates with a new one. Returns its id. */
  rotate(to: PlatformKeyKind, now: number, validFor: number): Promise<string>;
  /** The ids of those that are valid, that in use first. */
  ids(now: number): string[];
  /** What signs the response that lists the certificates: one of them, since who asks may have no other key yet. */
  signerOfList(announced: string | undefined, now: number): PlatformKey;
  /** The response that lists the certificates. @param apiv3Key the key to encrypt them with */
  list(apiv3Key: string, now: number): Promise<ResponseOf<'v3/global/certificates', 'get'>>;
  /** Decrypts by whichever key fits. */
  decrypt(ciphertext: string): Promise<string>;
  /** Forgets all certificates. */
  clear(): void;
}

interface Issued extends PlatformKey {
  readonly pem: string;
  readonly from: number;
  readonly until: number;
}

/** How many certificates the platform lists at most: WeChat Pay lists one to a few. */
const MAX_LISTED = 10;

/** @param original what the platform begins with: its public key */
export function createKeyring(original: PlatformKey): Keyring {
  let current: PlatformKey = original;
  let issued: Issued[] = [];
  const valid = (now: number) => issued.filter(({ until }) => now < until);

  return {
    get serial() {
      return current.serial;
    },
    get publicKey() {
      return current.publicKey;
    },
    get privateKey() {
      return current.privateKey;
    },
    async rotate(to, now, validFor) {
      if (to === 'public-key') {
        current = original;
      } else {
        const next = await issue(now, validFor);
        issued = [next, ...issued];
        current = next;
      }
      return current.serial;
    },
    ids: (now) => [...new Set([current, original, ...valid(now)].map(({ serial }) => serial))],
    signerOfList: (announced, now) =>
      current === original && announced !== original.serial ? (valid(now)[0] ?? current) : current,
    async list(apiv3Key, now) {
      const certificates = valid(now).slice(0, MAX_LISTED);
      if (certificates.length === 0) throw fault(404, 'RESOURCE_NOT_EXISTS', '证书不存在');
      return { data: await Promise.all(certificates.map((one) => entry(one, apiv3Key))) };
    },
    async decrypt(ciphertext) {
      const [last, ...others] = [original, ...issued];
      for (const { privateKey } of others) {
        const plaintext = await decrypt(ciphertext, privateKey).catch(() => undefined);
        if (plaintext !== undefined) return plaintext;
      }
      return decrypt(ciphertext, last.privateKey);
    },
    clear() {
      current = original;
      issued = [];
    },
  };
}

type Entry = ResponseOf<'v3/global/certificates', 'get'>['data'][number];

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764 */
async function entry({ serial, from, until, pem }: Issued, apiv3Key: string): Promise<Entry> {
  const [iv, associated_data] = [nonce(12), 'certificate'];
  const ciphertext = await AesGcm.encrypt(pem, apiv3Key, iv, associated_data);
  return {
    serial_no: serial,
    effective_time: beijing(from),
    expire_time: beijing(until),
    encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', nonce: iv, associated_data, ciphertext },
  };
}

async function issue(now: number, validFor: number): Promise<Issued> {
  if (!(validFor >= 1000)) {
    throw new InvalidArgumentError('"validFor" of a certificate must be a number of milliseconds, 1000 or more.');
  }
  const pair = await keyPair();
  // To the second, as a certificate has it. Serial numbers of WeChat Pay begin like this, too.
  const from = Math.floor(now / 1000) * 1000;
  const until = Math.floor((now + validFor) / 1000) * 1000;
  const serial = `5${nonce(39)}`.toUpperCase();
  const dates = { notBefore: new Date(from), notAfter: new Date(until) };
  return { ...pair, serial, from, until, pem: selfSigned({ serial, subject: 'Tenpay.com sign', pair, ...dates }) };
}

/** A pair of fresh RSA-2048 keys. */
export function keyPair(): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
}

/** An id as WeChat Pay's public keys have: 28 digits behind the prefix. */
export function publicKeyId(mchid: string): string {
  return `PUB_KEY_ID_01${mchid}${digits(16)}`;
}
