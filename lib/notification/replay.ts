import { SignatureError } from '../errors';

/**
 * Default maximum age of a v2 notification in seconds: 48 hours. WeChat Pay itself repeats a notification for 24 hours
 * and 4 minutes.
 */
export const MAX_AGE = 48 * 3600;

/** 20140903131540: Beijing time, which has no daylight saving time. */
const BEIJING = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;

/**
 * The time of the event that a v2 notification reports: `time_end` of a payment, the latest one of a combined payment,
 * `event_create_time` of encrypted notifications. Contracts, licence plates and refunds have none of these.
 * @returns seconds since 1970; undefined if there is no such time, or it cannot be parsed
 */
export function timeOf({ time_end, event_create_time, sub_order_list }: Readonly<Record<string, unknown>>) {
  const times = [time_end, event_create_time, ...orderTimes(sub_order_list)].map(readTime);
  const latest = Math.max(...times.filter((time) => time !== undefined));
  return Number.isFinite(latest) ? latest : undefined;
}

/**
 * Refuses a v2 notification that is too old for WeChat Pay to have just sent it, so somebody kept a copy. Unlike APIv3,
 * v2 does not sign the time of sending.
 * @param fields fields of the notification, as received
 * @param maxAge in seconds
 * @throws {@link SignatureError} `ERR_SIGNATURE_CLOCK`
 */
export function refuseReplay(fields: Readonly<Record<string, unknown>>, maxAge: number): void {
  const time = timeOf(fields);
  if (time === undefined || Date.now() / 1000 - time <= maxAge) return;
  throw new SignatureError(
    'ERR_SIGNATURE_CLOCK',
    `The notification dates from ${new Date(time * 1000).toISOString()} and is older than the ${maxAge} s of "maxAge": it is a ` +
      'replay, because WeChat Pay repeats a notification for 24 hours and 4 minutes only. Check the system clock.',
  );
}

function readTime(value: unknown): number | undefined {
  const parts = typeof value === 'string' ? BEIJING.exec(value) : null;
  if (!parts) return undefined;
  const [year = 0, month = 0, day, hour = 0, minute, second] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour - 8, minute, second) / 1000;
}

/** The orders of a combined payment: JSON in a field. */
function orderTimes(list: unknown): unknown[] {
  if (typeof list !== 'string') return [];
  try {
    const { order_list }: { order_list?: unknown } = Object(JSON.parse(list));
    return Array.isArray(order_list) ? order_list.map((order) => Object(order).time_end) : [];
  } catch {
    return [];
  }
}
