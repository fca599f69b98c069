import type { Dispatcher } from 'undici';
import { ApiError, InvalidArgumentError, WechatPayError } from '../errors';
import type { WireHeaders } from '../format/headers';
import { trustedOrigins } from '../middleware/hosts';
import { needsDecryption } from '../sensitive/fields';
import type { Credentials } from '../signature/credentials';
import { VERSION } from '../version';
import type { LoadedConfig } from './config';
import { report } from './diagnostics';
import { createStacks, type Way } from './dispatchers';
import { afterSending, explainFailure } from './failure';
import { buildRequest, type Call, type RequestDefaults, readCall, type WireRequest } from './request';
import type { ApiResponse, Decoder } from './response';
import { ResponsePromise } from './response-promise';
import { send, within } from './send';
import type { Protocol } from './target';

/** What WeChat Pay wants of every request, unless the caller says otherwise. */
const DEFAULT_HEADERS: Record<Protocol, WireHeaders> = {
  v2: { accept: 'text/xml, text/plain, application/x-gzip', 'content-type': 'text/xml; charset=utf-8' },
  v3: { accept: 'application/json, text/plain, application/x-gzip', 'content-type': 'application/json; charset=utf-8' },
};
const USER_AGENT = `wechatpay-undici/${VERSION} node/${process.versions.node} (${process.platform}; ${process.arch})`;

/** What most calls do not need is loaded when it is, so that `require` is fast. */
const encryption = () => require('../sensitive/fields') as typeof import('../sensitive/fields');
const files = () => require('./download') as typeof import('./download');

/** Sends a request: the verb, the path as a URI template, the options of the call. */
export type Request = (verb: string, path: string, options: unknown) => ResponsePromise;

/**
 * A client for one merchant.
 * @throws {@link ConfigurationError} where a key or a certificate cannot be used
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
  const origins = trustedOrigins(config);
  const stackOf = createStacks(config);
  // A download of certificates has no outcome, and its error says what to configure.
  const explain = config.v3?.verify ? (error: unknown) => error : afterSending;

  const build = (call: Call): WireRequest => {
    const request = buildRequest(call, defaults);
    refuseForeignHost(request, origins);
    return request;
  };
  const start = (call: Call, request: WireRequest): Promise<ApiResponse> => {
    const dispatcher = stackOf(request.protocol, wayOf(request));
    const decode = needsDecryption(call) ? encryption().decoderOf(call, credentials) : undefined;
    return carryOut(dispatcher, request, decode, explain);
  };

  /**
   * Sends a call once its marked fields are encrypted, for which a certificate may have to be downloaded first. All else
   * of the request is tried before that, on a call that no longer has these fields.
   */
  const startMarked = (call: Call): Promise<ApiResponse> => {
    const { takeMarkedFields, encryptCall } = encryption();
    const marked = takeMarkedFields(call);
    const bare = marked.current();
    const tried = build(bare);
    if (marked.fields.length === 0) return start(bare, tried);
    return within(tried, describe(tried), () => encryptCall(marked, credentials)).then((encrypted) =>
      start(encrypted, { ...build(encrypted), deadline: tried.deadline }),
    );
  };

  return (verb, path, options) =>
    new ResponsePromise((resolve) => {
      const call = readCall(verb, path, options, config.baseUrl);
      const isMarked = call.trait.encrypt !== undefined && !call.options.encrypted;
      resolve(isMarked ? startMarked(call) : start(call, build(call)));
    });
}

/**
 * Sends a request, and reports it.
 * @param explain the error to give where a connection had been made
 */
function carryOut(
  dispatcher: Dispatcher,
  request: WireRequest,
  decode: Decoder | undefined,
  explain: typeof afterSending,
): Promise<ApiResponse> {
  const what = describe(request);
  const finish = report(request);
  const sent = request.download ? files().download(dispatcher, request, what) : send(dispatcher, request, what, decode);
  return sent.then(
    (response) => {
      finish?.({ status: response.status, requestId: response.requestId });
      return response;
    },
    (error) => {
      const { attempts, started, verified } = request.exchange;
      const reason = explainFailure(error, what, request);
      const failure = started ? explain(reason, what) : reason;
      if (failure instanceof ApiError && failure.status >= 300) Object.assign(failure, { verified });
      if (attempts > 1 && failure instanceof WechatPayError) Object.assign(failure, { attempts });
      finish?.({ error: failure });
      throw failure;
    },
  );
}

/** Method and path, for errors. */
function describe({ method, path }: WireRequest): string {
  return `${method} ${path.split('?', 1)[0]}`;
}

/** Without TLS, as to a sandbox, there is no certificate to present. */
function wayOf({ fragment, security, origin }: WireRequest): Way {
  if (fragment !== undefined) return 'page';
  return security && origin.startsWith('https:') ? 'secure' : 'plain';
}

/** Wherever the host comes from: the path, the call's `baseUrl`, or a variable. */
function refuseForeignHost({ origin }: WireRequest, origins: ReadonlySet<string>): void {
  if (origins.has(origin)) return;
  const secure = origin.replace(/^http:/, 'https:');
  const issue = origins.has(secure)
    ? `must be called over https; use ${secure}/`
    : 'is neither a WeChat Pay host nor configured as "baseUrl" or in "baseUrls"';
  throw new InvalidArgumentError(`${origin} ${issue}; the request was neither signed nor sent.`);
}
