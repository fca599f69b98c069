import { Option } from 'commander';
import type { Io } from './io';

/** One thing that the command has to know of a merchant. */
export interface Setting {
  /** The environment variable. */
  readonly env: string;
  /** The option that goes before it; what is for the environment alone has none. */
  readonly flags?: string;
  readonly what: string;
  /** The value is a key, or names the file that holds it. */
  readonly isSecret?: true;
}

/** All that can be set, by the name of the option; `--help` and the code both read this. */
export const SETTINGS = {
  mchid: { env: 'WECHATPAY_MCHID', flags: '-m, --mchid <id>', what: 'merchant id (商户号)' },
  serial: {
    env: 'WECHATPAY_SERIAL',
    flags: '-s, --serial <serial>',
    what: 'serial number of the merchant certificate; may be left out where the certificate is given',
  },
  privateKey: {
    env: 'WECHATPAY_PRIVATE_KEY',
    flags: '-f, --private-key <file>',
    what: 'private key of the merchant certificate, apiclient_key.pem',
    isSecret: true,
  },
  passphrase: { env: 'WECHATPAY_PASSPHRASE', what: 'passphrase of the private key, where it has one', isSecret: true },
  certificate: {
    env: 'WECHATPAY_CERTIFICATE',
    flags: '--certificate <file>',
    what: 'the merchant certificate, apiclient_cert.pem; some operations of v2 ask for it',
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
    what: 'root of the API; https://api.mch.weixin.qq.com/ by default',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** What has been set, as text: values, keys, or the files that hold them. */
export type Settings = Partial<Record<SettingName, string>>;

const ENTRIES = Object.entries(SETTINGS) as readonly [SettingName, Setting][];

/** The options of a command for these settings. */
export function settingOptions(names: readonly SettingName[]): Option[] {
  return names.flatMap((name) => {
    const { env, flags, what }: Setting = SETTINGS[name];
    return flags === undefined ? [] : [new Option(flags, `${what} (${env})`).helpGroup('Merchant:')];
  });
}

/** The environment variables and what they are, for `--help`. */
export function settingsHelp(): string {
  const width = Math.max(...ENTRIES.map(([, { env }]) => env.length));
  return ENTRIES.map(([, { env, what }]) => `  ${env.padEnd(width)}  ${what}`).join('\n');
}

/**
 * What is set: by options, or else by the environment.
 * @param warn is told where a key itself stands among the arguments, for others to see
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
        `${setting.what} stands in the command line, where others on this machine and the history of the shell have ` +
          `it. Give the name of a file that holds it, or set ${setting.env}.`,
      );
    }
  }
  return settings;
}

/** Whether the value of an API key names the file that holds it: the keys themselves are letters and digits. */
export function isPath(value: string): boolean {
  return /[/\\.]/.test(value);
}

/** Whether a value is the text of an RSA key or a certificate, whole or not, rather than the name of its file. */
export function isKeyText(value: string): boolean {
  return /-----|\n|^(?:private|public)\.\w+:\/\//.test(value) || value.length > 500;
}

/** How a setting is called in errors. */
export function nameOf(name: SettingName): string {
  const { env, flags }: Setting = SETTINGS[name];
  const long = flags?.match(/--[\w-]+/)?.[0];
  return long === undefined ? env : `${env} (or ${long})`;
}

/** An error of the library, in which options of a configuration have the names that they have here. */
export function inTermsOfSettings(message: string): string {
  return message
    .replace(/certs: \{[^}]*\}/, `${nameOf('publicKey')} and ${nameOf('publicKeyId')}`)
    .replace(/certs\["[^"]*"\]|"certs"/g, nameOf('publicKey'))
    .replace(/"(\w+)"/g, (quoted, name: string) =>
      Object.hasOwn(SETTINGS, name) ? nameOf(name as SettingName) : quoted,
    );
}
