import { Agent, type Dispatcher } from 'undici';
import type { SignedDispatchOptions } from './dispatch-options';

/**
 * A dispatcher that sends nothing: it answers with the address that the request would have gone to, for pages that are
 * to be opened in the user's browser. Composed with a signer, the address is signed.
 */
export function pageDispatcher(): Dispatcher {
  return new Agent().compose(() => (options: SignedDispatchOptions, handler) => {
    const url = `${String(options.origin)}${options.path}${options.fragment ?? ''}`;
    const controller: Dispatcher.DispatchController = {
      paused: false,
      aborted: false,
      reason: null,
      abort() {},
      pause() {},
      resume() {},
    };
    handler.onRequestStart?.(controller, {});
    handler.onResponseStart?.(controller, 200, { 'content-type': 'text/plain', location: url }, 'OK');
    handler.onResponseData?.(controller, Buffer.from(url));
    handler.onResponseEnd?.(controller, {});
    return true;
  });
}
