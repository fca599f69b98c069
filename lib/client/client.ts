import { InvalidArgumentError } from '../errors';
import { trustedOrigins } from '../middleware/origins';
import { VERSION } from '../version';
import { type ClientConfig, loadConfig } from './config';
import { deadline } from './deadline';
import { report } from './diagnostics';
import { explainFailure } from './failure';
import type { WireHeaders } from './headers';
import { buildRequest, type RequestDefaults, type WireRequest } from './request';
import { ResponsePromise } from './response-promise';
import { send } from './send';
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
      const finish = report(request);
      const limit = deadline(request.timeout, request.signal, what);
      const fail = (error: unknown) => {
        limit.clear();
        const failure = explainFailure(error, what, request.signal);
        finish({ error: failure });
        reject(failure);
      };
      // undici acts on an abort only once there is a socket; the caller need not wait for that.
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason), { once: true });
      send(dispatcher, request, limit, what).then((response) => {
        if (!request.download) limit.clear();
        finish({ status: response.status, requestId: response.requestId });
        resolve(response);
      }, fail);
    });
}

function refuseForeignHost({ origin, trustedOrigin }: WireRequest, origins: ReadonlySet<string>): void {
  if (origins.has(origin) || origin === trustedOrigin) return;
  throw new InvalidArgumentError(
    `${origin} is neither a host of WeChat Pay nor the configured "baseUrl": nothing is signed for it, nothing was sent.`,
  );
}
