import type { Dispatcher } from 'undici';
import type { ReceivedHeaders } from '../format/headers';
import { abortError } from './aborting';
import { neverConnected } from './connection-failure';
import { IDLE, type SignedDispatchOptions, tellFailure } from './dispatch-options';
import { ControllingHandler } from './handler';
import type { BufferedResponse } from './verifying-handler';

/** How an attempt failed: with a response of status 400 or above, or without one; then perhaps nothing was sent. */
export type Failure =
  | { response: BufferedResponse; error?: never; unsent: false }
  | { error: Error; response?: never; unsent: boolean };

/** How to go on after a failure: resend with these options after a delay in milliseconds. `undefined` gives up. */
export type Decide = (
  failure: Failure,
  options: SignedDispatchOptions,
  attempt: number,
) => { options: SignedDispatchOptions; delay: number } | undefined;

/** Failures with a larger body are not retried, in bytes. */
const MAX_HELD = 1024 * 1024;

/**
 * Sends a request, and resends it after a failure. The next handler sees one response: retried failures are hidden.
 *
 * It also acts as the controller of the next handler, because each attempt has a controller of its own.
 */
export class RepeatingHandler extends ControllingHandler {
  readonly #dispatch: Dispatcher['dispatch'];
  readonly #decide: Decide;
  #options: SignedDispatchOptions;
  #attempt = 0;
  #started = false;
  /** The current attempt has started on a connection. */
  #sending = false;
  /** The head of a failed response, held back until it is known whether to retry. */
  #held: { status: number; headers: ReceivedHeaders; message: string | undefined } | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  /** A response has been passed to the handler, so there can be no other. */
  #passed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    dispatch: Dispatcher['dispatch'],
    options: SignedDispatchOptions,
    handler: Dispatcher.DispatchHandler,
    decide: Decide,
  ) {
    super(handler);
    this.#dispatch = dispatch;
    this.#options = options;
    this.#decide = decide;
  }

  /** Sends the request. */
  send(): boolean {
    this.#timer = undefined;
    this.#attempt += 1;
    this.#sending = false;
    return this.#dispatch(this.#options, this);
  }

  override onRequestStart(wire: Dispatcher.DispatchController, context: unknown): void {
    this.wire = wire;
    this.#sending = true;
    if (this.abortReason) wire.abort(this.abortReason);
    else if (!this.#started) this.handler.onRequestStart?.(this, context);
    this.#started = true;
  }

  override onResponseStart(
    _wire: Dispatcher.DispatchController,
    status: number,
    headers: ReceivedHeaders,
    message?: string,
  ): void {
    if (status >= 400) this.#held = { status, headers, message };
    else this.#pass(status, headers, message);
  }

  override onResponseData(_wire: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#held) {
      this.handler.onResponseData?.(this, chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > MAX_HELD) this.#release();
  }

  override onResponseEnd(_wire: Dispatcher.DispatchController, trailers: ReceivedHeaders): void {
    if (this.#held) {
      const { status, headers } = this.#held;
      if (this.#again({ response: { status, headers, body: Buffer.concat(this.#chunks) }, unsent: false })) return;
      this.#release();
    }
    this.handler.onResponseEnd?.(this, trailers);
  }

  override onResponseError(_wire: Dispatcher.DispatchController, error: Error): void {
    const unsent = neverConnected(error, this.#sending);
    if (!this.#again({ error, unsent })) this.handler.onResponseError?.(this, error);
  }

  override abort(reason?: Error): void {
    if (!this.#timer) {
      super.abort(reason);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.abortReason ??= abortError(reason);
    this.handler.onResponseError?.(this, this.abortReason);
  }

  #pass(status: number, headers: ReceivedHeaders, message: string | undefined): void {
    this.#passed = status >= 200;
    this.handler.onResponseStart?.(this, status, headers, message);
  }

  /** Releases what was held back. */
  #release(): void {
    if (!this.#held) return;
    const { status, headers, message } = this.#held;
    this.#held = undefined;
    this.#pass(status, headers, message);
    for (const chunk of this.#chunks.splice(0)) this.handler.onResponseData?.(this, chunk);
  }

  #again(failure: Failure): boolean {
    if (this.#passed || this.abortReason || this.#options.signal?.aborted) return false;
    const next = this.#decide(failure, this.#options, this.#attempt);
    if (!next) return false;
    this.#options = next.options;
    if (next.options.exchange) next.options.exchange.attempts += 1;
    this.#held = undefined;
    this.#chunks = [];
    this.#size = 0;
    // The next handler must not act on the connection of a finished attempt.
    this.wire = IDLE;
    this.#timer = setTimeout(() => this.#resend(), next.delay);
    return true;
  }

  /** Nobody would catch what a dispatcher throws here. */
  #resend(): void {
    try {
      this.send();
    } catch (error) {
      tellFailure(this, error as Error);
    }
  }
}
