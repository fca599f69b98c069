import { ApiError, BodyError, ConfigurationError } from '../errors';
import { MAX_AGE, timeOf } from '../notification/replay';
import type { RawRequest } from '../notification/request';
import { parseV2 } from '../notification/v2';
import { decrypt } from '../notification/v3';
import { response } from '../signature/formatter';
import type { PlatformKeys, SignatureCheck } from '../signature/platform-keys';
import { MAX_CLOCK_SKEW, PROBE } from '../signature/platform-signature';
import { type Check, failed, messageOf, passed, skipped, warning } from './report';

/** The keys and settings for checking a notification. */
export interface CheckContext {
  /** WeChat Pay's keys. */
  keys: PlatformKeys;
  apiv3Key: Uint8Array | undefined;
  /** When it was received, in seconds since 1970; undefined to skip the check. */
  received: number | undefined;
}

const SIGNED_BY = ['Wechatpay-Timestamp', 'Wechatpay-Nonce', 'Wechatpay-Signature', 'Wechatpay-Serial'] as const;

/** Changes that happen to a body when it is saved, and how to undo them. */
const CHANGES: readonly [undo: (body: string) => string, what: string][] = [
  [(body) => body.replace(/(?:\r?\n)+$/, ''), 'a line break has been added at its end, as editors do'],
  [(body) => `${body}\n`, 'the line break at its end has been lost'],
  [(body) => body.replaceAll('\r\n', '\n'), 'its line breaks have been changed to CR LF'],
  [(body) => body.replaceAll(/\r?\n/g, '\r\n'), 'its line breaks have been changed from CR LF'],
  [(body) => body.replace(/^\uFEFF/, ''), 'a byte order mark has been added at its beginning'],
  [(body) => JSON.stringify(JSON.parse(body)), 'it has been parsed and serialised again; the raw body is required'],
];

/**
 * Performs the library's checks of an APIv3 notification one by one, continuing after a failed check.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012071382
 */
export async function checkV3({ headers, body }: RawRequest, context: CheckContext): Promise<Check[]> {
  const given = SIGNED_BY.map((name) => headers[name.toLowerCase()]);
  const lacking = SIGNED_BY.filter((_, index) => !given[index] || Array.isArray(given[index]));
  const [time = '', nonce = '', signature = '', serial = ''] = given.map((value) => String(value ?? ''));
  const found = serial === '' ? undefined : await findKey(serial, context.keys);
  return [
    lacking.length === 0
      ? passed('headers', 'all four are present')
      : failed('headers', `missing or repeated: ${lacking.join(', ')}. Proxies and frameworks may drop headers.`),
    checkClock(time, context.received),
    typeof found === 'string' ? failed('serial', found) : checkFound(serial, found),
    await checkSignature({ time, nonce, signature, serial }, body, typeof found === 'string' ? undefined : found),
    ...(await checkContent(body, context.apiv3Key)),
  ];
}

/** Performs the library's checks of a v2 notification. */
export async function checkV2(
  raw: RawRequest,
  secret: string,
  apiv3Key: Uint8Array | undefined,
  received: number | undefined,
): Promise<Check[]> {
  let age: Check;
  let verified: boolean;
  try {
    const notification = await parseV2(raw, secret, apiv3Key);
    verified = notification.verified;
    age = checkAge(timeOf(notification.envelope), received);
  } catch (error) {
    if (error instanceof BodyError) return [failed('body', error.message)];
    const xml = passed('body', 'is XML');
    if (error instanceof ApiError) return [xml, failed('return_code', `is ${error.code}: ${error.message}`)];
    const name = error instanceof ConfigurationError ? 'content' : 'signature';
    return [xml, failed(name, messageOf(error))];
  }
  const signature = verified
    ? passed('signature', 'matches the fields and the APIv2 key')
    : warning('signature', 'none: a refund notification is only encrypted. Query the refund before you act on it');
  return [passed('body', 'is XML'), signature, age];
}

function checkAge(time: number | undefined, received: number | undefined): Check {
  if (time === undefined)
    return skipped('clock', 'v2 signs no time of sending, and this notification has no "time_end"');
  const happened = `of ${new Date(time * 1000).toISOString()}`;
  if (received === undefined) return skipped('clock', `${happened}; not checked, as --any-time says`);
  if (received - time <= MAX_AGE) return passed('clock', happened);
  return failed(
    'clock',
    `${happened}, more than ${MAX_AGE} s ago. If it was saved earlier, pass the time it was received (--at), ` +
      'or --any-time.',
  );
}

