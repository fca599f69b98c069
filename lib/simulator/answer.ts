import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { nonce } from '../format/formatter';

/** What the platform answers. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  /** Bytes, or a file that streams. */
  readonly body: Buffer | Readable;
  /** Goes out without a signature. */
  readonly unsigned?: boolean;
}
export type Header = readonly [name: string, value: string];

/** What the simulator takes as a standard `Response`, be it undici's or Node's own. */
interface ResponseLike {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  clone(): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** Statuses whose answer has neither body nor Content-Length. */
export const BODYLESS: ReadonlySet<number> = new Set([204, 304]);
/** Headers that are the connection's, and not the answer's. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

export function isResponse(value: unknown): value is ResponseLike {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value && 'clone' in value;
}

/**
 * A standard `Response` as an answer.
 * @param streams whether its body may be passed on as it comes, once
 */
export async function responseAnswer(response: ResponseLike, streams = false): Promise<Answer> {
  const { status, body } = response;
  const headers = [...response.headers].filter(([name]) => !HOP_BY_HOP.has(name));
  if (streams && body) {
    if (Readable.isDisturbed(body as Readable)) {
      throw new TypeError('it returned a Response that streams and has been sent before: make one for each request');
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

/** Reads the body of an answer that streams, so that it can be signed or spoiled. */
export async function hold(answer: Answer): Promise<Answer & { readonly body: Buffer }> {
  const { body, headers } = answer;
  if (Buffer.isBuffer(body)) return { ...answer, body };
  return { ...answer, headers: headers.filter(isNoLength), body: await buffer(body) };
}

/** The answer with another body. */
export function withBody(answer: Answer, body: string | Buffer): Answer {
  discard(answer);
  return { ...answer, headers: answer.headers.filter(isNoLength), body: Buffer.from(body) };
}

/** Lets go of a body that is not sent. */
export function discard({ body }: Answer): void {
  if (!Buffer.isBuffer(body)) body.on('error', () => {}).destroy();
}

/** Adds the headers that every answer has. */
export function frame(answer: Answer, date: Date): Answer {
  const { status, headers, body } = answer;
  const common: Header[] = [
    ['Date', date.toUTCString()],
    ['Request-ID', `${nonce(32).toUpperCase()}-0`],
  ];
  if (BODYLESS.has(status)) return { ...withBody(answer, ''), headers: [...headers.filter(isNoLength), ...common] };
  if (!Buffer.isBuffer(body)) return { ...answer, headers: [...headers, ...common] };
  return { ...answer, headers: [...headers, ...common, ['Content-Length', String(body.length)]] };
}

/** The status line and the headers of an answer, as HTTP/1.1 writes them. */
export function headOf({ status, headers }: Answer): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...headers.map((header) => header.join(': '))];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function isNoLength([name]: Header): boolean {
  return name.toLowerCase() !== 'content-length';
}
