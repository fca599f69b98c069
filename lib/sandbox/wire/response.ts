import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { Response } from 'undici';
import { requestId } from './request-id';

/** A response of the platform. */
export interface SandboxResponse {
  readonly status: number;
  readonly headers: readonly Header[];
  /** Bytes, or a file that streams. */
  readonly body: Buffer | Readable;
  /** Goes out without a signature. */
  readonly unsigned?: boolean;
}
export type Header = readonly [name: string, value: string];

/** What the sandbox takes as a standard `Response`, be it undici's or Node's own. */
interface ResponseLike {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  clone(): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** Statuses whose response has neither body nor Content-Length. */
export const BODYLESS: ReadonlySet<number> = new Set([204, 304]);
/** Headers that are the connection's, and not the response's. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

export function isResponse(value: unknown): value is ResponseLike {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value && 'clone' in value;
}

/** What a {@link fault} says. */
export async function messageOf(response: ResponseLike): Promise<string> {
  const body: unknown = JSON.parse(Buffer.from(await response.clone().arrayBuffer()).toString());
  return String(Object(body).message);
}

/**
 * A standard `Response` as a response.
 * @param streams whether its body may be passed on as it comes, once
 */
export async function fromResponse(response: ResponseLike, streams = false): Promise<SandboxResponse> {
  const { status, body } = response;
  const headers = [...response.headers].filter(([name]) => !HOP_BY_HOP.has(name));
  if (streams && body) {
    if (Readable.isDisturbed(body as Readable)) {
      throw new TypeError(
        'it returned a Response that streams and has already been sent: make a new one for each request',
      );
    }
    return { status, headers, body: Readable.fromWeb(body as WebStream<Uint8Array>) };
  }
  return {
    status,
    headers: headers.filter(isNoLength),
    // A clone, so that a handler may return the same Response to every request.
    body: Buffer.from(await response.clone().arrayBuffer()),
  };
}

/** Reads the body of a response that streams, so that it can be signed or spoiled. */
export async function hold(outgoing: SandboxResponse): Promise<SandboxResponse & { readonly body: Buffer }> {
  const { body, headers } = outgoing;
  if (Buffer.isBuffer(body)) return { ...outgoing, body };
  return { ...outgoing, headers: headers.filter(isNoLength), body: await buffer(body) };
}

/** The response with another body. */
export function withBody(outgoing: SandboxResponse, body: string | Buffer): SandboxResponse {
  discard(outgoing);
  return { ...outgoing, headers: outgoing.headers.filter(isNoLength), body: Buffer.from(body) };
}

/** Lets go of a body that is not sent. */
export function discard({ body }: SandboxResponse): void {
  if (!Buffer.isBuffer(body)) body.on('error', () => {}).destroy();
}

/** Adds the headers that every response has. */
export function frame(outgoing: SandboxResponse, date: Date): SandboxResponse {
  const { status, headers, body } = outgoing;
  const common: Header[] = [
    ['Date', date.toUTCString()],
    ['Request-ID', requestId(outgoing, date)],
  ];
  if (BODYLESS.has(status)) return { ...withBody(outgoing, ''), headers: [...headers.filter(isNoLength), ...common] };
  if (!Buffer.isBuffer(body)) return { ...outgoing, headers: [...headers, ...common] };
  return { ...outgoing, headers: [...headers, ...common, ['Content-Length', String(body.length)]] };
}

/** The status line and the headers of a response, as HTTP/1.1 writes them. */
export function headOf({ status, headers }: SandboxResponse): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...headers.map((header) => header.join(': '))];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function isNoLength([name]: Header): boolean {
  return name.toLowerCase() !== 'content-length';
}

/**
 * A response of WeChat Pay's error shape, to be returned or thrown by a handler of the sandbox.
 * @param status HTTP status, such as 404
 * @param code WeChat Pay's code, such as `RESOURCE_NOT_EXISTS`
 * @param message what is wrong, for the reader of the log
 * @param detail what the error is about; the response omits it if undefined
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709
 */
export function fault(status: number, code: string, message: string, detail?: unknown): Response {
  return Response.json(sorted({ code, message, detail }), { status });
}

/** WeChat Pay sorts the members of its errors. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** The fields of a response of v2 that says what is wrong. */
export interface V2Fault {
  readonly return_code: 'SUCCESS';
  readonly result_code: 'FAIL';
  readonly err_code: string;
  readonly err_code_des: string;
}

/**
 * A response of v2 that was understood but not carried out, to be returned or thrown by a handler of the sandbox; it is
 * signed.
 * @param err_code WeChat Pay's code, such as `ORDERNOTEXIST`
 * @param err_code_des what is wrong, for the reader of the log
 * @example sandbox.on('post', 'v2/pay/orderquery', () => v2Fault('ORDERNOTEXIST', '此交易订单号不存在'));
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_1
 */
export function v2Fault(err_code: string, err_code_des: string): V2Fault {
  return { return_code: 'SUCCESS', result_code: 'FAIL', err_code, err_code_des };
}
