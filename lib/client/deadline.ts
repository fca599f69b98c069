import { TimeoutError, UNKNOWN_OUTCOME } from '../errors';
import { NOTHING_SENT } from './failure';
import type { WireRequest } from './request';

/** The time of a call and the caller's signal. */
export interface Deadline {
  /** Ends the time, while the caller's signal still counts. */
  stopClock(): void;
  /** To be called when the call has ended: leaves no timer and no listener behind. */
  clear(): void;
}

/** What of a request says when it ends. */
type Limits = Pick<WireRequest, 'timeout' | 'deadline' | 'signal'>;

/**
 * Ends a call by the caller's signal, or with a {@link TimeoutError} when the time is over.
 * @param what method and path, for the error
 * @param end ends the call for a reason, later than this returns
 * @param outcome what became of the request when the time is over, for the error
 * @throws the signal's reason where it is aborted already
 */
export function deadline(
  limits: Limits,
  what: string,
  end: (reason: unknown) => void,
  outcome = UNKNOWN_OUTCOME,
): Deadline {
  const { timeout, signal } = limits;
  signal?.throwIfAborted();
  const timer = setTimeout(
    () => end(new TimeoutError(`${what} took longer than ${timeout} ms. ${outcome}`)),
    limits.deadline - performance.now(),
  );
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

/** The result of work that comes before a request is sent, unless the call ends before. */
export function within<Result>(limits: Limits, what: string, work: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const limit = deadline(limits, what, reject, NOTHING_SENT);
    work().then(resolve, reject).finally(limit.clear);
  });
}
