import type { Dispatcher } from 'undici';
import { ApiError, InvalidArgumentError, WechatPayError } from '../errors';
import type { HeaderRecord } from '../format/headers';
import type { Call } from '../openapi/call';
import type { Protocol } from '../openapi/protocol';
import {
  awaitsCertificate,
  type Decoder,
  decoderOf,
  encryptCall,
  needsDecryption,
  takeMarkedFields,
} from '../sensitive/fields';
import type { Credentials } from '../signature/credentials';
import { VERSION } from '../version';
import { captureCaller, withCaller } from './caller';
import type { LoadedConfig } from './config';
import { report } from './diagnostics';
import { createDispatchers, type Route } from './dispatchers';
import { download } from './download';
import { afterSending, explainFailure } from './failure';
import { buildRequest, type OutgoingRequest, type RequestDefaults, readCall } from './request';
import type { ApiResponse } from './response';
import { ResponsePromise } from './response-promise';
import { send, within } from './send';

/** Headers that WeChat Pay expects on every request, unless the caller overrides them. */
const DEFAULT_HEADERS: Record<Protocol, HeaderRecord> = {
  v2: { accept: 'text/xml, text/plain, application/x-gzip', 'content-type': 'text/xml; charset=utf-8' },
  v3: { accept: 'application/json, text/plain, application/x-gzip', 'content-type': 'application/json; charset=utf-8' },
};
const USER_AGENT = `wechatpay-undici/${VERSION} node/${process.versions.node} (${process.platform}; ${process.arch})`;

/** Sends a request, given the verb, the path as a URI template, and the call options. */
export type Request = (verb: string, path: string, options: unknown) => ResponsePromise;

/**
 * Creates a client for one merchant.
 * @throws {@link ConfigurationError} if a key or a certificate cannot be used
 */
export function createClient(config: LoadedConfig, credentials: Credentials): Request {
  const headersOf = (protocol: Protocol) => ({
    ...DEFAULT_HEADERS[protocol],
    'user-agent': USER_AGENT,
    ...config.headers,
  });
  const defaults: RequestDefaults = {
    ...config,
    retries: config.retry !== undefined,
    headers: { v2: headersOf('v2'), v3: headersOf('v3') },
  };
  const { origins } = config;
  const stackOf = createDispatchers(config);
  // A certificate download has no outcome to query, and its error says what to configure.
  const explain = config.v3?.verify ? (error: unknown) => error : afterSending;

  const build = (call: Call): OutgoingRequest => {
    const request = buildRequest(call, defaults);
    refuseForeignHost(request, origins);
    return request;
  };
  const start = (call: Call, request: OutgoingRequest): Promise<ApiResponse> => {
    const dispatcher = stackOf(request.protocol, routeOf(request));
    const decode = needsDecryption(call) ? decoderOf(call, credentials) : undefined;
    return carryOut(dispatcher, request, decode, explain);
  };

  /**
   * Sends a call after its marked fields have been encrypted. If that requires a certificate download, the rest of the
   * request is built and checked first, without these fields.
   */
  const startMarked = (call: Call): Promise<ApiResponse> => {
    const began = performance.now();
    const marked = takeMarkedFields(call);
    const bare = marked.current();
    if (marked.fields.length === 0) return start(bare, build(bare));
    const encrypt = () => encryptCall(marked, credentials);
    const encrypted = awaitsCertificate(marked, credentials) ? within(build(bare), encrypt) : encrypt();
    return encrypted.then((ready) => {
      const request = build(ready);
      return start(ready, { ...request, deadline: began + request.timeout });
    });
  };

  const begin = (...[verb, path, options]: Parameters<Request>): Promise<ApiResponse> => {
    const call = readCall(verb, path, options, config.baseUrl);
    const isMarked = call.trait.encrypt !== undefined && !call.options.encrypted;
    return isMarked ? startMarked(call) : start(call, build(call));
  };
  const request: Request = (...args) => {
    // Calls that wait for certificates are separate calls, and the error should name the right one.
    const caller = config.v3?.verify ? undefined : captureCaller(request);
    return new ResponsePromise((resolve, reject) => {
      const fail = (error: unknown) => reject(caller ? withCaller(error, caller) : error);
      try {
        begin(...args).then(resolve, fail);
      } catch (error) {
        fail(error);
      }
    });
  };
  return request;
}

/**
 * Sends a request and reports it to diagnostics.
 * @param explain converts the error if there had been a connection
 */
function carryOut(
  dispatcher: Dispatcher,
  request: OutgoingRequest,
  decode: Decoder | undefined,
  explain: typeof afterSending,
): Promise<ApiResponse> {
  const finish = report(request);
  const sent = request.download ? download(dispatcher, request) : send(dispatcher, request, decode);
  return sent.then(
    (response) => {
      finish?.({ status: response.status, requestId: response.requestId });
      return response;
    },
    (error) => {
      const { attempts, started, verified } = request.exchange;
      const reason = explainFailure(error, request);
      const failure = started ? explain(reason, request) : reason;
      if (failure instanceof ApiError && failure.status >= 300) Object.assign(failure, { verified });
      if (attempts > 1 && failure instanceof WechatPayError) Object.assign(failure, { attempts });
      finish?.({ error: failure });
      throw failure;
    },
  );
}

/** Without TLS, as with a sandbox, no certificate can be presented. */
function routeOf({ redirectFragment, security, origin }: OutgoingRequest): Route {
  if (redirectFragment !== undefined) return 'redirect-url';
  return security && origin.startsWith('https:') ? 'secure' : 'plain';
}

/** Wherever the host comes from: the path, the `baseUrl` of the call, or a variable. */
function refuseForeignHost({ origin }: OutgoingRequest, origins: ReadonlySet<string>): void {
  if (origins.has(origin)) return;
  const secure = origin.replace(/^http:/, 'https:');
  const issue = origins.has(secure)
    ? `must be called over https; use ${secure}/`
    : 'is neither a WeChat Pay host nor configured as "baseUrl" or in "baseUrls"';
  throw new InvalidArgumentError(`${origin} ${issue}; the request was neither signed nor sent.`);
}
