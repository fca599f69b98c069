import type { KeyObject } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { sign } from '../crypto/rsa';
import { appendBody, joinedByLineFeed, nonce, SCHEME } from '../format/formatter';

/** What the platform answers, before it is signed. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}
export type Header = readonly [name: string, value: string];

/** The platform's key and its id. */
export interface Signer {
  readonly serial: string;
  readonly privateKey: KeyObject;
}

/** What the simulator takes as a standard `Response`, be it undici's or Node's own. */
interface ResponseLike {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  clone(): { arrayBuffer(): Promise<ArrayBuffer> };
}

const JSON_TYPE: Header = ['Content-Type', 'application/json; charset=utf-8'];
/** Statuses whose answer has neither body nor Content-Length. */
export const BODYLESS: ReadonlySet<number> = new Set([204, 304]);
/** Headers that are the connection's, and not the answer's. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

export function isResponse(value: unknown): value is ResponseLike {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value && 'clone' in value;
}

/** Turns what a handler returned into an answer. */
export async function toAnswer(result: unknown): Promise<Answer> {
  if (result === undefined) return { status: 204, headers: [], body: Buffer.alloc(0) };
  if (!isResponse(result)) return jsonAnswer(200, result);
  const { status, headers } = result;
  return {
    status,
    headers: [...headers].filter(([name]) => !HOP_BY_HOP.has(name)),
    // A clone, so that a handler may return the same Response to every request.
    body: Buffer.from(await result.clone().arrayBuffer()),
  };
}

function jsonAnswer(status: number, value: unknown): Answer {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`it returned a ${typeof value}, which is not JSON`);
  return { status, headers: [JSON_TYPE], body: Buffer.from(text) };
}

/**
 * The headers of a signed answer.
 * @param time seconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export async function signatureHeaders(body: Buffer, time: number, { serial, privateKey }: Signer): Promise<Header[]> {
  const nonce_str = nonce();
  return [
    ['Wechatpay-Serial', serial],
    ['Wechatpay-Timestamp', String(time)],
    ['Wechatpay-Nonce', nonce_str],
    ['Wechatpay-Signature', await sign(appendBody(joinedByLineFeed(time, nonce_str), body), privateKey)],
    ['Wechatpay-Signature-Type', SCHEME],
  ];
}

/** Adds the headers that every answer has. */
export function frame({ status, headers, body }: Answer, date: Date): Answer {
  const common: Header[] = [
    ['Date', date.toUTCString()],
    ['Request-ID', `${nonce(32).toUpperCase()}-0`],
  ];
  if (BODYLESS.has(status)) return { status, headers: [...headers, ...common], body: Buffer.alloc(0) };
  return { status, headers: [...headers, ...common, ['Content-Length', String(body.length)]], body };
}

/** An answer as HTTP/1.1 writes it: head and body. */
export function serialize({ status, headers, body }: Answer): { head: Buffer; body: Buffer } {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...headers.map((header) => header.join(': '))];
  return { head: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body };
}
