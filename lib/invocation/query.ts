import type { Texts } from './arguments';

/** `a=1&b=2`, the values percent-encoded. */
export function query(fields: Texts): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}
