import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Option } from 'commander';
import type { BrandConfig, ClientConfig } from '../client';
import { codeOf } from '../crypto/bytes';
import { certificateOf, type PrivateKeyInput, serialOf } from '../crypto/keys';
import { ConfigurationError } from '../errors';
import type { Io } from './io';

/** One thing that the command has to know of a merchant or a brand. */
export interface Setting {
  /** The environment variable. */
  readonly env: string;
  /** The option, which takes precedence; some settings come from the environment only. */
  readonly flags?: string;
  readonly what: string;
  /** The value is a key, or the name of a file that contains it. */
  readonly isSecret?: true;
}

/** All settings, by option name; both `--help` and the code use this table. */
export const SETTINGS = {
  mchid: { env: 'WECHATPAY_MCHID', flags: '-m, --mchid <id>', what: 'merchant id (商户号)' },
  brandId: {
    env: 'WECHATPAY_BRAND_ID',
    flags: '--brand-id <id>',
    what: 'brand id (品牌ID), for paths below brand/; the serial number and keys are then its own',
  },
  serial: {
    env: 'WECHATPAY_SERIAL',
    flags: '-s, --serial <serial>',
    what: 'serial number of the merchant certificate; may be omitted if the certificate is given',
  },
  privateKey: {
    env: 'WECHATPAY_PRIVATE_KEY',
    flags: '-f, --private-key <file>',
    what: 'private key of the merchant certificate, apiclient_key.pem',
    isSecret: true,
  },
  passphrase: { env: 'WECHATPAY_PASSPHRASE', what: 'passphrase of the private key, if it has one', isSecret: true },
  certificate: {
    env: 'WECHATPAY_CERTIFICATE',
    flags: '--certificate <file>',
    what: 'the merchant certificate, apiclient_cert.pem; some v2 operations require it',
  },
  publicKey: {
    env: 'WECHATPAY_PUBLIC_KEY',
    flags: '--public-key <file>',
    what: "WeChat Pay's public key, pub_key.pem, or a platform certificate",
  },
  publicKeyId: {
    env: 'WECHATPAY_PUBLIC_KEY_ID',
    flags: '--public-key-id <id>',
    what: 'id of the public key, PUB_KEY_ID_…; a certificate has none',
  },
  apiv3Key: { env: 'WECHATPAY_APIV3_KEY', flags: '-k, --apiv3-key <file>', what: 'the APIv3 key', isSecret: true },
  secret: { env: 'WECHATPAY_SECRET', flags: '--secret <file>', what: 'the APIv2 key', isSecret: true },
  baseUrl: {
    env: 'WECHATPAY_BASE_URL',
    flags: '-u, --base-url <url>',
    what: 'base URL; https://api.mch.weixin.qq.com/ by default',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The values of settings, as strings: values, keys, or names of files that contain them. */
export type Settings = Partial<Record<SettingName, string>>;

const ENTRIES = Object.entries(SETTINGS) as readonly [SettingName, Setting][];

/** The options of a command for these settings. */
export function settingOptions(names: readonly SettingName[]): Option[] {
  return names.flatMap((name) => {
    const { env, flags, what }: Setting = SETTINGS[name];
    return flags === undefined ? [] : [new Option(flags, `${what} (${env})`).helpGroup('Merchant:')];
  });
}

/** The environment variables with their descriptions, for `--help`. */
export function settingsHelp(): string {
  const width = Math.max(...ENTRIES.map(([, { env }]) => env.length));
  return ENTRIES.map(([, { env, what }]) => `  ${env.padEnd(width)}  ${what}`).join('\n');
}

/**
 * Reads settings from options, or else from the environment.
 * @param warn called if a key itself is visible among the arguments
 */
export function readSettings(
  options: Readonly<Record<string, unknown>>,
  env: Io['env'],
  warn: (message: string) => void,
): Settings {
  const settings: Settings = {};
  for (const [name, setting] of ENTRIES) {
    const option = options[name];
    const value = typeof option === 'string' ? option : env[setting.env];
    if (!value) continue;
    settings[name] = value;
    if (
      setting.isSecret &&
      typeof option === 'string' &&
      (isKeyText(option) || (name !== 'privateKey' && !isPath(option)))
    ) {
      warn(
        `${setting.what} is visible on the command line, to other users of this machine and in the shell history. ` +
          `Pass the name of a file that contains it, or set ${setting.env}.`,
      );
    }
  }
  return settings;
}

/** Whether the value of an API key is a file name: the keys themselves contain only letters and digits. */
export function isPath(value: string): boolean {
  return /[/\\.]/.test(value);
}

/** Whether a value is the text of an RSA key or a certificate, complete or not, rather than a file name. */
export function isKeyText(value: string): boolean {
  return /-----|\n|^(?:private|public)\.\w+:\/\//.test(value) || value.length > 500;
}

/** The name of a setting in errors. */
export function nameOf(name: SettingName): string {
  const { env, flags }: Setting = SETTINGS[name];
  const long = flags?.match(/--[\w-]+/)?.[0];
  return long === undefined ? env : `${env} (or ${long})`;
}

/** An error of the library, with configuration options renamed to the settings of the command. */
export function inTermsOfSettings(message: string): string {
  return message
    .replace(/certs: \{[^}]*\}/, `${nameOf('publicKey')} and ${nameOf('publicKeyId')}`)
    .replace(/certs\["[^"]*"\]|"certs"/g, nameOf('publicKey'))
    .replace(/"(\w+)"/g, (quoted, name: string) =>
      Object.hasOwn(SETTINGS, name) ? nameOf(name as SettingName) : quoted,
    );
}

/**
 * Converts settings to the argument of `Builder.factory`.
 * @param needed the required settings
 * @throws {@link ConfigurationError} that names everything that is missing, or a file that cannot be read
 */
export function clientConfig(settings: Settings, needed: readonly SettingName[] = ['mchid']): ClientConfig {
  const serial = serialNumber(settings);
  requireSettings({ ...settings, ...(serial !== undefined && { serial }) }, needed);
  const { mchid = '', baseUrl } = settings;
  const privateKey = privateKeyOf(settings);
  const certs = platformKeys(settings);
  const apiv3Key = keyText(settings, 'apiv3Key');
  const secret = keyText(settings, 'secret');
  const merchant = merchantOf(settings);
  const config = { mchid, serial, privateKey, certs, apiv3Key, secret, merchant, baseUrl };
  // `Builder.factory` checks which of them a client requires.
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as unknown as ClientConfig;
}

/**
 * What `Builder.factory` takes for the client of a brand, from settings.
 * @throws {@link ConfigurationError} that names all that is missing, or a file that cannot be read
 */
export function brandConfig(settings: Settings): BrandConfig {
  const serial = serialNumber(settings) ?? '';
  const needed = ['brandId', 'serial', 'privateKey', 'publicKey', 'publicKeyId'] as const;
  requireSettings({ ...settings, ...(serial !== '' && { serial }) }, needed);
  const { brandId = '', baseUrl } = settings;
  const config = { brandId, serial, privateKey: privateKeyOf(settings) ?? '', certs: platformKeys(settings) ?? {} };
  return baseUrl === undefined ? config : { ...config, baseUrl };
}

/** That of the certificate, where none is set. */
function serialNumber(settings: Settings): string | undefined {
  const certificate = merchantCertificate(settings);
  return settings.serial ?? (certificate && serialOf(certificate));
}

/** @throws {@link ConfigurationError} that names everything that is missing */
export function requireSettings(settings: Settings, needed: readonly SettingName[]): void {
  const missing = needed.filter((name) => settings[name] === undefined);
  if (missing.length === 0) return;
  const [them, options] = missing.length > 1 ? ['them', 'options'] : ['it', 'an option'];
  throw new ConfigurationError(
    `Missing: ${missing.map(nameOf).join(', ')}. Set ${them} in the environment, or pass ${them} as ${options}; ` +
      '"wxpay --help" says more.',
  );
}

/** The private key, with its passphrase. */
export function privateKeyOf(settings: Settings): PrivateKeyInput | undefined {
  const key = keySource(settings.privateKey);
  const { passphrase } = settings;
  return key === undefined || passphrase === undefined ? key : { key, passphrase };
}

/** WeChat Pay's key by its id; a certificate brings its own. */
export function platformKeys(settings: Settings): Record<string, string> | undefined {
  const key = keySource(settings.publicKey);
  if (key === undefined) return undefined;
  const certificate = certificateOf(key);
  const id = certificate ? serialOf(certificate) : settings.publicKeyId;
  if (id !== undefined) return { [id]: key };
  throw new ConfigurationError(
    `Missing: ${nameOf('publicKeyId')}. The merchant platform shows it beside the public key (账户中心 → API安全).`,
  );
}

/** The merchant certificate; undefined if none is set. */
export function merchantCertificate({ certificate }: Settings): X509Certificate | undefined {
  if (certificate === undefined) return undefined;
  const found = certificateOf(keySource(certificate) ?? '');
  if (found) return found;
  throw new ConfigurationError(`${nameOf('certificate')} is not a readable certificate; expected apiclient_cert.pem.`);
}

/**
 * An API key: the value itself, or the content of the file that it names.
 * @throws {@link ConfigurationError} if there is no such file
 */
export function keyText(settings: Settings, name: 'apiv3Key' | 'secret'): string | undefined {
  const value = settings[name];
  return value !== undefined && isPath(value) ? readFile(value, name).trim() : value;
}

function merchantOf(settings: Settings) {
  const cert = keySource(settings.certificate);
  const key = keySource(settings.privateKey);
  if (cert === undefined || key === undefined) return undefined;
  return { cert, key, ...(settings.passphrase !== undefined && { passphrase: settings.passphrase }) };
}

/** Returns PEM text unchanged, and a path as the URL that the library reads. */
function keySource(value: string | undefined): string | undefined {
  if (value === undefined || isKeyText(value) || value.startsWith('file:')) return value;
  return pathToFileURL(resolve(value)).href;
}

function readFile(value: string, name: SettingName): string {
  try {
    return readFileSync(value.startsWith('file:') ? fileURLToPath(value) : value, 'utf8');
  } catch (cause) {
    // The value is not repeated, because it may be a mistyped key.
    throw new ConfigurationError(
      `${nameOf(name)} is taken as a file name, but the file cannot be read (${codeOf(cause)}).`,
      { cause },
    );
  }
}
