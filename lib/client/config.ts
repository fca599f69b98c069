import type { Dispatcher } from 'undici';
import type { SignFunction, VerifyFunction } from '../crypto/custom';
import {
  certificateOf,
  type KeyInput,
  loadPrivateKey,
  loadPublicKey,
  type PrivateKey,
  type PrivateKeyInput,
  type PublicKey,
  serialOf,
} from '../crypto/key';
import { ConfigurationError } from '../errors';
import { BASE_URL_RULE, readBaseUrl } from '../format/base-url';
import type { HeadersInput } from '../openapi/options';
import { isTimeout, TIMEOUT_RULE } from './deadline';
import { type WireHeaders, writeHeaders } from './headers';
import type { MerchantCertificate } from './merchant';

/** What every client needs, and what it may have. */
interface CommonConfig {
  /** Merchant id (商户号). */
  mchid: string;
  /** The RSA key that encrypts fields of v2's payments to banks, as `v2/risk/getpublickey` gives it. */
  payBankKey?: KeyInput;
  /** The merchant's TLS client certificate, for the operations of v2 that ask for it. */
  merchant?: MerchantCertificate;
  /**
   * Root of the API. Without it `https://api.mch.weixin.qq.com/`, or the one of its own that an operation has. Requests to
   * it are signed.
   */
  baseUrl?: string | URL;
  /** Headers to send with every request. */
  headers?: HeadersInput;
  /** Longest time for a whole call, in milliseconds; 10,000 by default. */
  timeout?: number;
  /** A dispatcher of undici to send with, such as a `ProxyAgent`; an `Agent` of its own by default. */
  dispatcher?: Dispatcher;
}

/** What APIv3 needs. */
interface V3Config {
  /** Serial number of the merchant certificate, as the merchant platform shows it: hexadecimal, upper case. */
  serial: string;
  /**
   * Private key of the merchant certificate (`apiclient_key.pem`): PEM text, a `file://` URL, bytes or a
   * key object; or a function that signs with it, elsewhere.
   */
  privateKey: PrivateKeyInput | SignFunction;
  /**
   * WeChat Pay's keys by id: the public key by `PUB_KEY_ID_…`, platform certificates by their serial number. Both kinds
   * may stand side by side; the answer's `Wechatpay-Serial` chooses. In the place of a key, a function that verifies.
   */
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>;
}

/** What v2 needs. */
interface V2Config {
  /** The APIv2 key: 32 characters. */
  secret: string;
}

/** The configuration of a client: for APIv3, for v2, or for both. */
export type ClientConfig = CommonConfig & ((V3Config & Partial<V2Config>) | (V2Config & Partial<V3Config>));

/** {@link V3Config}, its keys loaded. */
interface LoadedV3 {
  serial: string;
  privateKey: PrivateKey | SignFunction;
  certs: Readonly<Record<string, PublicKey | VerifyFunction>>;
}

/** A configuration that has been checked, its keys loaded. */
export interface LoadedConfig {
  mchid: string;
  v3: LoadedV3 | undefined;
  v2: V2Config | undefined;
  payBankKey: PublicKey | undefined;
  merchant: MerchantCertificate | undefined;
  baseUrl: URL | undefined;
  headers: WireHeaders;
  timeout: number;
  dispatcher: Dispatcher | undefined;
}

/** The members of {@link ClientConfig}; the type keeps the list whole. */
const KNOWN: Record<keyof ClientConfig, true> = {
  mchid: true,
  serial: true,
  privateKey: true,
  certs: true,
  secret: true,
  payBankKey: true,
  merchant: true,
  baseUrl: true,
  headers: true,
  timeout: true,
  dispatcher: true,
};

const SECRET_LENGTH = 32;

const DEFAULT_TIMEOUT = 10_000;

