import { stringify } from 'node:querystring';
import { InvalidArgumentError } from '../errors';
import { isMedia, type Media } from '../media/media';
import { IDLE, type Interceptor, type SignedDispatchOptions } from './dispatch-options';
import { originOf } from './origins';

/** A request in the one form that can be both signed and sent. */
export interface SignableRequest {
  method: string;
  /** Path and query, as in the request line. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string | string[]>;
  body: string | Uint8Array | Media | null;
}

/** Signs a request: gives what of it is new. */
export type Sign = (request: SignableRequest, options: SignedDispatchOptions) => Promise<Partial<SignableRequest>>;

/** An interceptor that signs requests to trusted origins; requests to others pass as they are. */
export function signing(origins: ReadonlySet<string>, sign: Sign): Interceptor {
  return (dispatch) => (options: SignedDispatchOptions, handler) => {
    const origin = originOf(options);
    if (!origins.has(origin) && options.trustedOrigin !== origin) return dispatch(options, handler);
    const send = async () => {
      const { query: _, ...rest } = options;
      const request = await signable(options);
      const signed = { ...request, ...(await sign(request, options)) };
      // undici has noted the abort but acts on it only once there is a socket.
      options.signal?.throwIfAborted();
      dispatch(
        { ...rest, ...(isMedia(signed.body) ? streaming(signed, signed.body) : signed) } as typeof options,
        handler,
      );
    };
    // Without this the request would hang for ever, and the process die of an unhandled rejection.
    send().catch((error: Error) => handler.onResponseError?.(IDLE, error));
    return true;
  };
}

/** An upload as undici takes it: streamed, but not in chunks of HTTP. */
function streaming(request: SignableRequest, media: Media) {
  const headers = { ...request.headers, ...media.headers, 'content-length': String(media.contentLength) };
  return { ...request, headers, body: media.stream() };
}

async function signable(options: SignedDispatchOptions): Promise<SignableRequest> {
  const { method, path, query } = options;
  return {
    method,
    path: query ? `${path}?${stringify(query)}` : path,
    headers: Object.fromEntries(pairs(options.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: await readBody(options.body),
  };
}

/** `fetch` gives even text as an async iterable. */
async function readBody(body: unknown): Promise<SignableRequest['body']> {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string' || isMedia(body)) return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    const chunks: Buffer[] = [];
    // Chunks may be text as well, but Buffer.from has no overload for either.
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  throw new InvalidArgumentError('Only text, bytes, a Blob, a stream or a Media can be signed as a body.');
}

/** The headers of a request of undici: an object, pairs, or a flat list as after a redirect. */
function pairs(input: SignedDispatchOptions['headers']): [string, string | string[]][] {
  if (!input) return [];
  if (Array.isArray(input) && !Array.isArray(input[0])) {
    return input.flatMap((name, index) => (index % 2 === 0 ? [[String(name), String(input[index + 1])]] : []));
  }
  const entries = Symbol.iterator in input ? [...input] : Object.entries(input);
  return entries.flatMap(([name, value]) => (value === undefined ? [] : [[String(name), value as string | string[]]]));
}
