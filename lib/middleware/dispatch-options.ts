import type { Dispatcher } from 'undici';

/** An interceptor, as `dispatcher.compose()` takes it. */
export type Interceptor = Dispatcher.DispatcherComposeInterceptor;

/** What happened to a request, across all its attempts. */
export interface Exchange {
  /** How many times it was sent. */
  attempts: number;
  /** One of them was signed and passed on: before that, nothing can have left. */
  dispatched: boolean;
  /** The time of the call is over: what has not been passed on by then is not to be. */
  ended: boolean;
  /** An attempt has started on a connection: bytes may have been sent. */
  started: boolean;
  /** The last response with status 300 or above is signed by WeChat Pay. */
  verified: boolean;
  /** v2: the fields of the last response, as they were read to be verified. */
  fields?: Readonly<Record<string, unknown>> | undefined;
}

/** Request options that these interceptors read, in addition to undici's. */
export interface SignedDispatchOptions extends Dispatcher.DispatchOptions {
  signal?: AbortSignal | null;
  /** An origin to sign for, in addition to WeChat Pay's hosts and the configured base URL. */
  trustedOrigin?: string | undefined;
  /** Timeout for establishing a connection, in milliseconds. */
  connectTimeout?: number | undefined;
  /** Whether to retry the request; by default only if it is idempotent. */
  retry?: boolean | undefined;
  /** When the call ends, by `performance.now()`; delays beyond it are not waited for. */
  deadline?: number | undefined;
  /** What happened to the request; filled in by the interceptors. */
  exchange?: Exchange | undefined;
  /** The variables of the path, by name. */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** The response is a file: it streams through, unverified. */
  download?: boolean;
  /** A fragment, including `#`, for a page opened in the user's browser; it is never sent. */
  redirectFragment?: string | undefined;
  /** v2: the fields of the XML body, in the place of a body: the signer signs and writes them. */
  fields?: Readonly<Record<string, unknown>> | undefined;
  /** v2: the response carries no `sign`. */
  unsigned?: boolean;
  /** v2: the request carries no `nonce_str`. */
  nonceless?: boolean;
}

/** For handlers that are called while there is no connection to control. */
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
 * Passes an error to a handler where nobody would catch what the handler throws. That would end the process, so it
 * becomes a warning.
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
