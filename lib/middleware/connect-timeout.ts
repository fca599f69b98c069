import { type Dispatcher, errors } from 'undici';
import { Connecting } from './connections';
import { type Interceptor, type SignedDispatchOptions, tellFailure } from './dispatch-options';
import { originOf } from './origins';

/**
 * An interceptor that gives up a request which finds no connection in its `connectTimeout`, and notes in `exchange` when
 * one begins on a connection. Waiting for a free connection of a pool does not count. It belongs next to the wire.
 */
export const connectTimeout: Interceptor = (dispatch) => (options: SignedDispatchOptions, handler) => {
  const connecting = new ConnectingHandler(handler, options);
  return connecting.send(() => dispatch(options, connecting));
};

class ConnectingHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #exchange: SignedDispatchOptions['exchange'];
  readonly #timeout: number | undefined;
  readonly #connecting: Connecting;
  #timer: NodeJS.Timeout | undefined;
  #late: Error | undefined;

  constructor(handler: Dispatcher.DispatchHandler, { connectTimeout, exchange, origin }: SignedDispatchOptions) {
    this.#handler = handler;
    this.#exchange = exchange;
    this.#timeout = connectTimeout;
    this.#connecting = new Connecting(originOf(origin) ?? '');
  }

  send(dispatch: () => boolean): boolean {
    try {
      if (this.#timeout === undefined) return dispatch();
      this.#wait(this.#timeout);
      return this.#connecting.watch(dispatch);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    clearTimeout(this.#timer);
    if (this.#late) {
      controller.abort(this.#late);
      return;
    }
    this.#connecting.run();
    if (this.#exchange) this.#exchange.started = true;
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...upgrade: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#end();
    this.#handler.onRequestUpgrade?.(...upgrade);
  }

  onResponseStart(...start: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    this.#handler.onResponseStart?.(...start);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(...end: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#end();
    this.#handler.onResponseEnd?.(...end);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    if (!this.#late) this.#handler.onResponseError?.(controller, error);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#connecting.end();
  }

  #wait(timeout: number): void {
    const check = () => {
      const left = timeout - this.#connecting.elapsed();
      if (left > 0) {
        this.#timer = setTimeout(check, left);
        return;
      }
      this.#end();
      this.#late = new errors.ConnectTimeoutError(`No connection within ${timeout} ms`);
      tellFailure(this.#handler, this.#late);
    };
    this.#timer = setTimeout(check, timeout);
  }
}
