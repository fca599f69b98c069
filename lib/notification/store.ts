import { ConfigurationError } from '../errors';

/** What a store finds recorded for an id when asked to reserve it. */
export type Reservation = 'reserved' | 'busy' | 'done';

/**
 * State shared by the machines behind one URL, so that each notification is processed once: one record per id, which says
 * either that an attempt is in progress or that the notification has been processed.
 *
 * Because one record says both, `reserve` decides in one step; no time passes between checking whether an id has been
 * processed and reserving it. A store must keep every record it has acknowledged until it expires, and `reserve` must see
 * the latest one (with Redis: ask the primary, and evict nothing). Errors thrown by a method go to `onError`. If
 * `reserve` throws, the reply has status 500 and the notification comes again. If `release` throws, the record stays
 * until it expires. If `complete` throws, this process remembers that the notification has been processed; another
 * process may process it again once the attempt has expired.
 * @example // with Redis: one key for each id
 * const store: NotificationStore = {
 *   async reserve(id, attempt, seconds) {
 *     const free = await redis.set(id, attempt, { condition: 'NX', expiration: { type: 'EX', value: seconds } });
 *     if (free === 'OK') return 'reserved';
 *     return (await redis.get(id)) === 'done' ? 'done' : 'busy';
 *   },
 *   async complete(id, seconds) {
 *     await redis.set(id, 'done', { expiration: { type: 'EX', value: seconds } });
 *   },
 *   async release(id, attempt) {
 *     const script = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end";
 *     await redis.eval(script, { keys: [id], arguments: [attempt] });
 *   },
 * };
 */
export interface NotificationStore {
  /**
   * If there is no record of `id`, records in the same step that `attempt` is in progress, for `seconds`.
   * @param id name of the handler, a colon, and the id of the notification: up to some 130 characters
   * @param attempt unique; never `done`
   * @param seconds expiry of the record, an integer; it must expire, because a process that dies releases nothing
   * @returns `'reserved'` if there was no record; otherwise `'done'` if the notification has been processed, and
   * `'busy'` if an attempt is in progress
   */
  reserve(id: string, attempt: string, seconds: number): Reservation | Promise<Reservation>;
  /** Records that the notification has been processed, for `seconds`, replacing any record of `id`. */
  complete(id: string, seconds: number): unknown;
  /**
   * Removes the record of `id` if it belongs to `attempt`, in one step. The record of another attempt stays, and so does
   * that of a processed notification.
   */
  release(id: string, attempt: string): unknown;
}

const METHODS = ['reserve', 'complete', 'release'] as const satisfies (keyof NotificationStore)[];
const RESERVATIONS: ReadonlySet<unknown> = new Set<Reservation>(['reserved', 'busy', 'done']);

/** @throws {@link ConfigurationError} if a method is missing */
export function requireStore(store: NotificationStore): void {
  const missing = METHODS.find((method) => typeof Object(store)[method] !== 'function');
  if (missing === undefined) return;
  throw new ConfigurationError(`"store" must have the methods ${METHODS.join(', ')}; "${missing}" is missing.`);
}

/** Reserves an id, and rejects any other result: Redis's `'OK'` could be read as processed, or as free. */
export async function reserve(store: NotificationStore, ...args: [string, string, number]): Promise<Reservation> {
  const found: unknown = await store.reserve(...args);
  if (RESERVATIONS.has(found)) return found as Reservation;
  throw new ConfigurationError(
    `The store's "reserve" must return "reserved", "busy" or "done"; it returned a value of type ${typeof found}.`,
  );
}
