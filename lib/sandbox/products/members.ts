import { randomInt } from 'node:crypto';
import { paramError } from '../wire/param-error';

/** Members of a body that must be there and be text. */
export function required<Name extends string>(json: unknown, ...names: Name[]): Record<Name, string> {
  const members = optional(json, ...names);
  const missing = names.find((name) => members[name] === undefined);
  if (missing !== undefined) throw paramError('body', `/${missing}`, 'is missing');
  return members as Record<Name, string>;
}

/** Members of a body that are text where they are there. */
export function optional<Name extends string>(json: unknown, ...names: Name[]): Partial<Record<Name, string>> {
  const members: Partial<Record<Name, string>> = {};
  const given = new Map(Object.entries(json ?? {}));
  for (const name of names) {
    const value: unknown = given.get(name) ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '') {
      throw paramError('body', `/${name}`, 'must be a non-empty string', value);
    }
    members[name] = value;
  }
  return members;
}

/**
 * An amount in fen: a whole number, 1 or more.
 * @param above where in the body the amount is
 */
export function fen(amount: unknown, name: string, above = '/amount'): number {
  const value: unknown = Object(amount)[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw paramError('body', `${above}/${name}`, 'must be an integer of at least 1', value);
}

/** An address that notifications can be sent to. WeChat Pay takes https alone, the sandbox http as well. */
export function notifyUrl(url: string): string {
  if (URL.canParse(url) && /^https?:[^?]+$/i.test(url)) return url;
  throw paramError('body', '/notify_url', 'must be an absolute http(s) URL without a query', url);
}

/** A time in RFC 3339, in the time zone of Beijing and to the second, as WeChat Pay writes it. */
export function beijing(time: number): string {
  return `${new Date(time + 8 * 3600_000).toISOString().slice(0, 19)}+08:00`;
}

/** As many random digits. */
export function digits(size: number): string {
  return Array.from({ length: size }, () => randomInt(10)).join('');
}
