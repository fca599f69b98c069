import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Check } from '../protocol/check';
import { type Form, readForm, type UploadedFile } from './form';

/** A request as it came off the socket. */
export interface IncomingRequest {
  readonly method: string;
  /** Path and query, byte for byte as in the request line: this is what is signed. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The body; of an upload its part `meta`, which is what APIv3 signs. */
  readonly body: Buffer;
  /** What an upload (multipart/form-data) holds; `undefined` of any other request. */
  readonly form: Form | undefined;
  /** All of an upload, where it is not too long to be kept. */
  readonly multipart?: () => Buffer | undefined;
}

/** How much of an upload is kept, for who signs all of it. */
const MAX_MULTIPART = 8 * 1024 * 1024;

/** What `sandbox.requests` keeps of a request. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as text; of an upload its part `meta`. */
  readonly body: string;
  /** The files of an upload: their hashes, not their bytes. */
  readonly files: readonly UploadedFile[];
  /** HTTP status of the response; `undefined` until it is sent, and where no status line was sent. */
  readonly status: number | undefined;
  /** When it arrived, by the real clock: milliseconds since 1970. */
  readonly time: number;
  /** How long the response took, in milliseconds; `undefined` until it is sent. */
  readonly milliseconds: number | undefined;
  /** The protocol that it speaks; `undefined` until it has been looked at. */
  readonly protocol?: 'v2' | 'v3';
  /** Who sent it, as far as the sandbox knows: merchant id, or brand id. */
  readonly mchid?: string | undefined;
  /** What was looked at, in order, and whether it is as it should be; what follows a failure was not looked at. */
  readonly checks: readonly Check[];
  /** What its signature should be over, as the sandbox built it; of v2 without the APIv2 key. */
  readonly toSign?: string | undefined;
}

/** What a handler is given. */
export interface SandboxRequest<Json = unknown> {
  /** Who signed the request: merchant id, or brand id. */
  readonly mchid: string;
  /** HTTP method, in upper case. */
  readonly method: string;
  /** The path as in the request line, with its leading slash, without the query. */
  readonly path: string;
  /** The variables of the handler's path, decoded. */
  readonly variables: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /**
   * The body, parsed; of an upload its part `meta`. `undefined` where there is none, where it is not JSON by its
   * `Content-Type`, and with v2.
   */
  readonly json: Json;
  /** The fields of a request of v2, whether they came as XML, in the query or as a form; empty with APIv3. */
  readonly xml: Readonly<Record<string, string>>;
  /** The files of an upload: their hashes, not their bytes. */
  readonly files: readonly UploadedFile[];
  /** The body, byte for byte; of an upload its part `meta`. */
  readonly body: Buffer;
}

/**
 * Answers a request to a path of the sandbox, at once or by a promise. What it returns is signed and sent.
 *
 * APIv3: `undefined` as 204 without a body, a standard `Response` as it is, any other value as JSON with status 200.
 * A `Response` with the header `Wechatpay-Statement-Sha1` is signed over that hash, as overseas statements are.
 *
 * v2: an object as XML, with `return_code` and `result_code` `SUCCESS`, the merchant, a `nonce_str` and the `sign` beside
 * its own fields; with a `return_code` of its own that is not `SUCCESS`, it goes out alone and unsigned, as WeChat Pay
 * does it. A standard `Response` goes as it is.
 *
 * A response that is an error (`fault`, `v2Fault`, a `Response`) may be thrown as well.
 */
export type Handler<Json = unknown> = (request: SandboxRequest<Json>) => unknown;

/** Options of a handler. */
export interface HandlerOptions {
  /**
   * `false` for answers that WeChat Pay does not sign, such as files. A `Response` is streamed then, and not held in
   * memory: it must be made anew for each request.
   */
  signed?: boolean;
}

/** Reads a request to its end; rejects where the client goes away before. Of files longer than 8 MB the hashes are kept alone. */
export async function receive(message: IncomingMessage): Promise<IncomingRequest> {
  const { method = '', url = '', headers } = message;
  const type = headers['content-type'] ?? '';
  if (/^multipart\/form-data\b/i.test(type)) {
    const { pieces, whole } = keeping(message);
    const form = await readForm(type, pieces);
    return { method, target: url, headers, body: Buffer.from(form.fields.meta ?? ''), form, multipart: whole };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return { method, target: url, headers, body: Buffer.concat(chunks), form: undefined };
}

/** Passes a stream on and keeps what it passes, up to a limit. */
function keeping(source: AsyncIterable<Buffer>): { pieces: AsyncIterable<Buffer>; whole: () => Buffer | undefined } {
  let kept: Buffer[] | undefined = [];
  let size = 0;
  async function* pieces(): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      size += piece.length;
      if (size > MAX_MULTIPART) kept = undefined;
      kept?.push(piece);
      yield piece;
    }
  }
  return { pieces: pieces(), whole: () => kept && Buffer.concat(kept) };
}

/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

/** The query of a request target. */
export function queryOf(target: string): URLSearchParams {
  return new URLSearchParams(target.slice(pathOf(target).length));
}
