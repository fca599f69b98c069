import { channel } from 'node:diagnostics_channel';
import { type Dispatcher, errors } from 'undici';
import { type Interceptor, type SignedDispatchOptions, tellFailure } from './dispatch-options';
import { PassingHandler } from './handler';
import { originOf } from './signing';

/** Published by any copy of undici when it starts to connect. */
const beforeConnect = channel('undici:client:beforeConnect');

/** The requests to one origin that are using a connection, or waiting for one. */
interface Traffic {
  running: number;
  waiting: number;
  /** When the last running request ended, by `performance.now()`. */
  idleSince: number;
}

const byOrigin = new Map<string, Traffic>();

function change(origin: string, what: 'running' | 'waiting', by: 1 | -1): void {
  const traffic = byOrigin.get(origin) ?? { running: 0, waiting: 0, idleSince: 0 };
  traffic[what] += by;
  if (what === 'running' && traffic.running === 0) traffic.idleSince = performance.now();
  if (traffic.running === 0 && traffic.waiting === 0) byOrigin.delete(origin);
  else byOrigin.set(origin, traffic);
}

/**
 * A request that is waiting for a connection, or using one.
 *
 * It is connecting while undici opens a connection for it. It is not connecting while it waits for a connection that
 * other requests are using: the host is reachable and not at fault.
 */
export class Connecting {
  readonly #origin: string;
  readonly #start = performance.now();
  #state: 'waiting' | 'running' | undefined = 'waiting';
  /** undici has started to connect for this request. */
  #own = false;

  constructor(origin: string) {
    this.#origin = origin;
    change(origin, 'waiting', 1);
  }

  /** Dispatches the request. If undici needs a connection, it starts to connect synchronously. */
  watch<Result>(dispatch: () => Result): Result {
    const note = () => {
      this.#own = true;
    };
    beforeConnect.subscribe(note);
    try {
      return dispatch();
    } finally {
      beforeConnect.unsubscribe(note);
    }
  }

  /** How long it has been connecting, in milliseconds. */
  elapsed(): number {
    const { running = 0, idleSince = 0 } = byOrigin.get(this.#origin) ?? {};
    if (this.#own) return performance.now() - this.#start;
    return running > 0 ? 0 : performance.now() - Math.max(this.#start, idleSince);
  }

  /** It now has a connection. */
  run(): void {
    this.#change('running');
  }

  /** It has ended. */
  end(): void {
    this.#change(undefined);
  }

  #change(state: 'running' | undefined): void {
    const before = this.#state;
    if (before === state || before === undefined) return;
    this.#state = state;
    if (state) change(this.#origin, state, 1);
    change(this.#origin, before, -1);
  }
}

/**
 * An interceptor that aborts a request which gets no connection within its `connectTimeout`, and records in `exchange`
 * when one starts on a connection. Waiting for a free pooled connection does not count. Compose it innermost.
 */
export const connectTimeout: Interceptor = (dispatch) => (options: SignedDispatchOptions, handler) => {
  const connecting = new ConnectingHandler(handler, options);
  return connecting.send(() => dispatch(options, connecting));
};

class ConnectingHandler extends PassingHandler {
  readonly #exchange: SignedDispatchOptions['exchange'];
  readonly #timeout: number | undefined;
  readonly #connecting: Connecting;
  #timer: NodeJS.Timeout | undefined;
  #late: Error | undefined;

  constructor(handler: Dispatcher.DispatchHandler, { connectTimeout, exchange, origin }: SignedDispatchOptions) {
    super(handler);
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

  override onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    clearTimeout(this.#timer);
    if (this.#late) {
      controller.abort(this.#late);
      return;
    }
    this.#connecting.run();
    if (this.#exchange) this.#exchange.started = true;
    super.onRequestStart(controller, context);
  }

  override onRequestUpgrade(...upgrade: Parameters<PassingHandler['onRequestUpgrade']>): void {
    this.#end();
    super.onRequestUpgrade(...upgrade);
  }

  override onResponseEnd(...end: Parameters<PassingHandler['onResponseEnd']>): void {
    this.#end();
    super.onResponseEnd(...end);
  }

  override onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    if (!this.#late) super.onResponseError(controller, error);
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
      tellFailure(this.handler, this.#late);
    };
    this.#timer = setTimeout(check, timeout);
  }
}
