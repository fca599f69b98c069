import { checkedStore, memoryStore, type NotificationStore } from './store';

/** What became of a notification. */
export type Outcome = 'done' | 'failed' | 'busy';

/** Seconds that an id stays claimed once processed: WeChat Pay repeats a notification for 24 hours and 4 minutes. */
const KEPT = 25 * 3600;

/** Seconds that an attempt keeps others off: longer than WeChat Pay waits, shorter than until its first repeat (15 s). */
const ATTEMPT = 10;

/**
 * Runs what processes a notification unless that has been done, or is being done, for the same id.
 *
 * An id is claimed for good only once it has been processed. Until then a second id beside it is claimed, for a time so
 * short that a repeat by WeChat Pay finds it free again, whether the attempt failed, hung, or died with its process. To
 * one process its own memory serves as that second id.
 * @param report told of errors, those of `run` among them; what the store throws before `run`, is thrown
 */
export function processOnce(
  store: NotificationStore | undefined,
  report: (error: unknown) => void,
): (id: string, run: () => unknown) => Promise<Outcome> {
  const claims = checkedStore(store ?? memoryStore());
  const running = new Map<string, { outcome: Promise<Outcome>; end: number }>();

  const attempt = async (id: string, run: () => unknown): Promise<Outcome> => {
    if (!(await claims.claim(id, 0))) return 'done';
    if (store && !(await claims.claim(`${id}:attempt`, ATTEMPT))) return 'busy';
    try {
      await run();
    } catch (error) {
      report(error);
      return 'failed';
    }
    // It has been done, whatever the store says to that.
    await claims.claim(id, KEPT).catch(report);
    return 'done';
  };

  return async (id, run) => {
    const now = performance.now();
    const other = running.get(id);
    if (other && other.end > now) return other.outcome;
    const own = { outcome: attempt(id, run), end: now + ATTEMPT * 1000 };
    running.set(id, own);
    try {
      return await own.outcome;
    } finally {
      if (running.get(id) === own) running.delete(id);
    }
  };
}
