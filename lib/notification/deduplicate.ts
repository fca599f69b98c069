import { randomUUID } from 'node:crypto';
import { type NotificationStore, type Reservation, reserve } from './store';

/** The outcome of a notification. */
export type Outcome = 'done' | 'failed' | 'busy';

/** How long WeChat Pay waits for a reply, in milliseconds. A function not started by then is left to the next delivery. */
export const PATIENCE = 5000;

/**
 * How many seconds a store reserves an id for an attempt: as long as possible, but less than until WeChat Pay's third
 * delivery, 60 s after the first. The death of a process then costs no more than a minute.
 */
export const ATTEMPT = 50;

/** How many processed ids a process keeps, some 130 bytes each. */
const MAX_IDS = 10_000;

/** The state of one process. */
interface Memory {
  readonly running: Set<string>;
  /** Processed ids; with a store, only until the store has recorded them. */
  readonly done: ProcessedIds;
}

/** By store: handlers in one process that use the same store share their state. */
const memories = new WeakMap<NotificationStore, Memory>();

/** Options of {@link deduplicator}. */
export interface DeduplicatorOptions {
  store: NotificationStore | undefined;
  /** How many seconds to keep the ids of processed notifications. */
  keep: number;
  /** Receives errors, including those of the function. Errors of the store before the function runs are thrown instead. */
  report(error: unknown): void;
}

/**
 * Runs a function unless it has succeeded, or is running, for the same id.
 *
 * Within this process it never runs twice concurrently, however long it takes, because the process tracks what it runs.
 * The store keeps other processes off for {@link ATTEMPT} seconds, starting before the function does. The record of the
 * attempt turns into the record of the processed notification in one step, so there is no moment without either.
 */
export function deduplicator({ store, keep, report }: DeduplicatorOptions) {
  const memory = memoryOf(store);

  /** Whether the function may run now. If the store responds late, the reservation may expire before the function ends. */
  const begin = async (id: string, attempt: string, late: AbortSignal): Promise<Reservation | 'late'> => {
    if (!store) return 'reserved';
    const asked = performance.now();
    const asking = reserve(store, id, attempt, ATTEMPT);
    const reservation = await unlessAborted(asking, late);
    if (reservation !== undefined && performance.now() - asked <= PATIENCE) return reservation;
    // A reservation that arrives late is released.
    asking.then((found) => (found === 'reserved' ? store.release(id, attempt) : undefined)).catch(report);
    return 'late';
  };

  const attempt = async (id: string, token: string, run: () => unknown, late: AbortSignal) => {
    memory.running.add(id);
    try {
      const begun = await begin(id, token, late);
      if (begun !== 'reserved') return begun;
      try {
        await run();
      } catch (error) {
        report(error);
        return 'failed';
      }
      memory.done.add(id, keep);
      return 'succeeded';
    } finally {
      memory.running.delete(id);
    }
  };

  return async (id: string, run: () => unknown, late: AbortSignal): Promise<Outcome> => {
    if (memory.done.has(id)) return 'done';
    if (memory.running.has(id)) return 'busy';
    const token = randomUUID();
    const result = await attempt(id, token, run, late);
    if (result === 'busy' || result === 'done') return result;
    try {
      if (store && result === 'succeeded') {
        await store.complete(id, keep);
        memory.done.delete(id);
      }
      if (result === 'failed') await store?.release(id, token);
    } catch (error) {
      report(error);
    }
    return result === 'succeeded' ? 'done' : 'failed';
  };
}

function memoryOf(store: NotificationStore | undefined): Memory {
  const known = store && memories.get(store);
  if (known) return known;
  const memory = { running: new Set<string>(), done: new ProcessedIds() };
  if (store) memories.set(store, memory);
  return memory;
}

/** Resolves to `undefined` once aborted; the promise is then ignored. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const stop = () => signal.removeEventListener('abort', abort);
    promise.then(resolve, reject).finally(stop);
  });
}

/** Ids with an expiry. The oldest are dropped when there are too many; expiry is checked on access, without a timer. */
export class ProcessedIds {
  readonly #ends = new Map<string, number>();
  readonly #limit: number;

  constructor(limit = MAX_IDS) {
    this.#limit = limit;
  }

  has(id: string): boolean {
    const end = this.#ends.get(id);
    return end !== undefined && end > performance.now();
  }

  delete(id: string): void {
    this.#ends.delete(id);
  }

  add(id: string, seconds: number): void {
    const now = performance.now();
    this.#ends.delete(id);
    for (const [oldest, end] of this.#ends) {
      if (end > now && this.#ends.size < this.#limit) break;
      this.#ends.delete(oldest);
    }
    this.#ends.set(id, now + seconds * 1000);
  }
}
