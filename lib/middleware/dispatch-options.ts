import type { Dispatcher } from 'undici';

/** An interceptor, as `dispatcher.compose()` takes it. */
export type Interceptor = Dispatcher.DispatcherComposeInterceptor;

/** What the interceptors of this room read from the options of a request, besides undici's own. */
export interface SignedDispatchOptions extends Dispatcher.DispatchOptions {
  signal?: AbortSignal | null;
  /** An origin to sign for, besides WeChat Pay's hosts and the configured base URL. */
  trustedOrigin?: string;
  /** `false` streams the answer through without verifying it, as WeChat Pay's downloads need. */
  verify?: boolean;
}

/** For handlers that are told of an error before a connection was there to control. */
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
