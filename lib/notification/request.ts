import { bytesOf } from '../crypto/bytes';
import { BodyError, InvalidArgumentError, TransportError } from '../errors';
import { type ReceivedHeaders, readHeaders } from '../format/headers';
import type { NotificationRequest } from './types';

/** The headers and the raw body of a request. */
export interface RawRequest {
  headers: ReceivedHeaders;
  body: Buffer;
}

/** Members that a request may have, depending on its framework: Express, Koa, Nest, Fastify, `fetch`. */
interface Source {
  headers?: unknown;
  /** Nest and others keep the raw bytes here, besides the parsed body. */
  rawBody?: unknown;
  body?: unknown;
  bodyUsed?: unknown;
  readableDidRead?: unknown;
  destroyed?: unknown;
  iterator?: unknown;
}

const RECIPES = `
Express: app.post(path, handler) before any app.use(express.json()), or behind express.raw({ type: '*/*' }).
Koa: nodeHandler(ctx.req, ctx.res) with ctx.respond = false, before any body parser; or { headers, body: ctx.request.rawBody }.
Nest: NestFactory.create(AppModule, { rawBody: true }), and the whole request of @Req().
Fastify: in a plugin, removeAllContentTypeParsers() and addContentTypeParser('*', (request, payload, done) => done(null)); then reply.hijack() and nodeHandler(request.raw, reply.raw).
Next: webHandler as POST in app/…/route.ts; under pages/api, export const config = { api: { bodyParser: false } }.`;

/**
 * Reads the headers and the raw body of a request.
 * @param limit maximum size of the body in bytes; a larger one is refused before it is fully read
 * @param signal stops reading a standard request by cancelling its body. A Node.js request stops with its connection
 * @throws {@link InvalidArgumentError} if the raw body is missing, or was already consumed
 * @throws {@link BodyError} `ERR_BODY_TOO_LARGE`
 * @throws {@link TransportError} if the body ends prematurely
 */
export async function readRequest(
  request: NotificationRequest,
  limit: number,
  signal?: AbortSignal,
): Promise<RawRequest> {
  const source: Source = Object(request);
  if (typeof source.headers !== 'object' || source.headers === null) {
    throw new InvalidArgumentError('A request must have "headers"; pass { headers, body }, or the whole request.');
  }
  const headers = readHeaders(source.headers);
  const { rawBody, body } = source;
  const given = [rawBody, body].find(isRaw);
  if (given !== undefined) {
    const bytes = bytesOf(given, 'body');
    if (bytes.length > limit) throw tooLarge(limit);
    return { headers, body: bytes };
  }
  const stream = openStream(source, signal);
  if (Number(headers['content-length']) > limit) throw tooLarge(limit);
  return { headers, body: await readStream(stream, limit) };
}

function isRaw(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}

function openStream(source: Source, signal: AbortSignal | undefined): AsyncIterable<unknown> {
  const { body, bodyUsed, readableDidRead, destroyed } = source;
  if (bodyUsed === false && body === null) return nothing();
  if (bodyUsed === false && body instanceof ReadableStream) return cancellable(body, signal);
  if (bodyUsed === false && isIterable(body)) return body;
  // Destroying the request would take away its socket, which loggers ask for the address.
  if (readableDidRead === false && !destroyed && isReadable(source)) return source.iterator({ destroyOnReturn: false });
  const found = bodyUsed === true || readableDidRead ? 'a request whose body has already been read' : describe(body);
  throw new InvalidArgumentError(
    `The raw body is required, because the signature covers its exact bytes; found ${found}.${RECIPES}`,
  );
}

async function* nothing() {}

/** Only the reader can cancel a pending read, not a stream's iterator. */
async function* cancellable(stream: ReadableStream<unknown>, signal: AbortSignal | undefined) {
  const reader = stream.getReader();
  const cancel = () => reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', cancel);
    await cancel();
  }
}

function isReadable(source: object): source is { iterator(options: object): AsyncIterable<unknown> } {
  return 'iterator' in source && typeof source.iterator === 'function';
}

function isIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function describe(body: unknown): string {
  return body === undefined || body === null ? 'no body' : `a body of type ${typeof body}, which has been parsed`;
}

async function readStream(stream: AsyncIterable<unknown>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      const bytes = bytesOf(chunk as Uint8Array, 'body');
      size += bytes.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(bytes);
    }
  } catch (cause) {
    if (cause instanceof BodyError) throw cause;
    throw new TransportError('The request body ended prematurely.', { cause });
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): BodyError {
  return new BodyError('ERR_BODY_TOO_LARGE', `The body exceeds the ${limit} bytes of "maxBodySize".`);
}
