import type { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Check } from '../protocol/check';
import { type Form, readForm, type UploadedFile } from './form';

/** A request as received. */
export interface IncomingRequest {
  readonly method: string;
  /** Path and query, byte for byte as in the request line: this is what is signed. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The body; for an upload, its part `meta`, which APIv3 signs. */
  readonly body: Buffer;
  /** The content of an upload (multipart/form-data); `undefined` for any other request. */
  readonly form: Form | undefined;
  /** The whole upload, unless it is too long to keep. */
  readonly multipart?: () => Buffer | undefined;
  /** With TLS: the certificate that the client presented, where it did; `undefined` without TLS. */
  readonly peer?: { readonly certificate: X509Certificate | undefined } | undefined;
}

/** How much of an upload is kept, in case all of it was signed. */
const MAX_MULTIPART = 8 * 1024 * 1024;

/** What `sandbox.requests` keeps of a request. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as text; for an upload, its part `meta`. */
  readonly body: string;
  /** The files of an upload: their hashes, not their bytes. */
  readonly files: readonly UploadedFile[];
  /** HTTP status of the response; `undefined` until it is sent, and if no status line was sent. */
  readonly status: number | undefined;
  /** When it arrived, by the real clock: milliseconds since 1970. */
  readonly time: number;
  /** How long the response took, in milliseconds; `undefined` until it is sent. */
  readonly milliseconds: number | undefined;
  /** Its protocol; `undefined` until it has been checked. */
  readonly protocol?: 'v2' | 'v3';
  /** Who sent it, as far as the sandbox knows: merchant id, or brand id. */
  readonly mchid?: string | undefined;
  /** The checks, in order, with their verdicts; those after a failed one were not made. */
  readonly checks: readonly Check[];
  /** The string to sign, as the sandbox built it; for v2, without the APIv2 key. */
  readonly toSign?: string | undefined;
}

/** What a handler receives. */
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
   * The parsed body; for an upload, its part `meta`. `undefined` if there is no body, if it is not JSON by its
   * `Content-Type`, and with v2.
   */
  readonly json: Json;
  /** The fields of a v2 request, sent as XML, as a form or in the query; empty with APIv3. */
  readonly xml: Readonly<Record<string, string>>;
  /** The files of an upload: their hashes, not their bytes. */
  readonly files: readonly UploadedFile[];
  /** The body, byte for byte; for an upload, its part `meta`. */
  readonly body: Buffer;
}

/**
 * Processes a request to a path of the sandbox. What it returns, or its promise resolves to, is signed and sent.
 *
 * APIv3: `undefined` is sent as 204 without a body, a standard `Response` as is, any other value as JSON with 200.
 * A `Response` with the header `Wechatpay-Statement-Sha1` is signed over that hash, as overseas statements are.
 *
 * v2: an object is sent as XML; `return_code` and `result_code` `SUCCESS`, the merchant, `nonce_str` and `sign` are added
 * to its fields. If its `return_code` is not `SUCCESS`, it is sent unsigned and without these, as WeChat Pay
 * does. A standard `Response` is sent as is.
 *
 * An error response (`fault`, `v2Fault`, a `Response`) may also be thrown.
 */
export type Handler<Json = unknown> = (request: SandboxRequest<Json>) => unknown;

/** Options of a handler. */
export interface HandlerOptions {
  /**
   * `false` for responses that WeChat Pay does not sign, such as files. A `Response` is then streamed, not held in
   * memory: create a new one for each request.
   */
  signed?: boolean;
}

/** Reads a request to its end; rejects where the client goes away before. Of files longer than 8 MB the hashes are kept alone. */
export async function receive(message: IncomingMessage): Promise<IncomingRequest> {
  const { method = '', url = '', headers, socket } = message;
  const peer = socket instanceof TLSSocket ? { certificate: socket.getPeerX509Certificate() } : undefined;
  const type = headers['content-type'] ?? '';
  if (/^multipart\/form-data\b/i.test(type)) {
    const { pieces, whole } = keeping(message);
    const form = await readForm(type, pieces);
    return { method, target: url, headers, body: Buffer.from(form.fields.meta ?? ''), form, multipart: whole, peer };
  }
  return { method, target: url, headers, body: await bodyOf(message), form: undefined, peer };
}

/** By events: an asynchronous iterator takes several times as long for a short body. */
function bodyOf(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => resolve(Buffer.concat(chunks)));
    message.on('error', reject);
    message.on('close', () => reject(new Error('The client disconnected before its request was complete.')));
  });
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
