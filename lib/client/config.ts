import type { Dispatcher } from 'undici';
import {
  certificateOf,
  type KeyInput,
  loadPrivateKey,
  type PrivateKey,
  type PrivateKeyInput,
  serialOf,
} from '../crypto/key';
import { ConfigurationError } from '../errors';
import { BASE_URL_RULE, DEFAULT_BASE_URL, readBaseUrl } from '../format/base-url';
import type { HeadersInput } from '../openapi/options';
import { isTimeout, TIMEOUT_RULE } from './deadline';
import { type WireHeaders, writeHeaders } from './headers';

/** The configuration of a client. */
export interface ClientConfig {
  /** Merchant id (商户号). */
  mchid: string;
  /** Serial number of the merchant certificate, as the merchant platform shows it: hexadecimal, upper case. */
  serial: string;
  /** Private key of the merchant certificate (`apiclient_key.pem`): PEM text, a `file://` URL, bytes or a key object. */
  privateKey: PrivateKeyInput;
  /**
   * WeChat Pay's keys by id: the public key by `PUB_KEY_ID_…`, platform certificates by their serial number. Both kinds
   * may stand side by side; the answer's `Wechatpay-Serial` chooses.
   */
  certs: Readonly<Record<string, KeyInput>>;
  /** Root of the API; `https://api.mch.weixin.qq.com/` by default. Requests to it are signed. */
  baseUrl?: string | URL;
  /** Headers to send with every request. */
  headers?: HeadersInput;
  /** Longest time for a whole call, in milliseconds; 10,000 by default. */
  timeout?: number;
  /** A dispatcher of undici to send with, such as a `ProxyAgent`; an `Agent` of its own by default. */
  dispatcher?: Dispatcher;
}

/** A configuration that has been checked, its keys loaded. */
export interface LoadedConfig {
  mchid: string;
  serial: string;
  privateKey: PrivateKey;
  certs: Readonly<Record<string, KeyInput>>;
  baseUrl: URL;
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
  baseUrl: true,
  headers: true,
  timeout: true,
  dispatcher: true,
};

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
  const baseUrl = readBaseUrl(config.baseUrl ?? DEFAULT_BASE_URL);
  if (!baseUrl) throw new ConfigurationError(`"baseUrl" ${BASE_URL_RULE}.`);
  const timeout = config.timeout ?? DEFAULT_TIMEOUT;
  if (!isTimeout(timeout)) throw new ConfigurationError(`"timeout" ${TIMEOUT_RULE}.`);
  return {
    mchid: token('mchid', config.mchid),
    serial: token('serial', config.serial),
    privateKey: loadPrivateKey(config.privateKey),
    certs: checkCerts(config.certs, config.serial),
    baseUrl,
    headers: writeHeaders(config.headers),
    timeout,
    dispatcher: config.dispatcher,
  };
}

/** Text that stands between quotes in the `Authorization` header. */
function token(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[^\s",:]+$/.test(value)) return value;
  const found =
    value === undefined || value === '' ? 'missing' : 'not plain text without blanks, quotes, commas or colons';
  throw new ConfigurationError(`"${name}" is ${found}.`);
}

function checkCerts(certs: ClientConfig['certs'], merchantSerial: string): ClientConfig['certs'] {
  if (typeof certs !== 'object' || certs === null || Object.keys(certs).length === 0) {
    throw new ConfigurationError(
      "\"certs\" must hold WeChat Pay's public key by its id, as in { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }.",
    );
  }
  for (const [id, key] of Object.entries(certs)) {
    if (id.toUpperCase() === merchantSerial.toUpperCase()) {
      throw new ConfigurationError(
        `"certs" holds the merchant's own serial number ${id}; WeChat Pay's key or platform certificate belongs there.`,
      );
    }
    const certificate = certificateOf(key);
    if (certificate !== undefined && serialOf(certificate) !== id) {
      throw new ConfigurationError(
        `certs["${id}"] is the certificate ${serialOf(certificate)}: write that serial number as its name.`,
      );
    }
  }
  return certs;
}
