import type { Dispatcher } from 'undici';
import { ApiError } from '../errors';
import { type ReceivedHeaders, toHeaders } from '../format/headers';
import { abortError } from './aborting';
import { IDLE, type SignedDispatchOptions } from './dispatch-options';

type Controller = Dispatcher.DispatchController;
type Upgrade = Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>;

/** Passes all events on. undici's own `DecoratorHandler` is deprecated, and fails on an interim response. */
export class PassingHandler implements Dispatcher.DispatchHandler {
  protected readonly handler: Dispatcher.DispatchHandler;

  constructor(handler: Dispatcher.DispatchHandler) {
    this.handler = handler;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...upgrade: Upgrade): void {
    this.handler.onRequestUpgrade?.(...upgrade);
  }

  onResponseStart(controller: Controller, status: number, headers: ReceivedHeaders, message?: string): void {
    this.handler.onResponseStart?.(controller, status, headers, message);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Controller, trailers: ReceivedHeaders): void {
    this.handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.handler.onResponseError?.(controller, error);
  }
}

/** Passes events on, and acts as the controller of the next handler, because it outlives the connection's controller. */
export class ControllingHandler extends PassingHandler implements Controller {
  /** The controller of the connection, if there is one. */
  protected wire: Controller = IDLE;
  /** Why the next handler has aborted. */
  protected abortReason: Error | null = null;

  override onRequestStart(wire: Controller, context: unknown): void {
    this.wire = wire;
    this.handler.onRequestStart?.(this, context);
  }

  override onRequestUpgrade(...[, ...rest]: Upgrade): void {
    this.handler.onRequestUpgrade?.(this, ...rest);
  }

  override onResponseStart(_wire: Controller, status: number, headers: ReceivedHeaders, message?: string): void {
    this.handler.onResponseStart?.(this, status, headers, message);
  }

  override onResponseData(_wire: Controller, chunk: Buffer): void {
    this.handler.onResponseData?.(this, chunk);
  }

  override onResponseEnd(_wire: Controller, trailers: ReceivedHeaders): void {
    this.handler.onResponseEnd?.(this, trailers);
  }

  override onResponseError(_wire: Controller, error: Error): void {
    this.handler.onResponseError?.(this, error);
  }

  get paused(): boolean {
    return this.wire.paused;
  }

  get aborted(): boolean {
    return this.abortReason !== null || this.wire.aborted;
  }

  get reason(): Error | null {
    return this.abortReason ?? this.wire.reason;
  }

  get rawHeaders() {
    return this.wire.rawHeaders ?? null;
  }

  get rawTrailers() {
    return this.wire.rawTrailers ?? null;
  }

  abort(reason?: Error): void {
    this.abortReason ??= abortError(reason);
    this.wire.abort(this.abortReason);
  }

  pause(): void {
    this.wire.pause();
  }

  resume(): void {
    this.wire.resume();
  }
}

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
