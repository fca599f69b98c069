import type { Dispatcher } from 'undici';
import { BodyError, UNKNOWN_OUTCOME } from '../errors';
import type { ReceivedHeaders } from '../format/headers';
import { abortError } from './aborting';
import { type Exchange, tellFailure } from './dispatch-options';
import { ControllingHandler } from './handler';

/** A response held in memory. */
export interface BufferedResponse {
  status: number;
  headers: ReceivedHeaders;
  body: Uint8Array;
}

/** Checks a response; rejects if it cannot be trusted. */
export type Verify = (response: BufferedResponse) => Promise<void>;

/** Maximum size in bytes of a response that is held in memory for verification. */
const MAX_BODY_SIZE = 10 * 1024 * 1024;

/** Maximum size of a failure held in memory; larger ones pass unverified. */
const MAX_FAILURE_SIZE = 1024 * 1024;

/** The checks of responses. */
export interface Checks {
  /** For status 200–299; without it, they pass. */
  success?: Verify | undefined;
  /** Throws if one of these is genuine, but belongs to another request. */
  accept?(response: BufferedResponse): void;
  /**
   * For status 300 and above. Resolves to whether it is proven to come from WeChat Pay: `false` if the signature is missing
   * or cannot be checked. Rejects if the signature is wrong.
   */
  failure(response: BufferedResponse): Promise<boolean>;
}

/**
 * Holds a response back until it has been checked, then replays it.
 *
 * It also acts as the controller of the next handler: by then the connection's own controller is dead, and an abort or a
 * pause would be lost.
 */
export class VerifyingHandler extends ControllingHandler {
  readonly #checks: Checks;
  readonly #exchange: Exchange | undefined;
  /** Replays the head of the held response; undefined if none is held. */
  #replayHead: (() => void) | undefined;
  #head = { status: 0, headers: {} as ReceivedHeaders };
  #chunks: Buffer[] = [];
  #size = 0;
  #steps: (() => void)[] = [];
  #received = false;
  #settled = false;
  #paused = false;

  /** @param exchange receives what happened to the request */
  constructor(handler: Dispatcher.DispatchHandler, checks: Checks, exchange?: Exchange) {
    super(handler);
    this.#checks = checks;
    this.#exchange = exchange;
  }

  override onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    if (this.#exchange) Object.assign(this.#exchange, { verified: false, fields: undefined });
    super.onRequestStart(controller, context);
  }

  override onResponseStart(
    _wire: Dispatcher.DispatchController,
    status: number,
    headers: ReceivedHeaders,
    message?: string,
  ): void {
    const start = () => this.handler.onResponseStart?.(this, status, headers, message);
    if (status < 200 || (status < 300 && !this.#checks.success)) {
      start();
      return;
    }
    this.#replayHead = start;
    this.#head = { status, headers };
  }

  override onResponseData(_wire: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (!this.#replayHead) {
      this.handler.onResponseData?.(this, chunk);
      return;
    }
    this.#chunks.push(chunk);
    if (this.#head.status > 299) {
      if (this.#size > MAX_FAILURE_SIZE) this.#release(this.#replayHead);
      return;
    }
    if (this.#size <= MAX_BODY_SIZE) return;
    const issue = `The response exceeds ${MAX_BODY_SIZE} bytes.`;
    this.abort(new BodyError('ERR_BODY_TOO_LARGE', `${issue} ${UNKNOWN_OUTCOME}`));
  }

  override onResponseEnd(_wire: Dispatcher.DispatchController, trailers: ReceivedHeaders): void {
    const head = this.#replayHead;
    if (!head) {
      this.handler.onResponseEnd?.(this, trailers);
      return;
    }
    this.#received = true;
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [];
    const data = () => body.length > 0 && this.handler.onResponseData?.(this, body);
    const end = () => {
      this.#settled = true;
      this.handler.onResponseEnd?.(this, trailers);
    };
    const response = { ...this.#head, body };
    const { success, failure } = this.#checks;
    const checked: Promise<unknown> = success && response.status < 300 ? success(response) : failure(response);
    checked.then(
      (verified) => {
        if (response.status < 300) this.#accept(response);
        else if (this.#exchange) this.#exchange.verified = verified === true;
        this.#steps = [head, data, end];
        this.#replay();
      },
      (error) => this.#fail(error),
    );
  }

  override onResponseError(_wire: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  override get paused(): boolean {
    return this.#replayHead ? this.#paused : super.paused;
  }

  override abort(reason?: Error): void {
    if (!this.#received) {
      super.abort(reason);
      return;
    }
    this.abortReason ??= abortError(reason);
    this.#fail(this.abortReason);
  }

  override pause(): void {
    this.#paused = true;
    if (!this.#replayHead) this.wire.pause();
  }

  override resume(): void {
    this.#paused = false;
    if (!this.#replayHead) this.wire.resume();
    else if (this.#received) this.#replay();
  }

  #accept(response: BufferedResponse): void {
    try {
      this.#checks.accept?.(response);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Passes on a failure that is too large to verify. */
  #release(head: () => void): void {
    this.#replayHead = undefined;
    if (this.#paused) this.wire.pause();
    head();
    for (const chunk of this.#chunks.splice(0)) this.handler.onResponseData?.(this, chunk);
  }

  #replay(): void {
    while (!this.#paused && !this.#settled) {
      const step = this.#steps.shift();
      if (!step) return;
      try {
        step();
      } catch (error) {
        // undici's retry handler throws from the last step on purpose, and expects to receive the error.
        this.#settled = false;
        this.#fail(error as Error);
      }
    }
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks = [];
    tellFailure(this.handler, error, this);
  }
}
