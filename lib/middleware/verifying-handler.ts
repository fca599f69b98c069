import type { Dispatcher } from 'undici';
import type { ReceivedHeaders } from '../crypto/platform-signature';
import { BodyError } from '../errors';
import { abortError } from './aborting';
import { tellFailure } from './dispatch-options';

/** An answer held in memory. */
export interface Answer {
  status: number;
  headers: ReceivedHeaders;
  body: Uint8Array;
}

/** Checks an answer; rejects where it cannot be trusted. */
export type Verify = (answer: Answer) => Promise<void>;

/** Greatest size of an answer that is held in memory to be verified, in bytes. */
const MAX_BODY_SIZE = 10 * 1024 * 1024;

/**
 * Holds back an answer of status 200–299 until it is verified, then replays it; others pass.
 *
 * To the handler behind it, it is the controller too: the connection's own is dead by the time of the replay, and an
 * abort or a pause by then would be lost.
 */
export class VerifyingHandler implements Dispatcher.DispatchHandler, Dispatcher.DispatchController {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #verify: Verify;
  #wire: Dispatcher.DispatchController | undefined;
  /** Replays the head of the answer held back; undefined while none is. */
  #replayHead: (() => void) | undefined;
  #head = { status: 0, headers: {} as ReceivedHeaders };
  #chunks: Buffer[] = [];
  #size = 0;
  #steps: (() => void)[] = [];
  #received = false;
  #settled = false;
  #paused = false;
  #reason: Error | null = null;

  constructor(handler: Dispatcher.DispatchHandler, verify: Verify) {
    this.#handler = handler;
    this.#verify = verify;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#wire = controller;
    this.#handler.onRequestStart?.(this, context);
  }

  onRequestUpgrade(...[, ...rest]: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#handler.onRequestUpgrade?.(this, ...rest);
  }

  onResponseStart(
    _wire: Dispatcher.DispatchController,
    status: number,
    headers: ReceivedHeaders,
    message?: string,
  ): void {
    const start = () => this.#handler.onResponseStart?.(this, status, headers, message);
    if (status < 200 || status > 299) {
      start();
      return;
    }
    this.#replayHead = start;
    this.#head = { status, headers };
  }

  onResponseData(_wire: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (!this.#replayHead) this.#handler.onResponseData?.(this, chunk);
    else if (this.#size <= MAX_BODY_SIZE) this.#chunks.push(chunk);
    else this.abort(new BodyError('ERR_BODY_TOO_LARGE', `The answer is larger than ${MAX_BODY_SIZE} bytes.`));
  }

  onResponseEnd(_wire: Dispatcher.DispatchController, trailers: ReceivedHeaders): void {
    const head = this.#replayHead;
    if (!head) {
      this.#handler.onResponseEnd?.(this, trailers);
      return;
    }
    this.#received = true;
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [];
    const data = () => body.length > 0 && this.#handler.onResponseData?.(this, body);
    const end = () => {
      this.#settled = true;
      this.#handler.onResponseEnd?.(this, trailers);
    };
    this.#verify({ ...this.#head, body }).then(
      () => {
        this.#steps = [head, data, end];
        this.#replay();
      },
      (error) => this.#fail(error),
    );
  }

  onResponseError(_wire: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  get paused(): boolean {
    return this.#replayHead ? this.#paused : (this.#wire?.paused ?? false);
  }

  get aborted(): boolean {
    return this.#reason !== null || (this.#wire?.aborted ?? false);
  }

  get reason(): Error | null {
    return this.#reason ?? this.#wire?.reason ?? null;
  }

  get rawHeaders() {
    return this.#wire?.rawHeaders ?? null;
  }

  get rawTrailers() {
    return this.#wire?.rawTrailers ?? null;
  }

  abort(reason?: Error): void {
    this.#reason ??= abortError(reason);
    if (this.#received) this.#fail(this.#reason);
    else this.#wire?.abort(this.#reason);
  }

  pause(): void {
    this.#paused = true;
    if (!this.#replayHead) this.#wire?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#replayHead) this.#wire?.resume();
    else if (this.#received) this.#replay();
  }

  #replay(): void {
    while (!this.#paused && !this.#settled) {
      const step = this.#steps.shift();
      if (!step) return;
      try {
        step();
      } catch (error) {
        // undici's retry throws from the last step on purpose, and expects to be told of it.
        this.#settled = false;
        this.#fail(error as Error);
      }
    }
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks = [];
    tellFailure(this.#handler, error, this);
  }
}
