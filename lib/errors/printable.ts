/**
 * Characters that control a terminal or reorder text: the controls of ASCII (except tab, line feed, and a carriage return
 * before one) and of Latin-1, line separators, and bidirectional controls.
 */
const UNPRINTABLE = /(?!\t|\n|\r\n)\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Makes untrusted text safe for a terminal or a log: control characters become `\u001b` and the like. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, shown);
}

/** The same, on a single line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\r\n]/g, shown);
}

function shown(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