/**
 * Checks a configuration and loads its keys.
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 */
export function loadConfig(config: ClientConfig): LoadedConfig {
  if (typeof config !== 'object' || config === null)
    throw new ConfigurationError('The configuration must be an object.');
  const unknown = Object.keys(config).find((name) => !Object.hasOwn(KNOWN, name));
  if (unknown !== undefined) {
    throw new ConfigurationError(`"${unknown}" is no option; there are ${Object.keys(KNOWN).join(', ')}.`);
  }
  const baseUrl = config.baseUrl === undefined ? undefined : readBaseUrl(config.baseUrl);
  if (config.baseUrl !== undefined && !baseUrl) throw new ConfigurationError(`"baseUrl" ${BASE_URL_RULE}.`);
  const timeout = config.timeout ?? DEFAULT_TIMEOUT;
  if (!isTimeout(timeout)) throw new ConfigurationError(`"timeout" ${TIMEOUT_RULE}.`);
  const { merchant, dispatcher, payBankKey } = config;
  const v2 = readV2(config);
  return {
    mchid: token('mchid', config.mchid),
    v3: readV3(config, v2 !== undefined),
    v2,
    payBankKey: payBankKey === undefined ? undefined : loadPublicKey(payBankKey, 'payBankKey', 'encrypt'),
    merchant,
    baseUrl,
    headers: writeHeaders(config.headers),
    timeout,
    dispatcher,
  };
}

/** Of a client for v2, what APIv3 needs may be left out; but not in part. */
function readV3(config: Partial<V3Config>, optional: boolean): LoadedV3 | undefined {
  const { serial, privateKey, certs } = config;
  if (optional && serial === undefined && privateKey === undefined && certs === undefined) return undefined;
  const merchantSerial = token('serial', serial);
  // Whatever stands there is checked; undefined is an error that says so.
  return {
    serial: merchantSerial,
    privateKey: typeof privateKey === 'function' ? privateKey : loadPrivateKey(privateKey as PrivateKeyInput),
    certs: readCerts(certs, merchantSerial),
  };
}

function readV2({ secret }: Partial<V2Config>): V2Config | undefined {
  if (secret === undefined) return undefined;
  if (typeof secret === 'string' && Buffer.byteLength(secret) === SECRET_LENGTH) return { secret };
  const found = typeof secret === 'string' ? `${Buffer.byteLength(secret)} characters` : `a ${typeof secret}`;
  throw new ConfigurationError(`"secret" must be the APIv2 key, ${SECRET_LENGTH} characters; found ${found}.`);
}

/** Text that stands between quotes in the `Authorization` header. */
function token(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[^\s",:]+$/.test(value)) return value;
  const found =
    value === undefined || value === '' ? 'missing' : 'not plain text without blanks, quotes, commas or colons';
  throw new ConfigurationError(`"${name}" is ${found}.`);
}

function readCerts(certs: unknown, merchantSerial: string): LoadedV3['certs'] {
  if (typeof certs !== 'object' || certs === null || Object.keys(certs).length === 0) {
    throw new ConfigurationError(
      "\"certs\" must hold WeChat Pay's public key by its id, as in { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }.",
    );
  }
  const entries: [string, KeyInput | VerifyFunction][] = Object.entries(certs);
  for (const [id, key] of entries) {
    if (id.toUpperCase() === merchantSerial.toUpperCase()) {
      throw new ConfigurationError(
        `"certs" holds the merchant's own serial number ${id}; WeChat Pay's key or platform certificate belongs there.`,
      );
    }
    const certificate = typeof key === 'function' ? undefined : certificateOf(key);
    if (certificate !== undefined && serialOf(certificate) !== id) {
      throw new ConfigurationError(
        `certs["${id}"] is the certificate ${serialOf(certificate)}: write that serial number as its name.`,
      );
    }
  }
  return Object.fromEntries(
    entries.map(([id, key]) => [id, typeof key === 'function' ? key : loadPublicKey(key, `certs["${id}"]`)]),
  );
}
