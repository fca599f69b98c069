import type { Dispatcher } from 'undici';
import { ApiError } from '../errors';
import type { ReceivedHeaders } from '../signature/platform-signature';
import type { SignedDispatchOptions } from './dispatch-options';

/** Statuses that send the client elsewhere (RFC 9110, section 15.4). */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * A handler that ends a redirect as an error. WeChat Pay redirects nothing, and does not sign such a response: whoever
 * follows it, as `fetch` does, would sign a request that somebody else has chosen.
 */
export function refusingRedirects(
  handler: Dispatcher.DispatchHandler,
  { method, path }: SignedDispatchOptions,
): Dispatcher.DispatchHandler {
  let ended = false;
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart(controller, status, headers, message) {
      if (!REDIRECTS.has(status)) return void handler.onResponseStart?.(controller, status, headers, message);
      const error = redirected(`${method} ${path.split('?', 1)[0]}`, status, headers);
      ended = true;
      controller.abort(error);
      handler.onResponseError?.(controller, error);
    },
    onResponseData: (controller, chunk) => void (ended || handler.onResponseData?.(controller, chunk)),
    onResponseEnd: (controller, trailers) => void (ended || handler.onResponseEnd?.(controller, trailers)),
    onResponseError: (controller, error) => void (ended || handler.onResponseError?.(controller, error)),
  };
}

function redirected(request: string, status: number, received: ReceivedHeaders): ApiError {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  return new ApiError({
    request,
    status,
    code: `HTTP_${status}`,
    message: `${request} was redirected (status ${status}). Redirects are not followed; WeChat Pay sends none.`,
    requestId: headers.get('request-id') ?? undefined,
    headers,
    body: '',
  });
}
