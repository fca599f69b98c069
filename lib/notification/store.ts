import { ConfigurationError } from '../errors';

/**
 * Remembers ids for a time. To several machines behind one address, give them one store.
 * @example // with Redis
 * const store: NotificationStore = {
 *   async claim(id, ttl) {
 *     if (ttl === 0) return (await redis.exists(id)) === 0;
 *     return (await redis.set(id, '1', { condition: 'NX', expiration: { type: 'EX', value: ttl } })) === 'OK';
 *   },
 * };
 */
export interface NotificationStore {
  /**
   * Holds an id unless it is held already: in one step, since others ask at the same time.
   * @param id up to some 80 characters
   * @param ttl for how many seconds to hold it, a whole number; 0 asks only, and holds nothing
   * @returns whether the id was free. What throws or rejects is answered as a failure, and the notification comes again
   */
  claim(id: string, ttl: number): boolean | Promise<boolean>;
}

/** How many ids the store in memory holds, some 130 bytes each. */
const MAX_IDS = 10_000;

/**
 * A store in memory. The ids of longest standing give way when there are too many, and expire when they are looked at:
 * there is no timer.
 */
export function memoryStore(limit = MAX_IDS): NotificationStore {
  const ends = new Map<string, number>();
  return {
    claim(id, ttl) {
      const now = performance.now();
      const end = ends.get(id);
      if (end !== undefined && end > now) return false;
      ends.delete(id);
      if (ttl === 0) return true;
      for (const [oldest, end] of ends) {
        if (end > now && ends.size < limit) break;
        ends.delete(oldest);
      }
      ends.set(id, now + ttl * 1000);
      return true;
    },
  };
}

/**
 * A store that is seen to keep to its contract: one that holds ids by ttl 0, or gives something other than a boolean,
 * would have notifications answered as processed that nobody has seen.
 */
export function checkedStore(store: NotificationStore): { claim(id: string, ttl: number): Promise<boolean> } {
  const claim = async (id: string, ttl: number) => {
    const free: unknown = await store.claim(id, ttl);
    if (typeof free === 'boolean') return free;
    throw new ConfigurationError(
      `The store's "claim" must give true or false; it gave a value of type ${typeof free}.`,
    );
  };
  let checked = false;
  return {
    async claim(id, ttl) {
      const probe = 'wechatpay-undici:probe';
      checked ||= (await claim(probe, 0)) && (await claim(probe, 0));
      if (checked) return claim(id, ttl);
      throw new ConfigurationError('The store\'s "claim" must hold nothing where the ttl is 0, and only ask.');
    },
  };
}
