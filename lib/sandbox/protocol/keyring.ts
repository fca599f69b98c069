import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import * as AesGcm from '../../crypto/aes-gcm';
import { decrypt } from '../../crypto/rsa';
import { InvalidArgumentError } from '../../errors';
import type { ResponseOf } from '../../openapi/operation';
import { nonce } from '../../signature/formatter';
import { beijing, digits } from '../products/members';
import type { Store } from '../store';
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

/** The keys of the platform. */
export interface Keyring {
  /** The public key that the platform starts with. */
  readonly original: PlatformKey;
  /** The key that signs now. Brands have a public key only, no certificates. */
  signerFor(kind: 'merchant' | 'brand'): PlatformKey;
  /** Signs with another key from now on; for certificates, with a new one. Returns its id. */
  rotate(to: PlatformKeyKind, now: number, validFor: number): Promise<string>;
  /** The key with that id, if it is valid. */
  find(serial: string, now: number): PlatformKey | undefined;
  /** The ids of the valid keys, the current one first. */
  ids(now: number): string[];
  /** The key that signs the list of certificates: one of them, since the client may have no other key yet. */
  signerOfList(announced: string | undefined, now: number): PlatformKey;
  /** The response that lists the certificates. @param apiv3Key the key to encrypt them with */
  list(apiv3Key: string, now: number): Promise<ResponseOf<'v3/global/certificates', 'get'>>;
  /** Decrypts with whichever key matches. */
  decrypt(ciphertext: string): Promise<string>;
  /** Deletes all certificates and goes back to the public key. */
  clear(): void;
}

/** A certificate of the platform, as the store keeps it. */
interface Stored {
  readonly serial: string;
  readonly privateKey: string;
  readonly certificate: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
}

/** How many certificates the platform lists at most: WeChat Pay lists one to a few. */
const MAX_LISTED = 10;

/** Creates the keys of the platform, or loads those that the store has. */
export async function createKeyring(store: Store): Promise<Keyring> {
  const kept = store.table<{ serial: string; privateKey: string }>('platform-key', { survivesReset: true });
  const certificates = store.table<Stored>('platform-certificates');
  const inUse = store.table<{ serial: string }>('platform-current');
  const loaded = new Map<string, PlatformKey>();

  if (!kept.get('original')) {
    const { privateKey } = await keyPair();
    kept.put('original', { serial: publicKeyId(), privateKey: pemOf(privateKey) });
    store.commit();
  }

  function load(stored: { serial: string; privateKey: string }): PlatformKey {
    const known = loaded.get(stored.serial);
    if (known) return known;
    const privateKey = createPrivateKey(stored.privateKey);
    const key = { serial: stored.serial, privateKey, publicKey: createPublicKey(privateKey) };
    loaded.set(stored.serial, key);
    return key;
  }

  const original = (): PlatformKey => {
    const stored = kept.get('original');
    if (!stored) throw new Error('The platform has lost its key.');
    return load(stored);
  };
  const current = (): PlatformKey => {
    const { serial = '' } = inUse.get('current') ?? {};
    const stored = certificates.get(serial);
    return stored ? load(stored) : original();
  };
  /** The newest first. */
  const valid = (now: number) => [...certificates.values()].filter(({ until }) => now < until).reverse();

  return {
    get original() {
      return original();
    },
    signerFor: (kind) => (kind === 'brand' ? original() : current()),
    async rotate(to, now, validFor) {
      const next = to === 'certificate' ? await issue(now, validFor) : undefined;
      if (next) certificates.put(next.serial, next);
      inUse.put('current', { serial: next?.serial ?? original().serial });
      store.commit();
      return current().serial;
    },
    find(serial, now) {
      if (serial === original().serial) return original();
      const stored = certificates.get(serial);
      return stored && now < stored.until ? load(stored) : undefined;
    },
    ids: (now) => [...new Set([current(), original(), ...valid(now)].map(({ serial }) => serial))],
    signerOfList(announced, now) {
      const [newest] = valid(now);
      const signer = current();
      return newest && signer === original() && announced !== signer.serial ? load(newest) : signer;
    },
    async list(apiv3Key, now) {
      const listed = valid(now).slice(0, MAX_LISTED);
      if (listed.length === 0) throw fault(404, 'RESOURCE_NOT_EXISTS', NO_CERTIFICATE);
      return { data: await Promise.all(listed.map((one) => entry(one, apiv3Key))) };
    },
    async decrypt(ciphertext) {
      for (const stored of certificates.values()) {
        const plaintext = await decrypt(ciphertext, load(stored).privateKey).catch(() => undefined);
        if (plaintext !== undefined) return plaintext;
      }
      return decrypt(ciphertext, original().privateKey);
    },
    clear() {
      for (const { serial } of [...certificates.values()]) certificates.delete(serial);
      inUse.delete('current');
    },
  };
}

/** WeChat Pay's response to a merchant that has only a public key. */
const NO_CERTIFICATE =
  '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。可查看指引https://pay.weixin.qq.com/doc/v3/merchant/4012153196';

type Entry = ResponseOf<'v3/global/certificates', 'get'>['data'][number];

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764 */
async function entry({ serial, from, until, certificate }: Stored, apiv3Key: string): Promise<Entry> {
  const [iv, associated_data] = [nonce(12), 'certificate'];
  const ciphertext = await AesGcm.encrypt(certificate, apiv3Key, iv, associated_data);
  return {
    serial_no: serial,
    effective_time: beijing(from),
    expire_time: beijing(until),
    encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', nonce: iv, associated_data, ciphertext },
  };
}

async function issue(now: number, validFor: number): Promise<Stored> {
  if (!(validFor >= 1000)) {
    throw new InvalidArgumentError('"validFor" of a certificate must be a number of milliseconds, 1000 or more.');
  }
  const pair = await keyPair();
  // To the second, as a certificate has it. Serial numbers of WeChat Pay begin like this, too.
  const from = Math.floor(now / 1000) * 1000;
  const until = Math.floor((now + validFor) / 1000) * 1000;
  const serial = `5${nonce(39)}`.toUpperCase();
  const dates = { notBefore: new Date(from), notAfter: new Date(until) };
  const certificate = selfSigned({ serial, subject: 'Tenpay.com sign', pair, ...dates });
  return { serial, privateKey: pemOf(pair.privateKey), certificate, from, until };
}

/** A pair of fresh RSA-2048 keys. */
export function keyPair(): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** An id as WeChat Pay's public keys have: 28 digits behind the prefix. */
function publicKeyId(): string {
  return `PUB_KEY_ID_01${digits(26)}`;
}
