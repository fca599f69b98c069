import { createPublicKey, KeyObject, type X509Certificate } from 'node:crypto';
import { certificateOf, loadPrivateKey, loadPublicKey, serialOf } from '../crypto/keys';
import { WechatPayError } from '../errors';
import { readApiKey } from '../signature/api-key';
import { isPublicKeyId } from '../signature/platform-keys';
import { type Check, failed, passed, skipped, warning } from './report';
import {
  inTermsOfSettings,
  keyText,
  merchantCertificate,
  platformKeys,
  privateKeyOf,
  requireSettings,
  type Settings,
} from './settings';

/** How long before its expiry a certificate is worth a warning, in milliseconds. */
const SOON = 30 * 86_400_000;

const HEX_SERIAL = /^[0-9A-F]{8,40}$/;

/** Checks settings offline; for a v2-only merchant, what v2 requires. */
export function checkSettings(settings: Settings): Check[] {
  const { serial, privateKey, publicKey, secret } = settings;
  const isV2Alone = secret !== undefined && serial === undefined && privateKey === undefined && publicKey === undefined;
  // `keys` returns strings; these are the names of the table.
  const names = isV2Alone ? (['mchid', 'secret'] as const) : (Object.keys(CHECKS) as (keyof typeof CHECKS)[]);
  return names.map((name) => attempt(name, () => CHECKS[name](settings, name)));
}

type CheckSetting = (settings: Settings, name: string) => Check;

const CHECKS = {
  mchid(settings, name) {
    requireSettings(settings, ['mchid']);
    const { mchid = '' } = settings;
    return /^\d{8,10}$/.test(mchid)
      ? passed(name, mchid)
      : warning(name, `"${mchid}" is not 8 to 10 digits, as merchant ids are`);
  },

  privateKey(settings, name) {
    requireSettings(settings, ['privateKey']);
    const { asymmetricKeyDetails } = privateKeyObject(settings);
    return passed(name, `RSA, ${asymmetricKeyDetails?.modulusLength} bits`);
  },

  certificate(settings, name) {
    const certificate = merchantCertificate(settings);
    if (!certificate) {
      return skipped(name, 'WECHATPAY_CERTIFICATE is not set; set it to check that key and serial number match');
    }
    const { mchid, privateKey } = settings;
    const dates = checkDates(name, certificate);
    const owner = /^CN=(\d+)$/m.exec(certificate.subject)?.[1];
    if (privateKey !== undefined && !certificate.checkPrivateKey(privateKeyObject(settings))) {
      return failed(
        name,
        'the private key does not match it; use apiclient_key.pem and apiclient_cert.pem that were issued together',
      );
    }
    if (owner !== undefined && mchid !== undefined && owner !== mchid) {
      return failed(name, `it belongs to merchant ${owner}, not ${mchid}`);
    }
    return dates.outcome === 'passed' ? passed(name, `the private key matches; ${dates.message}`) : dates;
  },

  serial(settings, name) {
    const certificate = merchantCertificate(settings);
    const own = certificate && serialOf(certificate);
    if (own === undefined) requireSettings(settings, ['serial']);
    const { serial = own ?? '' } = settings;
    if (own !== undefined && serial !== own) {
      return failed(name, `${serial} does not match the certificate; set WECHATPAY_SERIAL to ${own}`);
    }
    if (isPublicKeyId(serial)) {
      return failed(name, `${serial} is the id of WeChat Pay's public key; use the serial number of your certificate`);
    }
    if (HEX_SERIAL.test(serial)) return passed(name, serial);
    return failed(
      name,
      `"${serial}" is not in the format of the merchant platform (up to 40 upper-case hexadecimal digits); print it with ` +
        'openssl x509 -in apiclient_cert.pem -noout -serial',
    );
  },

  publicKey(settings, name) {
    if (settings.publicKey === undefined && settings.apiv3Key !== undefined) {
      return skipped(name, 'not set: platform certificates are downloaded');
    }
    requireSettings(settings, ['publicKey']);
    const [[id, source] = ['', '']] = Object.entries(platformKeys(settings) ?? {});
    const key = loadPublicKey(source, 'publicKey');
    if (isOwn(key, settings)) {
      return failed(name, 'this is the key of your own certificate; use pub_key.pem, issued by WeChat Pay');
    }
    const certificate = certificateOf(source);
    if (certificate) return checkDates(name, certificate);
    return isPublicKeyId(id)
      ? passed(name, id)
      : failed(
          name,
          `its id ${id} does not begin with PUB_KEY_ID_; the merchant platform shows the id next to the key`,
        );
  },

  apiv3Key: (settings, name) => checkApiKey(settings, name, 'apiv3Key', 'APIv3'),
  secret: (settings, name) => checkApiKey(settings, name, 'secret', 'APIv2'),
} satisfies Record<string, CheckSetting>;

function checkApiKey(
  settings: Settings,
  name: string,
  setting: 'apiv3Key' | 'secret',
  title: 'APIv2' | 'APIv3',
): Check {
  const bytes = readApiKey(setting, title, keyText(settings, setting));
  if (!bytes)
    return skipped(name, setting === 'secret' ? 'not set; only v2 requires it' : 'not set; notifications require it');
  return passed(name, `${bytes.length} bytes; only ${USED_BY[setting]} shows whether it is the right one`);
}

const USED_BY = {
  apiv3Key: 'a notification (wxpay verify) or the download of certificates',
  secret: 'a v2 request',
} as const;

function checkDates(name: string, { validFrom, validTo, serialNumber }: X509Certificate): Check {
  const [from, until] = [Date.parse(validFrom), Date.parse(validTo)];
  const dates = `${serialNumber} is valid from ${day(from)} to ${day(until)}`;
  if (Date.now() >= until) return failed(name, `${dates}: it has expired; a new one is required`);
  if (Date.now() < from) return failed(name, `${dates}: not yet valid, or the clock of this machine is behind`);
  return Date.now() >= until - SOON ? warning(name, `${dates}: renew it soon`) : passed(name, dates);
}

function privateKeyObject(settings: Settings): KeyObject {
  // Settings are strings, so the key is loaded as a KeyObject.
  return loadPrivateKey(privateKeyOf(settings) ?? '', 'privateKey') as KeyObject;
}

function isOwn(key: unknown, settings: Settings): boolean {
  if (!(key instanceof KeyObject) || settings.privateKey === undefined) return false;
  const own = optional(() => createPublicKey(privateKeyObject(settings).export({ type: 'pkcs8', format: 'pem' })));
  return own?.equals(key) ?? false;
}

function optional<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function attempt(name: string, work: () => Check): Check {
  try {
    return work();
  } catch (error) {
    if (error instanceof WechatPayError) return failed(name, inTermsOfSettings(error.message));
    throw error;
  }
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
