import { TimeoutError } from '../errors';
import { UNKNOWN_OUTCOME } from './failure';

/** The time of a call and the caller's signal. */
export interface Deadline {
  /** Ends the time, while the caller's signal still counts. */
  stopClock(): void;
  /** To be called when the call has ended: leaves no timer and no listener behind. */
  clear(): void;
}

/**
 * Ends a call by the caller's signal, or with a {@link TimeoutError} when the time is over.
 * @param timeout in milliseconds
 * @param end ends the call for a reason
 */
export function deadline(
  timeout: number,
  signal: AbortSignal | undefined,
  what: string,
  end: (reason: unknown) => void,
): Deadline {
  const timer = setTimeout(() => {
    end(new TimeoutError(`${what} took longer than ${timeout} ms. ${UNKNOWN_OUTCOME}`));
  }, timeout);
  const stopClock = () => clearTimeout(timer);
  const follow = () => end(signal?.reason);
  signal?.addEventListener('abort', follow, { once: true });
  if (signal?.aborted) follow();
  return {
    stopClock,
    clear() {
      stopClock();
      signal?.removeEventListener('abort', follow);
    },
  };
}
