import { stringify } from 'node:querystring';
import { InvalidArgumentError } from '../errors';
import { type ReceivedHeaders, readHeaders } from '../format/headers';
import { isMedia, type Media } from '../upload/media';
import { abortError } from './aborting';
import { type Interceptor, type SignedDispatchOptions, tellFailure } from './dispatch-options';
import { isTrusted } from './hosts';
import { refusingRedirects } from './refuse-redirects';

/** A request in the one form that can be both signed and sent. */
export interface SignableRequest {
  method: string;
  /** Path and query, as in the request line. */
  path: string;
  /** Names in lower case. */
  headers: ReceivedHeaders;
  body: string | Uint8Array | Media | null;
}

/** Gives what of a request changes as it is signed. Its headers are a copy, to be changed as well. */
export type Sign = (request: SignableRequest, options: SignedDispatchOptions) => Promise<Partial<SignableRequest>>;

/** An interceptor that signs requests to trusted origins; requests to others pass as they are. */
export function signing(origins: ReadonlySet<string>, sign: Sign): Interceptor {
  return (dispatch) => (options: SignedDispatchOptions, handler) => {
    const { exchange } = options;
    const pass: typeof dispatch = (...args) => {
      if (exchange) exchange.dispatched = true;
      return dispatch(...args);
    };
    if (!isTrusted(options, origins)) return pass(options, handler);
    const send = async () => {
      const { method, path, query } = options;
      const request: SignableRequest = {
        method,
        path: query ? `${path}?${stringify(query)}` : path,
        headers: readHeaders(options.headers ?? {}),
        body: isHeld(options.body) ? options.body : await readBody(options.body),
      };
      Object.assign(request, await sign(request, options));
      // undici has noted the abort but acts on it only once there is a socket.
      if (options.signal?.aborted) throw abortError(options.signal.reason);
      if (exchange?.ended) return;
      const { headers, body } = isMedia(request.body) ? streaming(request.headers, request.body) : request;
      const sent: Record<string, unknown> = { ...options, path: request.path, headers, body };
      // It is part of the path by now.
      if (query) sent.query = undefined;
      pass(sent as unknown as typeof options, refusingRedirects(handler, options));
    };
    // Without this the request would hang for ever, and the process die of an unhandled rejection.
    send().catch((error: Error) => tellFailure(handler, error));
    return true;
  };
}

/** An upload as undici takes it: streamed, but not in chunks of HTTP. */
function streaming(headers: SignableRequest['headers'], media: Media) {
  return {
    headers: { ...headers, ...media.headers, 'content-length': String(media.contentLength) },
    body: media.stream(),
  };
}

function isHeld(body: unknown): body is string | Media {
  return typeof body === 'string' || isMedia(body);
}

/** `fetch` gives even text as an async iterable. */
async function readBody(body: unknown): Promise<Uint8Array | null> {
  if (body === undefined || body === null) return null;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    const chunks: Buffer[] = [];
    // Chunks may be text as well, but Buffer.from has no overload for either.
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  throw new InvalidArgumentError('Only a string, bytes, a Blob, a stream or a Media can be signed as a body.');
}
