import { randomUUID } from 'node:crypto';
import { Agent } from 'undici';
import { InvalidArgumentError } from '../../errors';
import type { Clock, Schedule } from '../clock';
import type { Identities, Identity } from '../identity';
import { keyOf, type Store } from '../store';
import type { Misbehaviour } from '../wire/misbehaviour';
import type { NotificationContent, NotificationName } from './message';
import { type DeliveryAttempt, send } from './send';
import { v2Message } from './v2';
import { v3Message } from './v3';

/** Options of a notification. One with a fault is sent only once: it plays a forged notification. */
export interface NotifyOptions
  extends Pick<Misbehaviour, 'signature' | 'skew' | 'serial' | 'omit' | 'double' | 'headers' | 'tamper'> {
  /** Its id; a new one by default. The same id means the same notification. v2 has ids only with event types. */
  id?: string;
  /** Who is notified: merchant id or brand id. By default the first merchant or, for notifications of brands, the first brand. */
  mchid?: string;
  /** APIv3: first sends it with the signature `WECHATPAY/SIGNTEST/…`, as WeChat Pay does occasionally. */
  probe?: boolean;
}

/** A notification and its attempts so far. */
export interface Delivery {
  /** The id of the notification. */
  readonly id: string;
  /** The event type, or `v2/` and a name. */
  readonly name: string;
  readonly url: string;
  /** Who is notified: merchant id, or brand id. */
  readonly mchid: string;
  /** All attempts to send it, in order. */
  readonly attempts: readonly DeliveryAttempt[];
  /** Whether it was accepted; `undefined` while it will be sent again. */
  readonly delivered: boolean | undefined;
}

/** A delivery as the store keeps it. */
interface Kept extends Delivery {
  readonly kind: Identity['kind'];
  readonly content: object;
  readonly how: Misbehaviour;
  /** A probe goes out first. */
  readonly probe: boolean;
  /** How often the schedule has sent it, probes not counted. */
  readonly sent: number;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** Sends notifications. */
export interface Notifier {
  /** The last ones, in order. */
  deliveries(): Delivery[];
  /**
   * Sends a notification now, and again on WeChat Pay's schedule until it is accepted.
   * @returns the key of the delivery
   */
  notify<Name extends NotificationName>(
    recipient: Pick<Identity, 'kind' | 'id'>,
    name: Name,
    content: object & NotificationContent<Name>,
    url: string,
    options?: NotifyOptions,
  ): string;
  /** The key of the last delivery with that id of a notification, of one merchant or of any. */
  find(id: string, mchid?: string): string | undefined;
  /** Sends a notification again, now; its schedule remains. @returns the delivery after that */
  resend(key: string): Promise<Delivery>;
  /** Waits for the first attempt (and the probe before it). One that is never sent counts as not delivered. */
  firstAttempt(key: string): Promise<Delivery>;
  /** Ends all waiting, or that for one merchant, before a reset. */
  release(mchid?: string): void;
  /** Stops sending. */
  close(): void;
}

/**
 * Seconds to wait before each repeat, 24 hours and 4 minutes in all.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075249
 */
export const SCHEDULE = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];

/** How many finished deliveries are kept. */
const KEPT = 1000;

const WRONG = ['signature', 'skew', 'serial', 'omit', 'double', 'headers', 'tamper'];

/** The task that sends a notification. */
const SEND = 'notification.send';

/** What the notifier needs. */
export interface NotifierContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly identities: Identities;
}

