import { stringify } from 'node:querystring';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import { type ReceivedHeaders, readHeaders } from '../format/headers';
import { BASE_URL_RULE, readBaseUrl } from '../format/url';
import { isMedia, type Media } from '../upload/media';
import { abortError } from './aborting';
import { type Interceptor, type SignedDispatchOptions, tellFailure } from './dispatch-options';
import { refusingRedirects } from './handler';

/** A request in a form that can be both signed and sent. */
export interface SignableRequest {
  method: string;
  /** Path and query, as in the request line. */
  path: string;
  /** Names in lower case. */
  headers: ReceivedHeaders;
  body: string | Uint8Array | Media | null;
  /** Those of the body as it is sent, for whoever would have to read it again. */
  fields?: SignedDispatchOptions['fields'];
}

/** Returns the changes that sign a request. Its headers are a copy, which may be changed too. */
export type Sign = (request: SignableRequest, options: SignedDispatchOptions) => Promise<Partial<SignableRequest>>;

/** An interceptor that signs requests to trusted origins and passes others through unchanged. */
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
      // undici records the abort, but acts on it only once there is a socket.
      if (options.signal?.aborted) throw abortError(options.signal.reason);
      if (exchange?.ended) return;
      const { headers, body } = isMedia(request.body) ? streaming(request.headers, request.body) : request;
      const sent: Record<string, unknown> = { ...options, path: request.path, headers, body, fields: request.fields };
      // It is already part of the path.
      if (query) sent.query = undefined;
      pass(sent as unknown as typeof options, refusingRedirects(handler, options));
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

/**
 * WeChat Pay's API hosts. Requests are signed for these and for the configured base URLs only, wherever a redirect may
 * lead.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075113
 */
const WECHATPAY_HOSTS = [
  'api.mch.weixin.qq.com',
  'api2.mch.weixin.qq.com',
  'apihk.mch.weixin.qq.com',
  'apius.mch.weixin.qq.com',
  'apieu.mch.weixin.qq.com',
  'fraud.mch.weixin.qq.com',
  'payapp.weixin.qq.com',
  'api.weixin.qq.com',
  'pay.wechatpay.cn',
];

/** The configured base URLs. */
export interface BaseUrls {
  baseUrl?: string | URL | undefined;
  baseUrls?: readonly (string | URL)[] | undefined;
}

/**
 * The origins to sign for: WeChat Pay's over https, and the configured ones.
 * @throws {@link ConfigurationError} if a base URL is not valid
 */
export function trustedOrigins({ baseUrl, baseUrls }: BaseUrls = {}): ReadonlySet<string> {
  const origins = new Set(WECHATPAY_HOSTS.map((host) => `https://${host}`));
  if (baseUrl !== undefined) origins.add(configuredBase('baseUrl', baseUrl).origin);
  for (const base of configuredBases(baseUrls)) origins.add(base.origin);
  return origins;
}

/** @throws {@link ConfigurationError} if the base URL with that name is not valid */
export function configuredBase(name: string, input: unknown): URL {
  const base = readBaseUrl(input);
  if (base) return base;
  throw new ConfigurationError(`"${name}" ${BASE_URL_RULE}.`);
}

/** @throws {@link ConfigurationError} if `baseUrls` is not a list of base URLs */
export function configuredBases(baseUrls: unknown = []): URL[] {
  if (!Array.isArray(baseUrls)) throw new ConfigurationError('"baseUrls" must be a list of URLs.');
  return baseUrls.map((base, index) => configuredBase(`baseUrls[${index}]`, base));
}

/** Whether an undici request goes to one of the origins, or to the one that its options trust. */
export function isTrusted(options: SignedDispatchOptions, origins: ReadonlySet<string>): boolean {
  const { origin, trustedOrigin } = options;
  if (typeof origin === 'string' && origins.has(origin)) return true;
  const normal = originOf(origin);
  if (normal === undefined) return false;
  return origins.has(normal) || (normal === trustedOrigin && readBaseUrl(normal) !== undefined);
}

/** Scheme, host and port; undefined if the URL has none. */
export function originOf(origin: string | URL | undefined): string | undefined {
  if (origin instanceof URL) return origin.origin;
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).origin : undefined;
}
