import { type Answer, BODYLESS, frame, type Header, type Signer, signatureHeaders, toAnswer } from './answer';
import { fault } from './fault';
import type { Misbehaviour } from './misbehaviour';

const CODES: Readonly<Record<number, string>> = {
  400: 'PARAM_ERROR',
  401: 'SIGN_ERROR',
  403: 'NO_AUTH',
  404: 'RESOURCE_NOT_EXISTS',
  429: 'FREQUENCY_LIMITED',
};

/** Replaces what is to be signed: `status` and `body`. */
export async function replace(answer: Answer, { status, body }: Misbehaviour): Promise<Answer> {
  const replaced = status === undefined ? answer : await withStatus(answer, status);
  if (BODYLESS.has(replaced.status)) return { ...replaced, body: Buffer.alloc(0) };
  return body === undefined ? replaced : { ...replaced, body: Buffer.from(body) };
}

async function withStatus(answer: Answer, status: number): Promise<Answer> {
  if (status < 400) return { ...answer, status };
  const code = CODES[status] ?? (status < 500 ? 'INVALID_REQUEST' : 'SYSTEM_ERROR');
  return toAnswer(fault(status, code, 'The simulator was told to answer so.'));
}

/**
 * Signs an answer, in a way that may be told to be wrong.
 * @param time seconds since 1970
 * @param signer the platform
 * @param other another key, for signatures that are wrong
 */
export async function seal(
  answer: Answer,
  { signature, skew = 0, serial }: Misbehaviour,
  { time, signer, other }: { time: number; signer: Signer; other: Signer },
): Promise<Answer> {
  if (signature === 'none') return answer;
  const key = signature === 'wrong' ? other : signer;
  const headers = await signatureHeaders(answer.body, time + skew, { ...key, serial: serial ?? signer.serial });
  const seals = signature === 'probe' ? headers.map(asProbe) : headers;
  return { ...answer, headers: [...answer.headers, ...seals] };
}

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249 */
function asProbe([name, value]: Header): Header {
  const mark = 'WECHATPAY/SIGNTEST/';
  return name === 'Wechatpay-Signature' ? [name, mark + value.slice(mark.length)] : [name, value];
}

/** Frames an answer and changes what has been signed: `omit`, `double`, `headers` and `tamper`. */
export function distort(answer: Answer, date: Date, how: Misbehaviour): Answer {
  const { omit = [], double = [], headers = {}, tamper } = how;
  const framed = frame({ ...answer, body: tampered(answer.body, tamper) }, date);
  const without = new Set([...omit, ...Object.keys(headers)].map((name) => name.toLowerCase()));
  const twice = new Set(double.map((name) => name.toLowerCase()));
  const kept = framed.headers
    .filter(([name]) => !without.has(name.toLowerCase()))
    .flatMap((header) => (twice.has(header[0].toLowerCase()) ? [header, header] : [header]));
  const set = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one): Header => [name, one]));
  return { ...framed, headers: [...kept, ...set] };
}

function tampered(body: Buffer, tamper: true | string | undefined): Buffer {
  if (tamper === undefined) return body;
  if (tamper !== true) return Buffer.from(tamper);
  const middle = body.length >> 1;
  return Buffer.concat([body.subarray(0, middle), Buffer.of((body[middle] ?? 0) ^ 1), body.subarray(middle + 1)]);
}
