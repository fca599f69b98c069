import { X509Certificate } from 'node:crypto';
import { type Apiv3Ciphertext, decryptApiv3 } from '../crypto/apiv3-ciphertext';
import { serialOf } from '../crypto/key';
import type { PlatformKeys } from '../crypto/platform-keys';
import { type ReceivedHeaders, verifyPlatformSignature } from '../crypto/platform-signature';
import { day } from '../crypto/validity';
import { BodyError, SignatureError } from '../errors';
import { type Certificate, certificate, isValid } from './certificate';

type Members = Record<string, unknown>;

/**
 * Opens what WeChat Pay answered: decrypts each certificate, and checks its serial number, its key and its dates.
 * @param body the answer's body, JSON
 * @returns all of them, those that are not valid now among them
 * @throws {@link BodyError} where it is no such answer; {@link ConfigurationError} where `apiv3Key` does not fit;
 * {@link SignatureError} where a certificate is not what it should be
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764
 */
export async function openAnswer(body: string, apiv3Key: Uint8Array): Promise<Certificate[]> {
  return Promise.all(readList(body).map((entry) => open(entry, apiv3Key)));
}

/**
 * Verifies an answer by one of the certificates that it carries: the first of all answers has no other key.
 * @param keys the configured keys, one of which may have signed as well
 * @throws as {@link openAnswer}; {@link SignatureError} that says which check failed, or that no certificate is valid
 */
export async function verifyAnswer(
  { headers, body }: { headers: ReceivedHeaders; body: Uint8Array },
  apiv3Key: Uint8Array,
  keys: PlatformKeys,
): Promise<void> {
  const carried = await openAnswer(Buffer.from(body).toString(), apiv3Key);
  const valid = carried.filter((one) => isValid(one));
  if (valid.length === 0) throw noneValid(carried);
  const all = new Map(valid.map(({ serial, verify }) => [serial, verify]));
  await verifyPlatformSignature(headers, body, {
    get: (serial) => all.get(serial) ?? keys.get(serial),
    keys: () => [...all.keys(), ...keys.keys()],
  });
}

async function open(entry: Members, apiv3Key: Uint8Array): Promise<Certificate> {
  const { serial_no, effective_time, expire_time } = entry;
  const sealed: Apiv3Ciphertext = Object(entry.encrypt_certificate);
  const x509 = parse(await decryptApiv3(sealed, apiv3Key, 'The platform certificates cannot be decrypted.'));
  if (serialOf(x509) !== String(serial_no).toUpperCase()) {
    throw untrusted(`the one announced as ${serial_no} has the serial number ${serialOf(x509)}`);
  }
  const from = Date.parse(String(effective_time));
  const until = Date.parse(String(expire_time));
  if (Number.isNaN(from) || Number.isNaN(until)) throw untrusted(`the dates of ${serial_no} cannot be read`);
  return certificate(x509, { from, until });
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw untrusted('one is no X.509 certificate');
  }
}

function noneValid(certificates: readonly Certificate[]): SignatureError {
  const dates = certificates
    .map(({ serial, from, until }) => `${serial} from ${day(from)} to ${day(until)}`)
    .join(', ');
  return new SignatureError(
    'ERR_SIGNATURE_SERIAL',
    `No platform certificate that was received is valid now (${dates || 'none was received'}): check the local clock.`,
  );
}

function untrusted(issue: string): SignatureError {
  return new SignatureError('ERR_SIGNATURE_WRONG', `The platform certificates cannot be trusted: ${issue}.`);
}

/** The error of `JSON.parse` would quote the text. */
function readList(body: string): Members[] {
  try {
    const { data } = JSON.parse(body);
    if (Array.isArray(data)) return data.map((entry) => Object(entry));
  } catch {}
  throw new BodyError(
    'ERR_BODY_NOT_JSON',
    'The answer has no platform certificates: it is no JSON with a list "data".',
  );
}
