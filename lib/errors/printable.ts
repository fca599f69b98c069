/**
 * What does something to a terminal or to the order of a text instead of being shown: the controls of ASCII (but for tab,
 * line feed, and a carriage return before one) and of Latin-1, line separators, and those that turn the direction.
 */
const UNPRINTABLE = /(?!\t|\n|\r\n)\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Text that may come from anywhere, for a terminal or a log: control characters are shown as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, shown);
}

/** The same within one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\r\n]/g, shown);
}

function shown(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
