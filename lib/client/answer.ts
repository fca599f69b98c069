import type { Dispatcher } from 'undici';
import type { ReceivedHeaders } from '../crypto/platform-signature';
import { abortError } from '../middleware/aborting';
import type { Answer } from '../middleware/verifying-handler';

/** How much is kept of the body of a failure, in bytes. */
export const MAX_FAILURE = 1024 * 1024;

const NOTHING = new Uint8Array();

/**
 * Receives one answer.
 *
 * The verifier bounds what is verified; of a failure, which is not, the first part does.
 */
export class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #reason: Error | undefined;
  #status = 0;
  #headers: ReceivedHeaders = {};
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(resolve: (answer: Answer) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /**
   * Ends the request. undici acts on it only once there is a socket; whoever waits is told at once.
   * @param reason anything; whoever waits is told just that
   */
  abort(reason: unknown): void {
    this.#reason = abortError(reason);
    this.#reject(reason);
    this.#controller?.abort(this.#reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#reason) controller.abort(this.#reason);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ReceivedHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#status < 300 || this.#size <= MAX_FAILURE) return;
    this.onResponseEnd();
    controller.abort(new Error('The rest of the body is of no use.'));
  }

  onResponseEnd(): void {
    const [first = NOTHING] = this.#chunks;
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
