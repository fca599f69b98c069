import { Agent, type Dispatcher } from 'undici';
import { IDLE, type SignedDispatchOptions } from './dispatch-options';

/**
 * A dispatcher that sends nothing: it answers with the address that the request would have gone to, for pages that are
 * to be opened in the user's browser. Composed with a signer, the address is signed.
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
