import type { Dispatcher } from 'undici';
import { NOTHING_SENT, TimeoutError, UNKNOWN_OUTCOME } from '../errors';
import { type ReceivedHeaders, toHeaders } from '../format/headers';
import { abortError } from '../middleware/aborting';
import type { BufferedResponse } from '../middleware/verifying-handler';
import type { Decoder } from '../sensitive/fields';
import { apiErrorOf } from './failure';
import type { OutgoingRequest } from './request';
import { ApiResponse, HeldResponse } from './response';

/** The timeout and the abort signal of a call. */
export interface Deadline {
  /** Stops the timeout; the caller's signal stays active. */
  stopClock(): void;
  /** Call this at the end of the call; it removes the timer and the listener. */
  clear(): void;
}

/** What tells why a request ended. */
type Limits = Pick<OutgoingRequest, 'label' | 'timeout' | 'deadline' | 'signal' | 'exchange'>;

/**
 * Ends a call by the caller's signal, or with a {@link TimeoutError} when the time is over.
 * @param end ends the call for a reason, later than this returns
 * @throws the signal's reason where it is aborted already
 */
export function deadline(limits: Limits, end: (reason: unknown) => void): Deadline {
  const { label, timeout, signal, exchange } = limits;
  signal?.throwIfAborted();
  const timer = setTimeout(() => {
    const outcome = exchange.dispatched ? UNKNOWN_OUTCOME : NOTHING_SENT;
    // What is being signed still is not to be sent after this.
    exchange.ended = true;
    end(new TimeoutError(`${label} took longer than ${timeout} ms. ${outcome}`));
  }, limits.deadline - performance.now());
  const stopClock = () => clearTimeout(timer);
  const follow = () => end(signal?.reason);
  signal?.addEventListener('abort', follow, { once: true });
  return {
    stopClock,
    clear() {
      stopClock();
      signal?.removeEventListener('abort', follow);
    },
  };
}

/** Awaits work that precedes sending, unless the call ends first. */
export function within<Result>(limits: Limits, work: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const limit = deadline(limits, reject);
    work().then(resolve, reject).finally(limit.clear);
  });
}

/** How many bytes of the body of a failure to keep. */
export const MAX_FAILURE = 1024 * 1024;

const NOTHING = new Uint8Array();

/**
 * Receives one response.
 *
 * The verifier limits the size of what it verifies; of a failure that is not verified, only the first part is kept.
 */
export class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (response: BufferedResponse) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #reason: Error | undefined;
  #status = 0;
  #headers: ReceivedHeaders = {};
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(resolve: (response: BufferedResponse) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /**
   * Aborts the request. undici acts on it only once there is a socket; the caller gets the error immediately.
   * @param reason any value; the promise rejects with it
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
    controller.abort(new Error('The rest of the body is not needed.'));
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

/**
 * Sends a request within its timeout, and resolves to a `Response` once it has been verified.
 * @param decode decrypts the encrypted fields of the JSON body
 */
export function send(
  dispatcher: Dispatcher,
  request: OutgoingRequest,
  decode: Decoder | undefined,
): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      limit.clear();
      reject(error);
    };
    const handler = new ResponseHandler((response) => {
      limit.clear();
      try {
        resolve(respond(response, request, decode));
      } catch (error) {
        reject(error);
      }
    }, fail);
    const limit = deadline(request, (reason) => handler.abort(reason));
    try {
      dispatcher.dispatch(dispatchOptions(request), handler);
    } catch (error) {
      fail(error);
    }
  });
}

/** The interceptors also accept a Media as body, and options of their own; undici ignores options it does not know. */
export function dispatchOptions(request: OutgoingRequest): Dispatcher.RequestOptions {
  return request as unknown as Dispatcher.RequestOptions;
}

function respond(response: BufferedResponse, request: OutgoingRequest, decode: Decoder | undefined): ApiResponse {
  if (response.status >= 300) throw apiErrorOf(response, request);
  const { status, headers, body } = response;
  if (body.length > 0) return new HeldResponse(body, response, decode, request.exchange.fields);
  return new ApiResponse(null, { status, headers: toHeaders(headers) }, decode);
}