export function createNotifier({ store, clock, schedule, identities }: NotifierContext): Notifier {
  // It keeps no connections, so it does not keep the process alive.
  const dispatcher = new Agent({ pipelining: 0 });
  const table = store.table<Kept>('notifications', { indexes: { id: ({ id }) => id } });
  /** The keys of the finished deliveries, in order. */
  const settled: string[] = [];
  const waiting = new Map<string, (delivery: Delivery) => void>();
  const end = new AbortController();

  /** Sends it once; returns `undefined` if the merchant is gone. */
  async function attempt(kept: Kept): Promise<DeliveryAttempt | undefined> {
    const identity = identities.find(kept.kind, kept.mchid);
    if (!identity) return undefined;
    const probe = kept.probe && kept.attempts.length === 0;
    const how = probe ? { ...kept.how, signature: 'probe' as const } : kept.how;
    const isV2 = kept.name.startsWith('v2/');
    const make = isV2 ? v2Message : v3Message;
    const time = clock.now();
    const seconds = Math.floor(Date.now() / 1000);
    const message = await make(kept, { identity, key: identities.platform.signerFor(kept.kind) }, how, seconds);
    const started = performance.now();
    const outcome = await send(kept.url, message, how, { dispatcher, signal: end.signal, isV2 });
    return { ...outcome, probe, time, milliseconds: Math.round(performance.now() - started) };
  }

  /** Keeps an attempt; a delivery that was reset meanwhile stays gone. */
  function keep(key: string, attempt: DeliveryAttempt): Kept | undefined {
    const kept = table.get(key);
    if (!kept || end.signal.aborted) return undefined;
    const accepted = attempt.accepted && !attempt.probe;
    const after = { ...kept, attempts: [...kept.attempts, attempt], delivered: accepted || kept.delivered };
    table.put(key, after);
    return after;
  }

  function settle(key: string, kept: Kept, delivered: boolean): void {
    table.put(key, { ...kept, delivered });
    settled.push(key);
    if (settled.length > KEPT) table.delete(settled.shift() ?? '');
  }

  schedule.on(SEND, async (key) => {
    const before = table.get(key);
    if (before?.delivered !== undefined || !before) return;
    const made = await attempt(before);
    const after = made && keep(key, made);
    const sent = before.sent + (made?.probe ? 0 : 1);
    if (!made) settle(key, before, false);
    else if (after) carryOn(key, { ...after, sent });
    if (made?.probe) return;
    waiting.get(key)?.(table.get(key) ?? before);
    waiting.delete(key);
  });

  function carryOn(key: string, kept: Kept): void {
    const isLast = kept.sent > 0 && (Object.keys(kept.how).length > 0 || kept.sent > SCHEDULE.length);
    if (kept.delivered !== undefined || isLast) return void settle(key, kept, kept.delivered ?? false);
    table.put(key, kept);
    schedule.at(clock.now() + (SCHEDULE[kept.sent - 1] ?? 0) * 1000, SEND, key);
  }

  function release(mchid?: string): void {
    for (const [key, resolve] of waiting) {
      const delivery = table.get(key);
      if (!delivery || (mchid !== undefined && delivery.mchid !== mchid)) continue;
      resolve({ ...delivery, delivered: false });
      waiting.delete(key);
    }
  }

  return {
    deliveries: () => [...table.values()],
    notify({ kind, id: mchid }, name, content, url, { id = randomUUID(), probe = false, ...how } = {}) {
      check(name, content, url, how);
      const key = keyOf(mchid, randomUUID());
      const created = clock.now();
      const delivery = { id, name, url, mchid, attempts: [], delivered: undefined };
      table.put(key, { ...delivery, key, kind, content, how, probe, created, sent: 0 });
      schedule.at(created, SEND, key);
      return key;
    },
    find(id, mchid) {
      const found = table.by('id', id).filter((kept) => mchid === undefined || kept.mchid === mchid);
      return found.at(-1)?.key;
    },
    async resend(key) {
      const before = table.get(key);
      if (!before) throw new InvalidArgumentError(`There is no notification ${key}.`);
      const made = await attempt(before);
      const after = made && keep(key, made);
      store.commit();
      return after ?? before;
    },
    firstAttempt: (key) =>
      new Promise((resolve) => {
        waiting.set(key, resolve);
        if (end.signal.aborted) release();
      }),
    release,
    close() {
      end.abort();
      release();
    },
  };
}

function check(name: string, content: object, url: string, how: object): void {
  if (typeof name !== 'string' || name === '') {
    throw new InvalidArgumentError('A notification needs a name: its event type, or "v2/" and a name.');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new InvalidArgumentError(`The content of the notification ${name} must be an object.`);
  }
  if (!(URL.canParse(url) && /^https?:/i.test(url))) {
    throw new InvalidArgumentError(`The notification ${name} needs an absolute http or https URL; found "${url}".`);
  }
  const unknown = Object.keys(how).find((option) => !WRONG.includes(option));
  if (unknown !== undefined) {
    const known = ['id', 'probe', ...WRONG].join(', ');
    throw new InvalidArgumentError(`Unknown option "${unknown}" of notify(); valid options: ${known}.`);
  }
}
