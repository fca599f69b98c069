interface Section {
  anchor: string;
  titles: string[];
  text: string;
}

/**
 * What of a page is indexed: its title below its verb and path, its fields, their labels and values; neither code nor
 * headings, which are the same on each page.
 */
export function sectionsOf(markdown: string): Section[] {
  const title = /^# (.*?)(?: \{#api\})?$/m.exec(markdown)?.[1] ?? '';
  const cells = [...markdown.matchAll(/<code>(.*?)<\/code>|<td>([^<]+)(?:<br>.*?)?<\/td><\/tr>/g)];
  const words = new Set(cells.map(([, code = '', label = '']) => code || label));
  const [, verb = '', path = ''] = /<p class="head".*?>(\w+)<\/span> <code>(.*?)<\/code>/.exec(markdown) ?? [];
  const titles = path === '' ? [title] : [`${verb} ${path}`, title];
  return title === '' ? [] : [{ anchor: 'api', titles, text: [...words].join(' ') }];
}

/**
 * Latin words and numbers whole, with the words between underscores and hyphens; Chinese as pairs of characters, for it
 * has no blanks between words. It runs in the browser as well, from its text: it uses nothing from outside.
 */
export function tokenize(text: string): string[] {
  const words = text.match(/[A-Za-z0-9_-]+/g) ?? [];
  const parts = words.filter((word) => /[_-]/.test(word)).flatMap((word) => word.split(/[_-]+/));
  const runs = text.match(/\p{Script=Han}+/gu) ?? [];
  const pairs = runs.flatMap((run) => {
    const characters = [...run];
    return characters.length < 2 ? characters : characters.slice(1).map((next, index) => characters[index] + next);
  });
  return [...words, ...parts, ...pairs].filter((token) => token !== '');
}
