import { createPublicKey, KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { types } from 'node:util';
import { isCryptoKey } from '../crypto/key-source';
import { certificateOf, type KeyInput, loadPrivateKey, loadPublicKey, type PrivateKeyInput } from '../crypto/keys';
import type { Thread } from '../crypto/rsa-signature';
import { ConfigurationError } from '../errors';
import { toVerify, type VerifyFunction } from './functions';

/** The validity period of a certificate, in milliseconds since 1970. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/** How far the local clock may be behind WeChat Pay's, in milliseconds. */
const SKEW = 300_000;

/** The validity period of a certificate. */
export function validityOf({ validFrom, validTo }: X509Certificate): Validity {
  return { from: Date.parse(validFrom), until: Date.parse(validTo) };
}

/** Whether a certificate is currently valid. */
export function isValid({ from, until }: Validity, now = Date.now()): boolean {
  return from - SKEW <= now && now < until;
}

/** A time as a date, for messages. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** What is known of the merchant or the brand: whatever was given, whether it can be used or not. */
export interface OwnKeys {
  serial?: unknown;
  privateKey?: unknown;
  /** Of a brand alone. */
  brandId?: unknown;
}

/**
 * Refuses the merchant's own public key or serial number where WeChat Pay's belongs: anyone with the merchant's private
 * key could forge responses. If either key is a function, it cannot be compared.
 * @throws {@link ConfigurationError} that names the entry of `certs`
 */
export function refuseOwnKeys(
  certs: Readonly<Record<string, unknown>>,
  { serial, privateKey, brandId }: OwnKeys,
): void {
  const own = publicHalf(privateKey);
  const [whose, expected] =
    brandId === undefined
      ? (["merchant's", "WeChat Pay's public key (pub_key.pem) or platform certificate"] as const)
      : (["brand's", "WeChat Pay's public key (pub_key.pem)"] as const);
  for (const [id, key] of Object.entries(certs)) {
    if (typeof serial === 'string' && id.toUpperCase() === serial.toUpperCase()) {
      throw new ConfigurationError(
        `"certs" contains the ${whose} own serial number ${id}; use ${expected.replace(' (pub_key.pem)', '')}.`,
      );
    }
    if (own && publicKeyOf(key)?.equals(own)) {
      throw new ConfigurationError(
        `certs["${id}"] is the ${whose} own public key; ${expected} belongs there, not apiclient_cert.pem.`,
      );
    }
  }
}

/** `undefined` for a function, and for a key that cannot be read: the code that loads it reports what is wrong. */
function publicHalf(privateKey: unknown): KeyObject | undefined {
  return attempt(privateKey, () => {
    const key = readable(privateKey) ?? loadPrivateKey(privateKey as PrivateKeyInput);
    return types.isKeyObject(key) && key.type === 'private' ? createPublicKey(key) : undefined;
  });
}

function publicKeyOf(input: unknown): KeyObject | undefined {
  return attempt(input, () => {
    const key = readable(input) ?? loadPublicKey(input as KeyInput);
    return types.isKeyObject(key) ? key : undefined;
  });
}

/** A loaded key, if it can be compared: a `CryptoKey` only if it is extractable. */
function readable(input: unknown): KeyObject | undefined {
  if (types.isKeyObject(input)) return input;
  if (input instanceof X509Certificate) return input.publicKey;
  if (!isCryptoKey(input)) return undefined;
  return types.isCryptoKey(input) && input.extractable ? KeyObject.from(input as webcrypto.CryptoKey) : undefined;
}

function attempt(input: unknown, read: () => KeyObject | undefined): KeyObject | undefined {
  if (input === undefined || typeof input === 'function') return undefined;
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Verifies signatures of one key. */
export type SignatureCheck = ReturnType<typeof toVerify>;

/** WeChat Pay's loaded keys, by serial number or id; a `Map` satisfies this. */
export interface PlatformKeys {
  /** The key with that id, if it is available. */
  get(serial: string): SignatureCheck | undefined;
  /** The ids of the available keys. */
  keys(): Iterable<string>;
  /** Searches for a key that is not available; rejects if it cannot search. */
  find?(serial: string): Promise<SignatureCheck | undefined>;
  /** Says why a configured key is not used; `undefined` if it is used, or not configured. */
  explain?(serial: string): string | undefined;
}

/** Platform certificates that are downloaded on demand, in addition to the configured keys. */
export interface PlatformCertificates extends PlatformKeys {
  find(serial: string): Promise<SignatureCheck | undefined>;
  /** The id of the key to encrypt with and to announce, if one is available. */
  preferred(): string | undefined;
  /** The same, but downloads certificates first if none is available. */
  ready(): Promise<string>;
  /** The key of a certificate, for encryption. */
  publicKey(serial: string): KeyObject | undefined;
  /** Downloads the certificates now. @returns the currently valid ones, the one that expires last first */
  refresh(): Promise<X509Certificate[]>;
}

/**
 * How the validity period of configured certificates is treated:
 * - `required`: invalid certificates are not used, at least one key must be usable, and a warning precedes expiry;
 * - `counted`: invalid certificates are not used, but others can be downloaded;
 * - `ignored`: all are used, to look at old messages.
 */
export type Dates = 'required' | 'counted' | 'ignored';

/** Options for loading the keys of a configuration. */
export interface LoadKeysOptions {
  thread?: Thread;
  dates?: Dates;
}

/** The loaded keys of a configuration. */
export interface ConfiguredKeys extends Required<Omit<PlatformKeys, 'find'>> {
  /** The ids of all keys, whether they are used or not. */
  readonly ids: readonly string[];
}

/**
 * Loads each key in the configuration's `certs`. A certificate is used only within its validity period, which is checked
 * on each use.
 * @throws {@link ConfigurationError} if a key cannot be used, or none of them is currently valid
 */
export function loadPlatformKeys(
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>,
  { thread, dates = 'required' }: LoadKeysOptions = {},
): ConfiguredKeys {
  const checks = new Map(
    Object.entries(certs).map(([serial, key]) => [serial, toVerify(key, `certs["${serial}"]`, thread)]),
  );
  const dated = new DatedKeys(certs, dates);
  dated.require();
  return {
    ids: [...checks.keys()],
    get: (serial) => (dated.counts(serial) ? checks.get(serial) : undefined),
    keys: () => [...checks.keys()].filter((serial) => dated.counts(serial)),
    explain: (serial) => dated.explain(serial),
  };
}

/** How long before the last key expires to warn, in milliseconds. */
const NOTICE = 30 * 86_400_000;

/** Warnings already emitted in this process. */
const warned = new Set<string>();

/** The ids of configured keys, with the validity periods of certificates. */
export class DatedKeys {
  readonly #ids: readonly string[];
  readonly #validities: ReadonlyMap<string, Validity>;
  readonly #dates: Dates;
  /** When the last key expires. */
  readonly #end: number;

  /** @param certs values that cannot be read count as keys without dates: the code that loads them reports the error */
  constructor(certs: Readonly<Record<string, unknown>>, dates: Dates = 'required') {
    this.#ids = Object.keys(certs);
    this.#dates = dates;
    this.#validities = dates === 'ignored' ? new Map() : validitiesOf(certs);
    const ends = this.#ids.map((id) => this.#validities.get(id)?.until ?? Number.POSITIVE_INFINITY);
    this.#end = Math.max(...ends);
  }

  /** Whether a key may be used now, as far as its validity period is concerned. */
  counts(id: string): boolean {
    const validity = this.#validities.get(id);
    if (!validity) return true;
    this.#warn();
    return isValid(validity);
  }

  /** The id to announce and to encrypt with: a public key takes precedence over certificates; undefined if there is none. */
  preferred(): string | undefined {
    return preferredSerial(this.#ids.filter((id) => this.counts(id)));
  }

  /** Says why a key is not used; `undefined` if it is. */
  explain(id: string): string | undefined {
    const validity = this.#validities.get(id);
    if (!validity || isValid(validity)) return undefined;
    const { from, until } = validity;
    return from > Date.now()
      ? `The certificate certs["${id}"] is valid only from ${day(from)}.`
      : `The certificate certs["${id}"] expired on ${day(until)}.`;
  }

  /** @throws {@link ConfigurationError} if there are keys, but none is currently valid */
  require(): void {
    if (this.#dates !== 'required' || this.#ids.length === 0 || this.#ids.some((id) => this.counts(id))) return;
    const reasons = this.#ids.map((id) => this.explain(id)).join(' ');
    throw new ConfigurationError(`${reasons} ${RENEW}`);
  }

  #warn(): void {
    const now = Date.now();
    if (this.#dates !== 'required' || now < this.#end - NOTICE || now >= this.#end) return;
    const last = this.#ids.find((id) => this.#validities.get(id)?.until === this.#end);
    if (last === undefined || warned.has(last)) return;
    warned.add(last);
    process.emitWarning(
      `The platform certificate certs["${last}"] expires on ${day(this.#end)}, leaving no key to verify ` +
        `responses. ${RENEW}`,
      { code: 'WECHATPAY_CERTIFICATE_EXPIRES' },
    );
  }
}

const RENEW =
  'Configure WeChat Pay\'s public key (pub_key.pem) or the newer certificate in "certs", or "apiv3Key" to ' +
  'download certificates; also check the system clock.';

function validitiesOf(certs: Readonly<Record<string, unknown>>): ReadonlyMap<string, Validity> {
  const validities = new Map<string, Validity>();
  for (const [id, key] of Object.entries(certs)) {
    const certificate = typeof key === 'function' ? undefined : certificateOf(key as KeyInput);
    if (certificate) validities.set(id, validityOf(certificate));
  }
  return validities;
}

/**
 * Refuses what a brand does not have: there are no platform certificates for brands, only public keys.
 * @throws {@link ConfigurationError} that names the entry of `certs`
 * @see https://pay.weixin.qq.com/doc/brand/4015582733
 */
export function requirePublicKeys(certs: Readonly<Record<string, unknown>>): void {
  for (const [id, key] of Object.entries(certs)) {
    const isCertificate = typeof key !== 'function' && certificateOf(key as KeyInput) !== undefined;
    if (isPublicKeyId(id) && !isCertificate) continue;
    const found = isCertificate ? 'is a certificate' : 'has the id of no public key';
    throw new ConfigurationError(
      `certs["${id}"] ${found}. A brand has no platform certificates: "certs" takes the brand's WeChat Pay public key ` +
        'under its ID, PUB_KEY_ID_….',
    );
  }
}

/** Whether an id belongs to a public key; the serial number of a certificate is hexadecimal. */
export function isPublicKeyId(serial: string): boolean {
  return serial.startsWith('PUB_KEY_ID_');
}

/** The id of the public key, which replaces certificates, or else of a certificate; undefined if there is none. */
export function preferredSerial(serials: readonly string[]): string | undefined {
  return serials.find(isPublicKeyId) ?? serials[0];
}
