import type { Timeouts } from '../openapi/options';

const PHASES: Record<keyof Timeouts, true> = { total: true, connect: true, headers: true, body: true };

/**
 * Reads the option `timeout`: a number is the total.
 * @param fail makes the error about what it must be
 */
export function readTimeouts(input: unknown, fail: (message: string) => Error): Timeouts {
  const timeouts = typeof input === 'object' && input !== null ? input : { total: input };
  for (const [name, value] of Object.entries(timeouts)) {
    const title = timeouts === input ? `"timeout.${name}"` : '"timeout"';
    if (!Object.hasOwn(PHASES, name)) throw fail(`${title} is no option; there are ${Object.keys(PHASES).join(', ')}.`);
    if (value !== undefined && !isTimeout(value)) {
      throw fail(`${title} must be a number of milliseconds between 1 and 2147483647.`);
    }
  }
  return timeouts;
}

/** Whether `setTimeout` can wait that long. */
function isTimeout(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= 2 ** 31 - 1;
}
