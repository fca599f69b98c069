import type { Dispatcher } from 'undici';
import { InvalidArgumentError } from '../errors';
import type { SignedDispatchOptions } from '../middleware/dispatch-options';
import { trustedOrigins } from '../middleware/origins';
import { VERSION } from '../version';
import { type ClientConfig, loadConfig } from './config';
import { deadline } from './deadline';
import { apiError, explainFailure } from './failure';
import type { WireHeaders } from './headers';
import { buildRequest, type RequestDefaults, type WireRequest } from './request';
import { ApiResponse } from './response';
import { ResponsePromise } from './response-promise';
import { createStacks } from './stacks';
import type { Protocol } from './target';

/** What WeChat Pay wants of every request, unless the caller says otherwise. */
const DEFAULT_HEADERS: Record<Protocol, WireHeaders> = {
  v2: { accept: 'text/xml, text/plain, application/x-gzip', 'content-type': 'text/xml; charset=utf-8' },
  v3: { accept: 'application/json, text/plain, application/x-gzip', 'content-type': 'application/json; charset=utf-8' },
};
const USER_AGENT = `wechatpay-undici/${VERSION} node/${process.versions.node} (${process.platform}; ${process.arch})`;

/** Sends a request: the verb, the path as a URI template, the options of the call. */
export type Request = (verb: string, path: string, options: unknown) => ResponsePromise;

/**
 * A client for one merchant.
 * @throws {@link ConfigurationError} where the configuration cannot be used
 */
export function createClient(config: ClientConfig): Request {
  const loaded = loadConfig(config);
  const headersOf = (protocol: Protocol) => ({
    ...DEFAULT_HEADERS[protocol],
    'user-agent': USER_AGENT,
    ...loaded.headers,
  });
  const defaults: RequestDefaults = { ...loaded, headers: { v2: headersOf('v2'), v3: headersOf('v3') } };
  const origins = trustedOrigins(loaded.baseUrl);
  const stackOf = createStacks(loaded);

  return (verb, path, options) =>
    new ResponsePromise((resolve, reject) => {
      const request = buildRequest(verb, path, options, defaults);
      refuseForeignHost(request, origins);
      const dispatcher = stackOf(request.protocol, request.security);
      const what = `${request.method} ${request.path.split('?')[0]}`;
      const { signal, clear } = deadline(request.timeout, request.signal, what);
      // undici acts on an abort only once there is a socket; the caller need not wait for that.
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      send(dispatcher, request, signal, what)
        .then(resolve, (error) => reject(explainFailure(error, what, request.signal)))
        .finally(clear);
    });
}

async function send(dispatcher: Dispatcher, request: WireRequest, signal: AbortSignal, what: string) {
  signal.throwIfAborted();
  const { protocol, security, timeout, ...rest } = request;
  const options: SignedDispatchOptions = { ...rest, body: rest.body ?? null, signal };
  const answer = await dispatcher.request(options as Dispatcher.RequestOptions);
  const init = { status: answer.statusCode, headers: readHeaders(answer.headers) };
  const bytes = await answer.body.bytes();
  if (init.status >= 300) throw apiError(what, init.status, init.headers, Buffer.from(bytes).toString('utf8'));
  return new ApiResponse(bytes.length === 0 ? null : bytes, init);
}

function readHeaders(received: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const item of Array.isArray(value) ? value : [value ?? '']) headers.append(name, item);
  }
  return headers;
}

function refuseForeignHost({ origin, trustedOrigin }: WireRequest, origins: ReadonlySet<string>): void {
  if (origins.has(origin) || origin === trustedOrigin) return;
  throw new InvalidArgumentError(
    `${origin} is neither a host of WeChat Pay nor the configured "baseUrl": nothing is signed for it, nothing was sent.`,
  );
}
