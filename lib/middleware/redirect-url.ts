import { Agent, type Dispatcher } from 'undici';
import { IDLE, type SignedDispatchOptions } from './dispatch-options';

/**
 * A dispatcher that sends nothing. Its response is the URL that would have been requested, for pages to open in the
 * user's browser. Composed with a signer, the URL is signed.
 */
export function redirectUrlDispatcher(): Dispatcher {
  return new Agent().compose(() => (options: SignedDispatchOptions, handler) => {
    const url = `${String(options.origin)}${options.path}${options.redirectFragment ?? ''}`;
    handler.onRequestStart?.(IDLE, {});
    handler.onResponseStart?.(IDLE, 200, { 'content-type': 'text/plain', location: url }, 'OK');
    handler.onResponseData?.(IDLE, Buffer.from(url));
    handler.onResponseEnd?.(IDLE, {});
    return true;
  });
}
