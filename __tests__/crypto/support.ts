import { inspect } from 'node:util';

/** All the text that an error can be made to show. */
export function textOf(error: unknown): string {
  const { message, stack, cause } = error as Error;
  const options = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: Number.POSITIVE_INFINITY };
  return [message, stack, String(cause), inspect(error, options), JSON.stringify(error)].join('\n');
}

/** Expects an error to show no piece of a secret: of what is long, no 12 characters of it. */
export function expectNoLeak(error: unknown, secret: string): void {
  const text = textOf(error);
  for (const line of secret.split(/\s+/)) {
    if (line.startsWith('-----') || line.length < 6) continue;
    for (let at = 0; at < line.length; at += 12) {
      const piece = line.slice(at, at + 12);
      if (piece.length >= 6) expect(text).not.toContain(piece);
    }
  }
}
