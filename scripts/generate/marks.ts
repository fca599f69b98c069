/** What the marks of an operation say to its caller; a `@deprecated` one strikes it through in the editor. */
const NOTES: Readonly<Record<string, string>> = {
  deprecated: '@deprecated WeChat Pay has taken it offline.',
  discarded: '@deprecated WeChat Pay no longer maintains it.',
  redesigned: 'A newer version exists.',
  privated: 'Closed to new merchants.',
  'need-accessment': 'Not open to every merchant yet.',
  'need-tbt': 'In trial.',
};

// Links stand bare: for each "@see" the compiler parses the comment, a sixth of what the types cost a user's project.

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