function checkClock(time: string, received: number | undefined): Check {
  if (time === '') return skipped('clock', 'there is no Wechatpay-Timestamp');
  if (!/^\d{1,12}$/.test(time))
    return failed('clock', `Wechatpay-Timestamp is ${time}, which is not a number of seconds`);
  const sent = `sent at ${new Date(Number(time) * 1000).toISOString()}`;
  if (received === undefined) return skipped('clock', `${sent}; not checked, as --any-time says`);
  const skew = received - Number(time);
  const difference = `${sent}, ${Math.abs(skew)} s ${skew < 0 ? 'after' : 'before'} it was received`;
  if (Math.abs(skew) <= MAX_CLOCK_SKEW) return passed('clock', difference);
  return failed(
    'clock',
    `${difference}; at most ${MAX_CLOCK_SKEW} s is allowed. If it was saved earlier, pass the time it was received (--at), ` +
      'or --any-time.',
  );
}

/** The key for a serial number, or how to obtain it. */
async function findKey(serial: string, keys: PlatformKeys): Promise<SignatureCheck | string> {
  const known = [...keys.keys()].join(', ') || 'none';
  try {
    const key = keys.get(serial) ?? (await keys.find?.(serial));
    return key ?? `no key for ${serial} (have: ${known}). Pass the public key with that id, or that certificate.`;
  } catch (error) {
    return `no key for ${serial} (have: ${known}); certificates cannot be downloaded. ${messageOf(error)}`;
  }
}

function checkFound(serial: string, key: SignatureCheck | undefined): Check {
  return key ? passed('serial', `the key ${serial} is known`) : skipped('serial', 'there is no Wechatpay-Serial');
}

type Signed = Record<'time' | 'nonce' | 'signature' | 'serial', string>;

async function checkSignature(signed: Signed, body: Buffer, verify: SignatureCheck | undefined): Promise<Check> {
  const { time, nonce, signature, serial } = signed;
  if (!verify || !time || !nonce || !signature) return skipped('signature', 'a header or the key is missing');
  const fits = (content: string | Buffer) => verify(response(time, nonce, content), signature);
  if (await fits(body)) return passed('signature', `matches the body and the key ${serial}`);
  if (signature.startsWith(PROBE)) {
    const probe = 'is invalid on purpose: WeChat Pay probes whether invalid signatures are rejected.';
    return failed('signature', `${probe} Reject it like any other; there is nothing to fix.`);
  }
  for (const [undo, what] of CHANGES) {
    const original = attempt(() => undo(body.toString()));
    if (original !== undefined && original !== body.toString() && (await fits(original))) {
      return failed('signature', `does not match the body as given, but does if one change is undone: ${what}.`);
    }
  }
  return failed(
    'signature',
    `does not match: the body or a header differs from what was sent, or the key is not ${serial}.`,
  );
}

async function checkContent(body: Buffer, apiv3Key: Uint8Array | undefined): Promise<Check[]> {
  const envelope = attempt((): unknown => JSON.parse(body.toString()));
  if (typeof envelope !== 'object' || envelope === null) return [failed('body', 'is not a JSON object')];
  // Any member of an object may be read.
  const { id, event_type, resource } = envelope as Record<string, unknown>;
  const { ciphertext, nonce, associated_data } = Object(resource) as Record<string, unknown>;
  const described = passed('body', `is JSON: ${String(event_type)}, id ${String(id)}`);
  if (ciphertext === undefined) return [described, skipped('content', 'nothing in it is encrypted')];
  if (!apiv3Key) return [described, skipped('content', 'not decrypted: there is no APIv3 key')];
  try {
    const content: unknown = JSON.parse(await decrypt(ciphertext, apiv3Key, nonce, associated_data));
    return [described, passed('content', `is decrypted: ${Object.keys(Object(content)).join(', ')}`)];
  } catch (error) {
    const message = error instanceof ConfigurationError ? DECRYPTION : 'is decrypted, but is not JSON';
    return [described, failed('content', message)];
  }
}

const DECRYPTION =
  "cannot be decrypted. If the signature matches, the APIv3 key is not, or is no longer, this merchant's: compare " +
  'it with the merchant platform (账户中心 → API安全).';

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
