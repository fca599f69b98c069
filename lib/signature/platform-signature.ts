import { SignatureError, type SignatureErrorCode } from '../errors';
import type { ReceivedHeaders } from '../format/headers';
import { response, timestamp } from './formatter';
import type { PlatformKeys } from './platform-keys';

/** Maximum clock difference that WeChat Pay allows, in seconds. */
export const MAX_CLOCK_SKEW = 300;

/** The prefix of signatures that are wrong on purpose. */
export const PROBE = 'WECHATPAY/SIGNTEST/';

/**
 * Verifies the signature of an APIv3 response or notification.
 * @param body the raw body, as received
 * @param keys WeChat Pay's keys; a missing one is searched for only after the headers and the time have been checked
 * @param advice end of the error message
 * @param scheme that of a brand: a header that names another one is an error
 * @throws {@link SignatureError} that says which check failed
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export async function verifyPlatformSignature(
  headers: ReceivedHeaders,
  body: string | Uint8Array,
  keys: PlatformKeys,
  advice?: string,
  scheme?: string,
): Promise<void> {
  const fail = (code: SignatureErrorCode, message: string, options?: ErrorOptions): never => {
    const probe = String(headers['wechatpay-signature']).startsWith(PROBE);
    const hint = probe
      ? ' This is a probe: WeChat Pay occasionally sends invalid signatures to check that they are rejected.'
      : '';
    const text = advice === undefined ? message + hint : `${message}${hint} ${advice}`;
    throw new SignatureError(code, text, {
      probe,
      serial: single(headers['wechatpay-serial']),
      requestId: single(headers['request-id']),
      ...options,
    });
  };
  const header = (name: string): string =>
    single(headers[name]) ??
    fail('ERR_SIGNATURE_MISSING', `The header "${name}" is ${headers[name] ? 'present more than once' : 'missing'}.`);

  const time = header('wechatpay-timestamp');
  const nonce = header('wechatpay-nonce');
  const signature = header('wechatpay-signature');
  const serial = header('wechatpay-serial');
  const type = single(headers['wechatpay-signature-type']);
  if (scheme !== undefined && type !== undefined && type !== scheme) {
    fail('ERR_SIGNATURE_WRONG', `"Wechatpay-Signature-Type" is ${JSON.stringify(type)}; of a brand it is ${scheme}.`);
  }

  const issue = clockIssue(time, timestamp());
  if (issue) fail('ERR_SIGNATURE_CLOCK', issue);
  const unknown = (options?: ErrorOptions): never => {
    const invalid = keys.explain?.(serial);
    if (invalid) {
      return fail('ERR_SIGNATURE_SERIAL', `${invalid} Configure the newer key; also check the system clock.`, options);
    }
    const known = [...keys.keys()].join(', ') || 'none';
    const downloaded = keys.find ? '; none can be downloaded' : '';
    const text = `No key for "Wechatpay-Serial" ${serial} (have: ${known}${downloaded}). Add that key to "certs".`;
    return fail('ERR_SIGNATURE_SERIAL', text, options);
  };
  const verify =
    keys.get(serial) ?? (await keys.find?.(serial).catch((cause: unknown) => unknown({ cause }))) ?? unknown();
  let isRight: boolean;
  try {
    isRight = await verify(response(time, nonce, body), signature);
  } catch (cause) {
    const text = `The signature could not be checked: certs["${serial}"] threw; see error.cause.`;
    return fail('ERR_SIGNATURE_UNCHECKED', text, { cause });
  }
  if (!isRight) {
    fail('ERR_SIGNATURE_WRONG', `The signature does not match the body and key ${serial}.`);
  }
}

/**
 * Checks a `Wechatpay-Timestamp`.
 * @param now the local time, in seconds since 1970
 * @returns the problem in a sentence or two; `undefined` if there is none
 */
export function clockIssue(time: string, now: number): string | undefined {
  if (!/^\d{1,12}$/.test(time)) {
    return `"Wechatpay-Timestamp" is not a number of seconds since 1970: ${JSON.stringify(time)}.`;
  }
  const ahead = now - Number(time);
  if (Math.abs(ahead) <= MAX_CLOCK_SKEW) return undefined;
  const order =
    ahead > 0
      ? `The local clock is ${ahead} s ahead of "Wechatpay-Timestamp" (${time})`
      : `"Wechatpay-Timestamp" (${time}) is ${-ahead} s ahead of the local clock`;
  return `${order}; ${MAX_CLOCK_SKEW} s are allowed. Check the local clock, and that the message is not an old one.`;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) || value === '' ? undefined : value;
}
