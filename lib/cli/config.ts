import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ClientConfig } from '../client';
import { codeOf } from '../crypto/error-code';
import { certificateOf, type PrivateKeyInput, serialOf } from '../crypto/key';
import { ConfigurationError } from '../errors';
import { isKeyText, isPath, nameOf, type SettingName, type Settings } from './settings';

/**
 * What `Builder.factory` takes, from settings.
 * @param needed what must be there
 * @throws {@link ConfigurationError} that names all that is missing, or a file that cannot be read
 */
export function clientConfig(settings: Settings, needed: readonly SettingName[] = ['mchid']): ClientConfig {
  const certificate = merchantCertificate(settings);
  const serial = settings.serial ?? (certificate && serialOf(certificate));
  requireSettings({ ...settings, ...(serial !== undefined && { serial }) }, needed);
  const { mchid = '', baseUrl } = settings;
  const privateKey = privateKeyOf(settings);
  const certs = platformKeys(settings);
  const apiv3Key = keyText(settings, 'apiv3Key');
  const secret = keyText(settings, 'secret');
  const merchant = merchantOf(settings);
  const config = { mchid, serial, privateKey, certs, apiv3Key, secret, merchant, baseUrl };
  // Which of them a client needs, `Builder.factory` says.
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as unknown as ClientConfig;
}

/** @throws {@link ConfigurationError} that names all that is missing */
export function requireSettings(settings: Settings, needed: readonly SettingName[]): void {
  const missing = needed.filter((name) => settings[name] === undefined);
  if (missing.length === 0) return;
  const [them, options] = missing.length > 1 ? ['them', 'options'] : ['it', 'an option'];
  throw new ConfigurationError(
    `Missing: ${missing.map(nameOf).join(', ')}. Set ${them} in the environment, or give ${them} as ${options}; ` +
      '"wxpay --help" says more.',
  );
}

/** The private key, with the passphrase that opens it. */
export function privateKeyOf(settings: Settings): PrivateKeyInput | undefined {
  const key = keySource(settings.privateKey);
  const { passphrase } = settings;
  return key === undefined || passphrase === undefined ? key : { key, passphrase };
}

/** WeChat Pay's key by its id: a certificate has one of its own. */
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

/** The merchant certificate; undefined where none is set. */
export function merchantCertificate({ certificate }: Settings): X509Certificate | undefined {
  if (certificate === undefined) return undefined;
  const found = certificateOf(keySource(certificate) ?? '');
  if (found) return found;
  throw new ConfigurationError(
    `${nameOf('certificate')} is no certificate that can be read: apiclient_cert.pem is meant.`,
  );
}

/**
 * An API key: the text itself, or that of the file which is named.
 * @throws {@link ConfigurationError} where there is no such file
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

/** PEM text as it is, a path as the URL that the library reads. */
function keySource(value: string | undefined): string | undefined {
  if (value === undefined || isKeyText(value) || value.startsWith('file:')) return value;
  return pathToFileURL(resolve(value)).href;
}

function readFile(value: string, name: SettingName): string {
  try {
    return readFileSync(value.startsWith('file:') ? fileURLToPath(value) : value, 'utf8');
  } catch (cause) {
    // The value is not repeated: it may be the key itself, mistyped.
    throw new ConfigurationError(
      `${nameOf(name)} is taken for the name of a file, which cannot be read (${codeOf(cause)}).`,
      { cause },
    );
  }
}
