import type { X509Certificate } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { CertificateCache } from '../certificates/cache';
import { certificateOf, type KeyInput, loadPublicKey, type PublicKey, serialOf } from '../crypto/keys';
import { ConfigurationError } from '../errors';
import { type HeaderRecord, writeHeaders } from '../format/headers';
import type { FailoverOptions, RetryOptions } from '../middleware';
import { configuredBase, configuredBases, trustedOrigins } from '../middleware/signing';
import type { Verify } from '../middleware/verifying-handler';
import type { HeadersInput, Timeouts } from '../openapi/options';
import { readApiKey } from '../signature/api-key';
import { loadMerchantKey, type MerchantKey, type MerchantKeyInput, type VerifyFunction } from '../signature/functions';
import { type OwnKeys, type PlatformCertificates, refuseOwnKeys, requirePublicKeys } from '../signature/platform-keys';
import type { Signatory } from '../signature/scheme';
import type { MerchantCertificate } from './base-dispatcher';
import { readTimeouts } from './options';

/** What the client of a merchant needs, and what it may have. */
export interface MerchantConfig extends SharedConfig {
  /** Merchant id (商户号). */
  mchid: string;
  /**
   * The APIv3 key, 32 bytes. With it, platform certificates missing from `certs` are downloaded on demand, and
   * `Notifications.of(instance)` can decrypt.
   */
  apiv3Key?: string | Uint8Array;
  /** Shares the downloaded platform certificates with other processes and later runs. */
  certificateCache?: CertificateCache;
  /** The RSA key that encrypts fields of v2 payments to banks, as returned by `v2/risk/getpublickey`. */
  payBankKey?: KeyInput;
  /** The merchant's TLS client certificate, for v2 operations that require it. */
  merchant?: MerchantCertificate;
}

/** What every client may have. */
export interface SharedConfig {
  /**
   * Base URL. Defaults to `https://api.mch.weixin.qq.com/`, unless the operation has its own. Requests to it are
   * signed.
   */
  baseUrl?: string | URL;
  /**
   * Further base URLs that calls may use, as their `baseUrl` or in an absolute URL, such as your own proxy. Requests to
   * them are signed. WeChat Pay's own hosts need not be listed.
   */
  baseUrls?: readonly (string | URL)[];
  /** Headers to send with every request. */
  headers?: HeadersInput;
  /** Timeout for a whole call, in milliseconds, or timeouts for its phases; 10,000 in total by default. */
  timeout?: number | Timeouts;
  /** Retries idempotent requests after transient failures: see {@link retry}. */
  retry?: boolean | RetryOptions;
  /** Falls back to a second host if the first is unreachable: `true` for WeChat Pay's `api2.mch.weixin.qq.com`. */
  failover?: boolean | string | URL;
  /** An undici dispatcher to send with, such as a `ProxyAgent`; by default, the client creates an `Agent`. */
  dispatcher?: Dispatcher;
}

/** What APIv3 needs. */
export interface V3Config {
  /** Serial number of the merchant certificate, as shown on the merchant platform: upper-case hexadecimal. */
  serial: string;
  /**
   * Private key of the merchant certificate (`apiclient_key.pem`): PEM text, a `file://` URL, bytes or a key object. For
   * an external key, `{ sign, decrypt }` with functions, or only a signing function. Without `decrypt`, response fields
   * that are encrypted for the merchant stay encrypted.
   */
  privateKey: MerchantKeyInput;
  /**
   * WeChat Pay's keys by id: the public key by `PUB_KEY_ID_…`, platform certificates by serial number. Both kinds may be
   * present; the response's `Wechatpay-Serial` selects one. A certificate is used only within its validity period. A
   * verification function may replace a key.
   */
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>;
}

/** Options required by APIv3 if platform certificates are downloaded. */
export interface DownloadingConfig extends Omit<V3Config, 'certs'>, Partial<Pick<V3Config, 'certs'>> {
  apiv3Key: string | Uint8Array;
}

/** What v2 needs. */
export interface V2Config {
  /** The APIv2 key, 32 characters. */
  secret: string;
}

/** The configuration of a merchant's client: for APIv3, for v2, or for both. */
export type ClientConfig = MerchantConfig &
  (((V3Config | DownloadingConfig) & Partial<V2Config>) | (V2Config & Partial<V3Config>));

/**
 * The configuration of a brand's client (品牌): it calls the operations of brands, those below `brand/`, and no others.
 * @see https://pay.weixin.qq.com/doc/brand/4015407523
 */
export interface BrandConfig extends SharedConfig {
  /** Id of the brand (品牌ID), from its console (品牌经营平台). */
  brandId: string;
  /** Serial number of the brand's API certificate: hexadecimal, upper case. */
  serial: string;
  /** Private key of the brand's API certificate, in any form that a merchant's may have. */
  privateKey: MerchantKeyInput;
  /** The brand's WeChat Pay public key by its id, `PUB_KEY_ID_…`; there are no platform certificates for brands. */
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>;
  /** The brand's API key (品牌API密钥): 32 characters. With it `Notifications.of(instance)` decrypts. */
  brandApiKey?: string | Uint8Array;
}

