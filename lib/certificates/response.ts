import { type KeyObject, X509Certificate } from 'node:crypto';
import { loadPublicKey, serialOf } from '../crypto/keys';
import { verifyWith } from '../crypto/rsa-signature';
import { ApiError, BodyError, ConfigurationError, SignatureError } from '../errors';
import type { ReceivedHeaders } from '../format/headers';
import { type Apiv3Ciphertext, decryptApiv3 } from '../signature/api-key';
import {
  day,
  isValid,
  type PlatformKeys,
  type SignatureCheck,
  type Validity,
  validityOf,
} from '../signature/platform-keys';
import { verifyPlatformSignature } from '../signature/platform-signature';

/** A verified platform certificate. */
export interface Certificate extends Validity {
  readonly serial: string;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly verify: SignatureCheck;
}

/**
 * Prepares a certificate for use.
 * @param validity the dates that WeChat Pay lists for it; the certificate's own dates apply as well
 * @throws {@link ConfigurationError} if its key is not RSA with at least 2048 bits
 */
export function certificate(x509: X509Certificate, validity: { from?: number; until?: number } = {}): Certificate {
  const serial = serialOf(x509);
  // For a certificate this is always a KeyObject.
  const { from, until } = validityOf(x509);
  const publicKey = loadPublicKey(x509, `platform certificate ${serial}`) as KeyObject;
  return {
    serial,
    x509,
    publicKey,
    verify: verifyWith(publicKey),
    from: Math.max(from, validity.from ?? 0),
    until: Math.min(until, validity.until ?? Number.POSITIVE_INFINITY),
  };
}

/** Drops expired certificates and sorts the rest, the one that expires last first. */
export function unexpired(certificates: Iterable<Certificate>): Certificate[] {
  const now = Date.now();
  return [...certificates].filter(({ until }) => now < until).sort((a, b) => b.until - a.until);
}

type Members = Record<string, unknown>;

/**
 * Limits for what is parsed before it is verified. WeChat Pay lists one to a few certificates of some 2,000 bytes each,
 * with 12-byte nonces; OpenSSL accepts nonces of up to 128 bytes.
 */
const MAX_SIZE = 256 * 1024;
const MAX_CERTIFICATES = 32;
const MAX_LENGTHS: readonly (readonly [name: string, length: number])[] = [
  ['ciphertext', 16 * 1024],
  ['nonce', 128],
  ['associated_data', 128],
];

/**
 * Decrypts each certificate in WeChat Pay's response, and checks its serial number, its key and its dates.
 * @param body the response body, JSON
 * @returns all certificates, including those not currently valid
 * @throws {@link BodyError} if it is not such a response, or is too large; {@link ConfigurationError} if `apiv3Key` does not match;
 * {@link SignatureError} if a certificate fails a check
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764
 */
export async function openCertificates(body: string, apiv3Key: Uint8Array): Promise<Certificate[]> {
  const certificates: Certificate[] = [];
  // Sequentially: the first one encrypted with another key stops the loop.
  for (const entry of readList(body)) certificates.push(await open(entry, apiv3Key));
  return certificates;
}

/**
 * Verifies a response with one of the certificates that it contains: for the very first response there is no other key.
 * @param keys the configured keys, which may also have signed it
 * @throws as {@link openCertificates}; {@link SignatureError} that says which check failed, or that no certificate is valid
 */
export async function verifyCertificates(
  { headers, body }: { headers: ReceivedHeaders; body: Uint8Array },
  apiv3Key: Uint8Array,
  keys: PlatformKeys,
): Promise<void> {
  if (body.length > MAX_SIZE) throw tooLarge();
  // A response without a signature, or with an old one, is not even parsed.
  await verifyPlatformSignature(headers, '', { get: () => async () => true, keys: () => [] });
  const carried = await openCertificates(Buffer.from(body).toString(), apiv3Key);
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
    throw untrusted(`serial_no is ${serial_no} but the certificate's serial number is ${serialOf(x509)}`);
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
    throw untrusted('one of them is not a valid X.509 certificate');
  }
}

function noneValid(certificates: readonly Certificate[]): SignatureError {
  const dates = certificates
    .map(({ serial, from, until }) => `${serial} from ${day(from)} to ${day(until)}`)
    .join(', ');
  return new SignatureError(
    'ERR_SIGNATURE_SERIAL',
    `None of the platform certificates received is currently valid (${dates || 'none was received'}). Check the system clock.`,
  );
}

function untrusted(issue: string): SignatureError {
  return new SignatureError('ERR_SIGNATURE_WRONG', `The platform certificates cannot be trusted: ${issue}.`);
}

/** The error of `JSON.parse` would quote the input. */
function readList(body: string): Members[] {
  if (body.length > MAX_SIZE) throw tooLarge();
  let list: unknown;
  try {
    const { data } = JSON.parse(body);
    list = data;
  } catch {}
  if (Array.isArray(list) && list.length <= MAX_CERTIFICATES) return list.map(readEntry);
  if (Array.isArray(list)) throw tooLarge();
  throw new BodyError(
    'ERR_BODY_NOT_JSON',
    'The response has no platform certificates: expected JSON with a "data" array.',
  );
}

function readEntry(entry: unknown): Members {
  const members: Members = Object(entry);
  const sealed: Members = Object(members.encrypt_certificate);
  if (MAX_LENGTHS.some(([name, length]) => String(sealed[name] ?? '').length > length)) throw tooLarge();
  return members;
}

function tooLarge(): BodyError {
  return new BodyError(
    'ERR_BODY_TOO_LARGE',
    `The list of platform certificates is too large; at most ${MAX_SIZE} bytes and ${MAX_CERTIFICATES} certificates are allowed.`,
  );
}

/**
 * Says what to do if a merchant has no platform certificates; other errors are returned unchanged.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012153196
 */
export function explainMissing(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 404 || error.code !== 'RESOURCE_NOT_EXISTS') throw error;
  throw new ConfigurationError(
    'This merchant has no platform certificates: WeChat Pay signs with a public key instead. Download pub_key.pem ' +
      'from the merchant platform (账户中心 → API安全 → 微信支付公钥), and configure it under the ID shown there: ' +
      "certs: { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }.",
    { cause: error },
  );
}

/** WeChat Pay's hosts abroad. */
const OVERSEAS = /^api(?:hk|us|eu)\.mch\.weixin\.qq\.com$/;

/**
 * The path of the certificates: under `v3/global/` on WeChat Pay's hosts abroad, directly under `v3/` on all others.
 * @param baseUrl the configured base URL
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764
 * @see https://pay.weixin.qq.com/doc/global/v3/zh/4013013878
 */
export function certificatesPath(baseUrl: URL | undefined): string {
  return baseUrl && OVERSEAS.test(baseUrl.hostname) ? 'v3/global/certificates' : 'v3/certificates';
}
