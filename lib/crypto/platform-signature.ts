import { SignatureError, type SignatureErrorCode } from '../errors';
import { appendBody, joinedByLineFeed, timestamp } from '../format/formatter';
import type { PublicKey } from './key';
import { verify } from './rsa';

/** Headers as undici and Node give them: names in lower case. */
export type ReceivedHeaders = Record<string, string | string[] | undefined>;

/** Greatest difference of the clocks that WeChat Pay allows, in seconds. */
export const MAX_CLOCK_SKEW = 300;

const PROBE = 'WECHATPAY/SIGNTEST/';

/**
 * Verifies the signature of an answer or a notification of APIv3.
 * @param body the raw body, as received
 * @param certs WeChat Pay's public keys by their serial number or id
 * @throws {@link SignatureError} that says which check failed
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export async function verifyPlatformSignature(
  headers: ReceivedHeaders,
  body: string | Uint8Array,
  certs: ReadonlyMap<string, PublicKey>,
): Promise<void> {
  const fail = (code: SignatureErrorCode, message: string): never => {
    const probe = String(headers['wechatpay-signature']).startsWith(PROBE);
    const hint = probe ? ' It is a probe: WeChat Pay sends wrong signatures now and then, to see them refused.' : '';
    throw new SignatureError(code, message + hint, {
      probe,
      serial: single(headers['wechatpay-serial']),
      requestId: single(headers['request-id']),
    });
  };
  const header = (name: string): string =>
    single(headers[name]) ??
    fail('ERR_SIGNATURE_HEADERS', `The header "${name}" is ${headers[name] ? 'there twice' : 'missing'}.`);

  const time = header('wechatpay-timestamp');
  const nonce = header('wechatpay-nonce');
  const signature = header('wechatpay-signature');
  const serial = header('wechatpay-serial');

  const skew = timestamp() - Number(time);
  if (!/^\d+$/.test(time) || Math.abs(skew) > MAX_CLOCK_SKEW) {
    fail(
      'ERR_SIGNATURE_CLOCK',
      `"Wechatpay-Timestamp" is ${time}, ${skew} s behind the local clock; ${MAX_CLOCK_SKEW} s are allowed.`,
    );
  }
  const key = certs.get(serial);
  if (key === undefined) {
    return fail(
      'ERR_SIGNATURE_SERIAL',
      `No key for "Wechatpay-Serial" ${serial}: "certs" has ${[...certs.keys()].join(', ')}. Add the key of that id.`,
    );
  }
  if (!(await verify(appendBody(joinedByLineFeed(time, nonce), body), signature, key))) {
    fail('ERR_SIGNATURE_WRONG', `The signature does not fit the content and the key ${serial}.`);
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) || value === '' ? undefined : value;
}
