/** The notes for the marks of an operation; `@deprecated` strikes it through in the editor. */
const NOTES: Readonly<Record<string, string>> = {
  deprecated: '@deprecated Taken offline by WeChat Pay.',
  discarded: '@deprecated No longer maintained by WeChat Pay.',
  redesigned: 'A newer version exists.',
  privated: 'Closed to new merchants.',
  'need-accessment': 'Not yet available to all merchants.',
  'need-tbt': 'In beta.',
};

// Links are plain lines: for each "@see" the compiler parses the comment, a sixth of the cost of the types.

/** More links than these hide the rest of a comment. */
const MOST_LINKS = 5;

/** The lines of the comment of an operation or a notification: its title, its state, the official pages. */
export function documentation(title: string, marks: readonly string[] = [], links: readonly string[] = []): string[] {
  const notes = [...new Set(marks.map((mark) => NOTES[mark] ?? `Marked "${mark}".`))];
  const tags = notes.filter((note) => note.startsWith('@'));
  return [title, ...notes.filter((note) => !note.startsWith('@')), ...links.slice(0, MOST_LINKS), ...tags].filter(
    Boolean,
  );
}
