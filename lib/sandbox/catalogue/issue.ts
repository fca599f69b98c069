import type { Location } from '../wire/param-error';

/** What kind of fault it is, in the order in which WeChat Pay looks for them. */
export const KINDS = ['unknown', 'type', 'required', 'length', 'enum', 'encryption'] as const;
export type Kind = (typeof KINDS)[number];

/** A part of a request that differs from the documentation. */
export interface Issue {
  readonly location: Location;
  /**
   * Of a body the JSON pointer, such as `/amount/total`; otherwise the name.
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709
   */
  readonly field: string;
  /** As sent; omitted if it was not sent, or may be sensitive. */
  readonly value?: unknown;
  readonly kind: Kind;
  /** What the field must be: `must be an integer`. */
  readonly issue: string;
  /** A sentence for the reader of the log, which says what to change. */
  readonly message: string;
  /** What WeChat Pay's gateway says of it, where that is known. */
  readonly said?: string;
}

/** The way to a value inside a body; `undefined` is the body itself. */
export interface Path {
  readonly parent: Path | undefined;
  readonly key: string | number;
}

/** The JSON pointer (RFC 6901) of a member. */
export function pointer(parent: Path | undefined, key?: string | number): string {
  const above = parent === undefined ? '' : pointer(parent.parent, parent.key);
  return key === undefined ? above : `${above}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A plain value for an error: short, on one line. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}

/** The documented name that was probably meant: the same except for case and separators, or a typo or two. */
export function meant(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const bare = (text: string) => text.replaceAll(/[_-]/g, '').toLowerCase();
  const same = names.find((one) => bare(one) === bare(name));
  if (same !== undefined || name.length < 4 || name.length > 64) return same;
  return names.find((one) => Math.abs(one.length - name.length) < 3 && distance(one, name) < 3);
}

/** How many letters must be inserted, removed or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + Number(b[j] !== letter);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
