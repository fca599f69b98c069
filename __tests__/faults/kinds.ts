import type { Misbehaviour } from 'wechatpay-undici/sandbox';

/** A fault, and what a call that meets it must end in. */
export interface Kind {
  name: string;
  how: Misbehaviour;
  expected: { name: string; code?: string; status?: number };
}

const transport = { name: 'TransportError', code: 'ERR_TRANSPORT' };
const timeout = { name: 'TimeoutError', code: 'ERR_TIMEOUT' };
const signature = (code: string) => ({ name: 'SignatureError', code: `ERR_SIGNATURE_${code}` });

/** Whatever can go wrong with an answer. To be used with times for headers and body that are short. */
export const KINDS: readonly Kind[] = [
  { name: 'reset before the headers', how: { reset: true }, expected: transport },
  { name: 'reset in the headers', how: { reset: 'head' }, expected: transport },
  { name: 'reset after the headers', how: { reset: 'body' }, expected: transport },
  { name: 'a body that is cut off', how: { truncate: true }, expected: transport },
  { name: 'a Content-Length that is too long', how: { headers: { 'Content-Length': '9999' } }, expected: timeout },
  {
    name: 'a Content-Length that is too short',
    how: { headers: { 'Content-Length': '3' } },
    expected: signature('WRONG'),
  },
  { name: 'closed without an answer', how: { close: true }, expected: transport },
  { name: 'a status line that is none', how: { garbage: true }, expected: transport },
  { name: 'a wrong signature', how: { signature: 'wrong' }, expected: signature('WRONG') },
  { name: 'a probe', how: { signature: 'probe' }, expected: signature('WRONG') },
  { name: 'no signature', how: { signature: 'none' }, expected: signature('MISSING') },
  { name: 'a nonce that is missing', how: { omit: ['Wechatpay-Nonce'] }, expected: signature('MISSING') },
  { name: 'a signature twice', how: { double: ['Wechatpay-Signature'] }, expected: signature('MISSING') },
  { name: 'a stale clock', how: { skew: -400 }, expected: signature('CLOCK') },
  { name: 'a future clock', how: { skew: 400 }, expected: signature('CLOCK') },
  { name: 'the id of another key', how: { serial: 'PUB_KEY_ID_0' }, expected: signature('SERIAL') },
  { name: 'one byte changed', how: { tamper: true }, expected: signature('WRONG') },
  { name: 'an error', how: { status: 503 }, expected: { name: 'ApiError', status: 503 } },
  { name: 'no end to waiting', how: { delay: Number.POSITIVE_INFINITY }, expected: timeout },
];
