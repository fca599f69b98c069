import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Agent } from 'undici';
import { ConfigurationError, InvalidArgumentError } from '../../errors';
import type { Identity } from '../identity';
import type { Misbehaviour } from '../wire/misbehaviour';
import type { NotificationContent, NotificationName } from './message';
import { type DeliveryAttempt, send } from './send';
import { v2Message } from './v2';
import { v3Message } from './v3';

/** Options of a notification. One that something is wrong with is sent once: it plays a forged one. */
export interface NotifyOptions
  extends Pick<Misbehaviour, 'signature' | 'skew' | 'serial' | 'omit' | 'double' | 'headers' | 'tamper'> {
  /** Its id, a fresh one by default: with the same id it is the same notification. v2 has ids with event types only. */
  id?: string;
  /** APIv3: first sends it with the signature `WECHATPAY/SIGNTEST/…`, as WeChat Pay does now and then. */
  probe?: boolean;
}

/** What became of a notification. */
export interface Delivery {
  /** The event type, or `v2/` and a name. */
  readonly name: string;
  readonly url: string;
  /** Each time that it was sent, in order. */
  readonly attempts: readonly DeliveryAttempt[];
  /** Whether it was answered as a success; `undefined` as long as it may be. */
  readonly delivered: boolean | undefined;
}

/** Sends the notifications of one sandbox. */
export interface Notifier {
  readonly deliveries: readonly Delivery[];
  notify<Name extends NotificationName>(
    name: Name,
    content: object & NotificationContent<Name>,
    url: string,
    options?: NotifyOptions,
  ): Promise<Delivery>;
  /** Forgets what has been sent, and sends none of it again. */
  clear(): void;
  /** Sends nothing any more. */
  close(): void;
}

/**
 * Seconds to wait before each repeat, 24 hours and 4 minutes in all.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075249
 */
export const SCHEDULE = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];

/** How many deliveries are kept. */
const KEPT = 1000;

const WRONG = ['signature', 'skew', 'serial', 'omit', 'double', 'headers', 'tamper'];

/**
 * @param clock the time now, in milliseconds since 1970
 * @param pace factor of the times between repeats
 */
export function createNotifier(credentials: Identity, clock: () => number, pace: number): Notifier {
  if (!(Number.isFinite(pace) && pace >= 0 && pace <= 1)) {
    throw new ConfigurationError(`"notifyPace" must be a number from 0 to 1, such as 1 / 1000; found ${pace}.`);
  }
  // It keeps no connections, and so no process alive.
  const dispatcher = new Agent({ pipelining: 0 });
  const deliveries: Delivery[] = [];
  let end = new AbortController();

  return {
    deliveries,
    async notify(name, content, url, { id = randomUUID(), probe = false, ...how } = {}) {
      check(name, content, url, how);
      const { signal } = end;
      const isV2 = name.startsWith('v2/');
      const draft = { name, content, id, created: clock() };
      const attempts: DeliveryAttempt[] = [];
      const delivery: Mutable<Delivery> = { name, url, attempts, delivered: undefined };
      deliveries.push(delivery);
      if (deliveries.length > KEPT) deliveries.shift();

      const attempt = async (wrong: Misbehaviour): Promise<boolean> => {
        const make = isV2 ? v2Message : v3Message;
        const message = await make(draft, credentials, wrong, Math.floor(clock() / 1000));
        const outcome = await send(url, message, wrong, { dispatcher, signal, isV2 });
        attempts.push({ ...outcome, probe: wrong.signature === 'probe' });
        return outcome.accepted;
      };

      if (probe) await attempt({ ...how, signature: 'probe' });
      let delivered = false;
      for (const wait of Object.keys(how).length > 0 ? [0] : [0, ...SCHEDULE]) {
        await setTimeout(wait * 1000 * pace, undefined, { signal }).catch(() => {});
        if (signal.aborted) break;
        delivered = await attempt(how);
        if (delivered) break;
      }
      return Object.assign(delivery, { delivered });
    },
    clear() {
      end.abort();
      end = new AbortController();
      deliveries.length = 0;
    },
    close: () => end.abort(),
  };
}

function check(name: string, content: object, url: string, how: object): void {
  if (typeof name !== 'string' || name === '') {
    throw new InvalidArgumentError('A notification has a name: its event type, or "v2/" and a name.');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new InvalidArgumentError(`What the notification ${name} holds must be an object.`);
  }
  if (!(URL.canParse(url) && /^https?:/i.test(url))) {
    throw new InvalidArgumentError(
      `The notification ${name} goes to a whole address of http or https, not to "${url}".`,
    );
  }
  const unknown = Object.keys(how).find((option) => !WRONG.includes(option));
  if (unknown !== undefined) {
    const known = ['id', 'probe', ...WRONG].join(', ');
    throw new InvalidArgumentError(`notify() does not know "${unknown}": it knows ${known}.`);
  }
}

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };
