import type { X509Certificate } from 'node:crypto';

/** When a certificate begins and ceases to be valid, in milliseconds since 1970. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/** How far the local clock may be behind that of WeChat Pay, in milliseconds. */
const SKEW = 300_000;

/** The dates of a certificate. */
export function validityOf({ validFrom, validTo }: X509Certificate): Validity {
  return { from: Date.parse(validFrom), until: Date.parse(validTo) };
}

/** Whether a certificate is valid now. */
export function isValid({ from, until }: Validity, now = Date.now()): boolean {
  return from - SKEW <= now && now < until;
}

/** A time as a date, for messages. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
