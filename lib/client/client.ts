import type { Dispatcher } from 'undici';
import { ApiError, InvalidArgumentError, WechatPayError } from '../errors';
import type { HeaderRecord } from '../format/headers';
import type { Call } from '../openapi/call';
import type { Protocol } from '../openapi/trait-of';
import { awaitsCertificate, type Decoder, decoderOf, encryptCall, takeMarkedFields } from '../sensitive/fields';
import type { Credentials } from '../signature/credentials';
import { VERSION } from '../version';
import type { LoadedConfig } from './config';
import { report } from './diagnostics';
import { createDispatchers, type Route } from './dispatchers';
import { download } from './download';
import { afterSending, explainFailure } from './failure';
import { readCall, refuseOtherOwner } from './options';
import { tellQuery } from './outcome';
import { buildRequest, type OutgoingRequest, type RequestDefaults } from './request';
import { type ApiResponse, ResponsePromise } from './response';
import { send, within } from './send';

/** Headers that WeChat Pay expects on every request, unless the caller overrides them. */
const DEFAULT_HEADERS: Record<Protocol, HeaderRecord> = {
  v2: { accept: 'text/xml, text/plain, application/x-gzip', 'content-type': 'text/xml; charset=utf-8' },
  v3: { accept: 'application/json, text/plain, application/x-gzip', 'content-type': 'application/json; charset=utf-8' },
};
const USER_AGENT = `wechatpay-undici/${VERSION} node/${process.versions.node} (${process.platform}; ${process.arch})`;

/** Sends a request, given the verb, the path as a URI template, and the call options. */
export type Request = (verb: string, path: string, options: unknown) => ResponsePromise;

/** A request, and what it goes through. */
interface Built {
  request: OutgoingRequest;
  dispatcher: Dispatcher;
}

/**
 * A client for one merchant or one brand.
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
  const { origins, signatory, baseUrl } = config;
  const owner = signatory.brandId === undefined ? 'merchant' : 'brand';
  const stackOf = createDispatchers(config);
  // A certificate download has no outcome to query, and its error says what to configure.
  const explain = config.v3?.verify ? (error: unknown) => error : afterSending;

  const build = (call: Call): Built => {
    const request = buildRequest(call, defaults);
    refuseForeignHost(request, origins);
    return { request, dispatcher: stackOf(request.protocol, routeOf(request)) };
  };
  const start = (call: Call, { request: outgoing, dispatcher }: Built): Promise<ApiResponse> => {
    const decode = isEncrypted(call) ? decoderOf(call, credentials) : undefined;
    const { baseUrl } = call.options;
    return carryOut(dispatcher, outgoing, decode, (reason) => {
      const failure = outgoing.exchange.started ? explain(reason, outgoing) : reason;
      // Where the call had a root of its own, that is where its outcome is known.
      tellQuery(failure, call.path, outgoing, signatory.mchid, ({ verb, path, options }) =>
        request(verb, path, baseUrl === undefined ? options : { ...options, baseUrl }),
      );
      return failure;
    });
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
    const encrypted = awaitsCertificate(marked, credentials) ? within(build(bare).request, encrypt) : encrypt();
    return encrypted.then((ready) => {
      const { request, dispatcher } = build(ready);
      return start(ready, { request: { ...request, deadline: began + request.timeout }, dispatcher });
    });
  };

  const begin = (...[verb, path, options]: Parameters<Request>): Promise<ApiResponse> => {
    const call = readCall(verb, path, options, baseUrl);
    refuseOtherOwner(call, owner, baseUrl);
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
 * Sends a request, and reports it.
 * @param explain gives the error of the call
 */
function carryOut(
  dispatcher: Dispatcher,
  request: OutgoingRequest,
  decode: Decoder | undefined,
  explain: (reason: unknown) => unknown,
): Promise<ApiResponse> {
  const finish = report(request);
  const sent = request.download ? download(dispatcher, request) : send(dispatcher, request, decode);
  return sent.then(
    (response) => {
      finish?.({ status: response.status, requestId: response.requestId });
      return response;
    },
    (error) => {
      const { attempts, verified } = request.exchange;
      const reason = explainFailure(error, request);
      if (reason instanceof ApiError && reason.status >= 300) Object.assign(reason, { verified });
      const failure = explain(reason);
      if (attempts > 1 && failure instanceof WechatPayError) Object.assign(failure, { attempts });
      finish?.({ error: failure });
      throw failure;
    },
  );
}

/** Whether the response to a call may have sensitive fields to decrypt. */
function isEncrypted({ options, trait }: Call): boolean {
  return trait.decrypt !== undefined && !options.encrypted;
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

/** How many frames of a caller to keep: each costs time on every call, for the few that fail. */
const FRAMES = 6;

/** Where a call was made. V8 formats it only when an error needs it. */
export interface Caller {
  readonly stack?: unknown;
}

/**
 * Records where a call is made, because a later error has no frame of it.
 * @param below the function whose callers to record
 */
export function captureCaller(below: (...args: never[]) => unknown): Caller {
  const caller: Caller = {};
  const limit = Error.stackTraceLimit;
  // `Reflect.set`, because `Error` may be frozen.
  if (limit > FRAMES) Reflect.set(Error, 'stackTraceLimit', FRAMES);
  Error.captureStackTrace(caller, below);
  if (limit > FRAMES) Reflect.set(Error, 'stackTraceLimit', limit);
  return caller;
}

/** Errors that already have frames of a caller. Several calls may share one, such as that of a certificate download. */
const told = new WeakSet<WechatPayError>();

/** Appends the frames of a caller to the stack of one of our errors, unless it has them already. */
export function withCaller(error: unknown, caller: Caller): unknown {
  if (!(error instanceof WechatPayError) || told.has(error)) return error;
  told.add(error);
  const stack = String(error.stack);
  const missing = framesOf(caller).filter((frame) => !stack.includes(frame));
  // An error from the caller's own functions may be frozen.
  if (missing.length > 0) Reflect.set(error, 'stack', [stack, ...missing].join('\n'));
  return error;
}

function framesOf(caller: Caller): readonly string[] {
  try {
    return String(caller.stack).match(/^ {4}at .*$/gm) ?? [];
  } catch {
    // A program may have its own `Error.prepareStackTrace`.
    return [];
  }
}
