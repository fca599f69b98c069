import { X509Certificate } from 'node:crypto';
import * as AesGcm from '../crypto/aes-gcm';
import { serialOf } from '../crypto/key';
import type { PlatformKeys } from '../crypto/platform-keys';
import { type ReceivedHeaders, verifyPlatformSignature } from '../crypto/platform-signature';
import { BodyError, ConfigurationError, SignatureError } from '../errors';
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
  const { ciphertext, nonce, associated_data } = Object(entry.encrypt_certificate) as Members;
  const x509 = parse(await decrypt(ciphertext, apiv3Key, nonce, associated_data));
  if (serialOf(x509) !== String(serial_no).toUpperCase()) {
    throw untrusted(`the one announced as ${serial_no} has the serial number ${serialOf(x509)}`);
  }
  const from = Date.parse(String(effective_time));
  const until = Date.parse(String(expire_time));
  if (Number.isNaN(from) || Number.isNaN(until)) throw untrusted(`the dates of ${serial_no} cannot be read`);
  return certificate(x509, { from, until });
}

async function decrypt(ciphertext: unknown, key: Uint8Array, nonce: unknown, aad: unknown): Promise<string> {
  try {
    return await AesGcm.decrypt(String(ciphertext), key, String(nonce ?? ''), String(aad ?? ''));
  } catch (cause) {
    throw new ConfigurationError(
      'The platform certificates cannot be decrypted. Most likely "apiv3Key" is not the APIv3 key of this merchant, or is ' +
        'no longer: compare it with the merchant platform (账户中心 → API安全).',
      { cause },
    );
  }
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

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