/** {@link V3Config} with its keys loaded. */
export interface LoadedV3 {
  serial: string;
  privateKey: MerchantKey;
  certs: Readonly<Record<string, PublicKey | X509Certificate | VerifyFunction>>;
  /** Those in `certs` that were passed as certificates. */
  issued: readonly X509Certificate[];
  /** Used instead of `certs` if certificates are downloaded. */
  certificates?: PlatformCertificates;
  /** Verifies responses instead of `certs`. */
  verify?: Verify;
}

/** A checked configuration with its keys loaded. */
export interface LoadedConfig {
  /** Who the client signs as. */
  signatory: Signatory;
  v3: LoadedV3 | undefined;
  v2: V2Config | undefined;
  apiv3Key: Uint8Array | undefined;
  brandApiKey: Uint8Array | undefined;
  certificateCache: CertificateCache | undefined;
  payBankKey: PublicKey | undefined;
  merchant: MerchantCertificate | undefined;
  baseUrl: URL | undefined;
  baseUrls: readonly URL[];
  /** The origins to sign for. */
  origins: ReadonlySet<string>;
  headers: HeaderRecord;
  timeouts: Timeouts;
  retry: RetryOptions | undefined;
  failover: FailoverOptions | undefined;
  dispatcher: Dispatcher | undefined;
}

const SHARED: Record<keyof SharedConfig, true> = {
  baseUrl: true,
  baseUrls: true,
  headers: true,
  timeout: true,
  retry: true,
  failover: true,
  dispatcher: true,
};

/** The members of {@link ClientConfig} and of {@link BrandConfig}; the types keep the lists whole. */
const KNOWN: Record<'merchant' | 'brand', Readonly<Record<string, true>>> = {
  merchant: {
    mchid: true,
    serial: true,
    privateKey: true,
    certs: true,
    apiv3Key: true,
    certificateCache: true,
    secret: true,
    payBankKey: true,
    merchant: true,
    ...SHARED,
  } satisfies Record<keyof ClientConfig, true>,
  brand: {
    brandId: true,
    serial: true,
    privateKey: true,
    certs: true,
    brandApiKey: true,
    ...SHARED,
  } satisfies Record<keyof BrandConfig, true>,
};

const SECRET_LENGTH = 32;

/**
 * Checks a configuration and loads its keys.
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 */
export function loadConfig(config: ClientConfig | BrandConfig): LoadedConfig {
  if (typeof config !== 'object' || config === null)
    throw new ConfigurationError('The configuration must be an object.');
  return isBrand(config) ? loadBrand(config) : loadMerchant(config);
}

function loadMerchant(config: ClientConfig): LoadedConfig {
  refuseUnknown(config, 'merchant');
  const { merchant, payBankKey } = config;
  const v2 = readV2(config);
  const apiv3Key = readApiKey('apiv3Key', 'APIv3', config.apiv3Key);
  return {
    signatory: { mchid: token('mchid', config.mchid) },
    v3: readV3(config, v2 !== undefined, apiv3Key !== undefined),
    v2,
    apiv3Key,
    brandApiKey: undefined,
    certificateCache: readCache(config.certificateCache),
    payBankKey: payBankKey === undefined ? undefined : loadPublicKey(payBankKey, 'payBankKey', 'encrypt'),
    merchant,
    ...readShared(config),
  };
}

function loadBrand(config: BrandConfig): LoadedConfig {
  refuseUnknown(config, 'brand');
  const { serial, privateKey, certs } = config;
  const brandId = token('brandId', config.brandId);
  const brandSerial = token('serial', serial);
  const key = loadMerchantKey(privateKey);
  if (typeof certs === 'object' && certs !== null) requirePublicKeys(certs);
  return {
    signatory: { brandId },
    v3: {
      serial: brandSerial,
      privateKey: key,
      ...readCerts(certs, { serial: brandSerial, privateKey: key, brandId }),
    },
    v2: undefined,
    apiv3Key: undefined,
    brandApiKey: readApiKey('brandApiKey', 'brand API', config.brandApiKey),
    certificateCache: undefined,
    payBankKey: undefined,
    merchant: undefined,
    ...readShared(config),
  };
}

/** One client is one identity. */
function isBrand(config: ClientConfig | BrandConfig): config is BrandConfig {
  const { mchid, brandId } = config as Partial<Record<'mchid' | 'brandId', unknown>>;
  if (mchid === undefined || brandId === undefined) return mchid === undefined && Object.hasOwn(config, 'brandId');
  throw new ConfigurationError(
    '"mchid" and "brandId" are given together: one client is one identity. Build one client for the merchant, with ' +
      '"mchid", and another for the brand, with "brandId".',
  );
}

