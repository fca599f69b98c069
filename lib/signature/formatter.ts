import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from '../errors';
import { SCHEME } from './scheme';

const LINE_FEED = Buffer.from('\n');

/**
 * A random string from the operating system's generator: hexadecimal digits, 4 bits each.
 * @param size number of characters, 32 by default
 */
export function nonce(size = 32): string {
  if (!Number.isInteger(size) || size < 1) {
    throw new InvalidArgumentError(
      `The size of a nonce must be a positive integer, not ${typeof size === 'number' ? size : `a ${typeof size}`}.`,
    );
  }
  return randomBytes(Math.ceil(size / 2))
    .toString('hex')
    .slice(0, size);
}

/** The current time, in seconds since 1970-01-01T00:00:00Z. */
export function timestamp(): number {
  return Math.floor(Date.now() / 1000);
}

/**
 * The string to sign for an APIv3 request.
 * @param method HTTP method, in upper case
 * @param target path and query, exactly as in the request line
 * @param time seconds since 1970
 * @param body the body as sent, empty by default; for an upload, its `meta`
 * @returns a string, or bytes if the body is bytes, so that what is signed is what is sent even if it is not UTF-8
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function request(method: string, target: string, time: number | string, nonce: string, body?: string): string;
export function request(
  method: string,
  target: string,
  time: number | string,
  nonce: string,
  body: Uint8Array,
): Uint8Array;
export function request(
  method: string,
  target: string,
  time: number | string,
  nonce: string,
  body: string | Uint8Array,
): string | Uint8Array;
export function request(
  method: string,
  target: string,
  time: number | string,
  nonce: string,
  body: string | Uint8Array = '',
): string | Uint8Array {
  return withBody([method, target, time, nonce], body);
}

/**
 * The string to sign for an APIv3 response or notification.
 * @param time the header `Wechatpay-Timestamp`
 * @param nonce the header `Wechatpay-Nonce`
 * @param body the body as received, empty by default
 * @returns a string, or bytes if the body is bytes
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export function response(time: number | string, nonce: string, body?: string): string;
export function response(time: number | string, nonce: string, body: Uint8Array): Uint8Array;
export function response(time: number | string, nonce: string, body: string | Uint8Array): string | Uint8Array;
export function response(time: number | string, nonce: string, body: string | Uint8Array = ''): string | Uint8Array {
  return withBody([time, nonce], body);
}

function withBody(lines: (string | number)[], body: string | Uint8Array): string | Uint8Array {
  if (typeof body === 'string') return joinedByLineFeed(...lines, body);
  return Buffer.concat([Buffer.from(joinedByLineFeed(...lines)), body, LINE_FEED]);
}

/**
 * The value of the `Authorization` header of an APIv3 request.
 * @param signature signature of {@link request}, in Base64
 * @param serial serial number of the merchant certificate, upper-case hexadecimal
 */
export function authorization(
  mchid: string,
  nonce: string,
  signature: string,
  time: number | string,
  serial: string,
): string {
  return `${SCHEME} mchid="${mchid}",serial_no="${serial}",timestamp="${time}",nonce_str="${nonce}",signature="${signature}"`;
}

/** Each piece followed by a line feed, including the last one. */
export function joinedByLineFeed(...pieces: (string | number)[]): string {
  return `${pieces.join('\n')}\n`;
}

export { ksort, queryStringLike } from '../format/fields';
