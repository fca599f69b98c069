import { stringify } from 'node:querystring';
import { InvalidArgumentError } from '../errors';
import { type ReceivedHeaders, readHeaders } from '../format/headers';
import { isMedia, type Media } from '../upload/media';
import { abortError } from './aborting';
import { type Interceptor, type SignedDispatchOptions, tellFailure } from './dispatch-options';
import { isTrusted } from './hosts';
import { refusingRedirects } from './refuse-redirects';

/** A request in a form that can be both signed and sent. */
export interface SignableRequest {
  method: string;
  /** Path and query, as in the request line. */
  path: string;
  /** Names in lower case. */
  headers: ReceivedHeaders;
  body: string | Uint8Array | Media | null;
}

/** Returns the changes that sign a request. Its headers are a copy, which may be changed too. */
export type Sign = (request: SignableRequest, options: SignedDispatchOptions) => Promise<Partial<SignableRequest>>;

/** An interceptor that signs requests to trusted origins and passes others through unchanged. */
export function signing(origins: ReadonlySet<string>, sign: Sign): Interceptor {
  return (dispatch) => (options: SignedDispatchOptions, handler) => {
    if (!isTrusted(options, origins)) return dispatch(options, handler);
    const send = async () => {
      const { method, path, query } = options;
      const request: SignableRequest = {
        method,
        path: query ? `${path}?${stringify(query)}` : path,
        headers: readHeaders(options.headers ?? {}),
        body: isHeld(options.body) ? options.body : await readBody(options.body),
      };
      Object.assign(request, await sign(request, options));
      // undici records the abort, but acts on it only once there is a socket.
      if (options.signal?.aborted) throw abortError(options.signal.reason);
      const { headers, body } = isMedia(request.body) ? streaming(request.headers, request.body) : request;
      const sent: Record<string, unknown> = { ...options, path: request.path, headers, body };
      // It is already part of the path.
      if (query) sent.query = undefined;
      dispatch(sent as unknown as typeof options, refusingRedirects(handler, options));
    };
    // Without this, the request would hang forever, and an unhandled rejection would end the process.
    send().catch((error: Error) => tellFailure(handler, error));
    return true;
  };
}

/** An upload in a form that undici accepts: streamed, but not with chunked encoding. */
function streaming(headers: SignableRequest['headers'], media: Media) {
  return {
    headers: { ...headers, ...media.headers, 'content-length': String(media.contentLength) },
    body: media.stream(),
  };
}

function isHeld(body: unknown): body is string | Media {
  return typeof body === 'string' || isMedia(body);
}

/** `fetch` passes even a string as an async iterable. */
async function readBody(body: unknown): Promise<Uint8Array | null> {
  if (body === undefined || body === null) return null;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    const chunks: Buffer[] = [];
    // Chunks may also be strings, but Buffer.from has no overload for both.
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  throw new InvalidArgumentError('Only a string, bytes, a Blob, a stream or a Media can be signed as a body.');
}
