import type { KeyObject } from 'node:crypto';
import { sign } from '../crypto/rsa';
import { appendBody, joinedByLineFeed, nonce, SCHEME } from '../format/formatter';
import type { Header } from './answer';
import type { Misbehaviour } from './misbehaviour';

/** The platform's key and its id. */
interface Signer {
  readonly serial: string;
  readonly privateKey: KeyObject;
}

/**
 * The headers that vouch for an answer or a notification of APIv3, in a way that may be told to be wrong.
 * @param signed what the signature is over: the body, but for overseas statements
 * @param time seconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export async function sealHeaders(
  signed: string | Buffer,
  time: number,
  { merchant, platform }: { merchant: Pick<Signer, 'privateKey'>; platform: Signer },
  { signature, skew = 0, serial = platform.serial }: Misbehaviour,
): Promise<Header[]> {
  if (signature === 'none') return [];
  const { privateKey } = signature === 'wrong' ? merchant : platform;
  const headers = await signatureHeaders(signed, time + skew, { serial, privateKey });
  return signature === 'probe' ? headers.map(asProbe) : headers;
}

async function signatureHeaders(
  signed: string | Buffer,
  time: number,
  { serial, privateKey }: Signer,
): Promise<Header[]> {
  const nonce_str = nonce();
  return [
    ['Wechatpay-Serial', serial],
    ['Wechatpay-Timestamp', String(time)],
    ['Wechatpay-Nonce', nonce_str],
    ['Wechatpay-Signature', await sign(appendBody(joinedByLineFeed(time, nonce_str), signed), privateKey)],
    ['Wechatpay-Signature-Type', SCHEME],
  ];
}

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249 */
function asProbe([name, value]: Header): Header {
  const mark = 'WECHATPAY/SIGNTEST/';
  return name === 'Wechatpay-Signature' ? [name, mark + value.slice(mark.length)] : [name, value];
}
