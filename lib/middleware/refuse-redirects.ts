import type { Dispatcher } from 'undici';
import { ApiError } from '../errors';
import { type ReceivedHeaders, toHeaders } from '../format/headers';
import type { SignedDispatchOptions } from './dispatch-options';
import { PassingHandler } from './handler';

/** Redirect statuses (RFC 9110, section 15.4). */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * A handler that turns a redirect into an error. WeChat Pay sends no redirects, and would not sign them: a client that
 * follows one, as `fetch` does, would sign a request that somebody else has chosen.
 */
export function refusingRedirects(
  handler: Dispatcher.DispatchHandler,
  { method, path }: SignedDispatchOptions,
): Dispatcher.DispatchHandler {
  return new RedirectRefusal(handler, `${method} ${path.split('?', 1)[0]}`);
}

class RedirectRefusal extends PassingHandler {
  readonly #request: string;
  #ended = false;

  constructor(handler: Dispatcher.DispatchHandler, request: string) {
    super(handler);
    this.#request = request;
  }

  override onResponseStart(...[controller, status, headers, message]: Parameters<PassingHandler['onResponseStart']>) {
    if (!REDIRECTS.has(status)) {
      super.onResponseStart(controller, status, headers, message);
      return;
    }
    const error = redirected(this.#request, status, headers);
    this.#ended = true;
    controller.abort(error);
    super.onResponseError(controller, error);
  }

  override onResponseData(...data: Parameters<PassingHandler['onResponseData']>): void {
    if (!this.#ended) super.onResponseData(...data);
  }

  override onResponseEnd(...end: Parameters<PassingHandler['onResponseEnd']>): void {
    if (!this.#ended) super.onResponseEnd(...end);
  }

  override onResponseError(...error: Parameters<PassingHandler['onResponseError']>): void {
    if (!this.#ended) super.onResponseError(...error);
  }
}

function redirected(request: string, status: number, received: ReceivedHeaders): ApiError {
  const headers = toHeaders(received);
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
