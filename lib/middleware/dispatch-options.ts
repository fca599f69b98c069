import type { Dispatcher } from 'undici';

/** An interceptor, as `dispatcher.compose()` takes it. */
export type Interceptor = Dispatcher.DispatcherComposeInterceptor;

/** What has become of a request, in any of its attempts. */
export interface Exchange {
  /** How often it was sent. */
  attempts: number;
  /** One of them was signed and passed on: before that, nothing can have left. */
  dispatched: boolean;
  /** The time of the call is over: what has not been passed on by then is not to be. */
  ended: boolean;
  /** One of them has begun on a connection: bytes of it may have left. */
  started: boolean;
  /** The last response of status 300 and above is signed by WeChat Pay. */
  verified: boolean;
  /** v2: the fields of the last response, as they were read to be verified. */
  fields?: Readonly<Record<string, unknown>> | undefined;
}

/** What the interceptors of this room read from the options of a request, besides undici's own. */
export interface SignedDispatchOptions extends Dispatcher.DispatchOptions {
  signal?: AbortSignal | null;
  /** An origin to sign for, besides WeChat Pay's hosts and the configured base URL. */
  trustedOrigin?: string | undefined;
  /** The longest time to find a connection, in milliseconds. */
  connectTimeout?: number | undefined;
  /** Whether the request may be repeated; by default where that has no second effect. */
  retry?: boolean | undefined;
  /** When the call ends, by `performance.now()`: a pause that would outlast it is not waited for. */
  deadline?: number | undefined;
  /** What has become of the request; filled in by the interceptors. */
  exchange?: Exchange | undefined;
  /** The variables of the path, by name. */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** The response is a file: it streams through, unverified. */
  download?: boolean;
  /** A fragment, `#` and all, for a page that the user's browser opens; it is never sent. */
  redirectFragment?: string | undefined;
  /** v2: the fields of the XML body, in the place of a body: the signer signs and writes them. */
  fields?: Readonly<Record<string, unknown>> | undefined;
  /** v2: the response carries no `sign`. */
  unsigned?: boolean;
  /** v2: the request carries no `nonce_str`. */
  nonceless?: boolean;
}

/** For handlers that are told of something while there is no connection to control. */
export const IDLE: Dispatcher.DispatchController = {
  paused: false,
  aborted: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort() {},
  pause() {},
  resume() {},
};

/**
 * Tells a handler of an error where nobody would catch what it throws itself: that would end the process, and is a
 * warning instead.
 */
export function tellFailure(
  handler: Dispatcher.DispatchHandler,
  error: Error,
  controller: Dispatcher.DispatchController = IDLE,
): void {
  try {
    handler.onResponseError?.(controller, error);
  } catch (thrown) {
    process.emitWarning(`A request handler threw in onResponseError: ${String(thrown)}`);
  }
}