function refuseUnknown(config: object, owner: keyof typeof KNOWN): void {
  // Of `mchid` and `brandId`, one may be there without a value.
  const names = Object.keys(config).filter((name) => name !== 'mchid' && name !== 'brandId');
  const unknown = names.find((name) => !Object.hasOwn(KNOWN[owner], name));
  if (unknown === undefined) return;
  const other = owner === 'brand' ? 'merchant' : 'brand';
  const valid = `Valid options: ${Object.keys(KNOWN[owner]).join(', ')}.`;
  if (!Object.hasOwn(KNOWN[other], unknown)) throw new ConfigurationError(`Unknown option "${unknown}". ${valid}`);
  throw new ConfigurationError(`"${unknown}" is an option for a ${other}, and this client is for a ${owner}. ${valid}`);
}

function readShared(config: SharedConfig) {
  const baseUrl = config.baseUrl === undefined ? undefined : configuredBase('baseUrl', config.baseUrl);
  const baseUrls = configuredBases(config.baseUrls);
  const timeouts = readTimeouts(config.timeout, (message) => new ConfigurationError(message));
  return {
    baseUrl,
    baseUrls,
    origins: trustedOrigins({ baseUrl, baseUrls }),
    headers: configuredHeaders(config.headers),
    timeouts,
    ...readReliability(config, baseUrl),
    dispatcher: config.dispatcher,
  };
}

/** A v2-only client may omit the APIv3 options, but not some of them. */
function readV3(config: Partial<V3Config>, optional: boolean, downloads: boolean): LoadedV3 | undefined {
  const { serial, privateKey, certs } = config;
  if (optional && serial === undefined && privateKey === undefined && certs === undefined) return undefined;
  const merchantSerial = token('serial', serial);
  // Every value is checked, so undefined leads to a clear error.
  const key = loadMerchantKey(privateKey as MerchantKeyInput);
  const owner = { serial: merchantSerial, privateKey: key };
  return { ...owner, ...readCerts(downloads ? (certs ?? {}) : certs, owner, downloads) };
}

function readReliability({ retry, failover }: SharedConfig, baseUrl: URL | undefined) {
  const from = baseUrl && { from: baseUrl };
  if (failover === true && baseUrl) {
    throw new ConfigurationError('"failover" must be the URL of a second host, because "baseUrl" is set.');
  }
  return {
    retry: retry === true ? {} : retry || undefined,
    failover: failover ? { ...from, ...(failover !== true && { to: failover }) } : undefined,
  };
}

function readV2({ secret }: Partial<V2Config>): V2Config | undefined {
  if (secret === undefined) return undefined;
  if (typeof secret === 'string' && Buffer.byteLength(secret) === SECRET_LENGTH) return { secret };
  const found = typeof secret === 'string' ? `${Buffer.byteLength(secret)} characters` : `a ${typeof secret}`;
  throw new ConfigurationError(`"secret" must be the APIv2 key, ${SECRET_LENGTH} characters; found ${found}.`);
}

/** A string that appears within quotes in the `Authorization` header. */
function token(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[^\s",:]+$/.test(value)) return value;
  const found =
    value === undefined || value === '' ? 'missing' : 'not a string without spaces, quotes, commas or colons';
  throw new ConfigurationError(`"${name}" is ${found}.`);
}

function readCerts(certs: unknown, owner: OwnKeys, mayBeEmpty = false): Pick<LoadedV3, 'certs' | 'issued'> {
  if (typeof certs !== 'object' || certs === null || (Object.keys(certs).length === 0 && !mayBeEmpty)) {
    const downloads = 'Merchants that use platform certificates can pass "apiv3Key" instead to download them.';
    throw new ConfigurationError(
      "\"certs\" must contain WeChat Pay's public key under its ID, as in { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }." +
        (owner.brandId === undefined ? ` ${downloads}` : ''),
    );
  }
  const entries: [string, KeyInput | VerifyFunction][] = Object.entries(certs);
  refuseOwnKeys(Object.fromEntries(entries), { ...owner, privateKey: undefined });
  const issued: X509Certificate[] = [];
  for (const [id, key] of entries) {
    const certificate = typeof key === 'function' ? undefined : certificateOf(key);
    if (certificate === undefined) continue;
    if (serialOf(certificate) !== id) {
      throw new ConfigurationError(
        `certs["${id}"] contains certificate ${serialOf(certificate)}; use that serial number as its key.`,
      );
    }
    issued.push(certificate);
  }
  // Certificates are kept as such, because their validity period is checked on use.
  const keys = entries.map(([id, key]) => {
    if (typeof key === 'function') return [id, key];
    const loaded = loadPublicKey(key, `certs["${id}"]`);
    return [id, issued.find((certificate) => serialOf(certificate) === id) ?? loaded];
  });
  const loaded: LoadedV3['certs'] = Object.fromEntries(keys);
  refuseOwnKeys(loaded, owner);
  return { certs: loaded, issued };
}

function configuredHeaders(headers: unknown): HeaderRecord {
  try {
    return writeHeaders(headers);
  } catch (cause) {
    throw new ConfigurationError(`"headers": ${(cause as Error).message}`, { cause });
  }
}

function readCache(cache: CertificateCache | undefined): CertificateCache | undefined {
  if (cache === undefined || (typeof cache?.read === 'function' && typeof cache.write === 'function')) return cache;
  throw new ConfigurationError('"certificateCache" must have the methods "read" and "write".');
}
