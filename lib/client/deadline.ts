import { TimeoutError } from '../errors';
import { UNKNOWN_OUTCOME } from './failure';

/** Ends a call: by the caller's signal or by its time. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Ends the time, while the caller's signal still counts. */
  stopClock(): void;
  /** To be called when the call has ended: leaves no timer and no listener behind. */
  clear(): void;
}

/**
 * A signal that follows the caller's and aborts with a {@link TimeoutError} when the time is over.
 * @param timeout in milliseconds
 */
export function deadline(timeout: number, signal: AbortSignal | undefined, what: string): Deadline {
  const controller = new AbortController();
  const follow = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => {
    controller.abort(new TimeoutError(`${what} took longer than ${timeout} ms. ${UNKNOWN_OUTCOME}`));
  }, timeout);
  const stopClock = () => clearTimeout(timer);
  signal?.addEventListener('abort', follow, { once: true });
  if (signal?.aborted) follow();
  return {
    signal: controller.signal,
    stopClock,
    clear() {
      stopClock();
      signal?.removeEventListener('abort', follow);
    },
  };
}

/** What a timeout must be, for the errors about it. */
export const TIMEOUT_RULE = 'must be a number of milliseconds between 1 and 2147483647';

/** Whether `setTimeout` can wait that long. */
export function isTimeout(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= 2 ** 31 - 1;
}
