import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import manifest from '../package.json';

const ROOT = resolve(__dirname, '..');

/** The files of the package, as npm packs them; without `dist`, which a test need not build. */
const [{ files }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as [{ files: { path: string }[] }];
const packed = new Set(files.map(({ path }) => path));
const documents = [...packed].filter((path) => path.endsWith('.md'));

/** The targets of the links of a document, outside of its code. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`(?!\])/g, '');
  return [
    ...[...prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target = '']) => target),
    ...[...prose.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map(([, target = '']) => target),
    ...[...prose.matchAll(/\b(?:href|src)="([^"]+)"/g)].map(([, target = '']) => target),
  ];
}

/** The anchors of a document's headings, as GitHub and npm make them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ +(.*)$/gm)].map(([, title = '']) => title);
  const slugs = headings.map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
  return new Set(slugs);
}

/** What is wrong with a link that a document has; `undefined` if it leads somewhere from the installed package. */
function faultOf(document: string, target: string, read: (path: string) => string): string | undefined {
  if (/^(https?|mailto):/.test(target)) return undefined;
  const [path = '', anchor] = decodeURIComponent(target).split('#');
  const file = path === '' ? document : posix.normalize(posix.join(posix.dirname(document), path)).replace(/\/$/, '');
  const isFolder = [...packed].some((name) => name.startsWith(`${file}/`));
  if (!packed.has(file) && !isFolder) return `${document} links to ${target}, which is not in the package`;
  if (anchor === undefined || isFolder || anchorsOf(read(file)).has(anchor)) return undefined;
  return `${document} links to ${target}, but ${file} has no such heading`;
}

const read = (path: string) => readFileSync(resolve(ROOT, path), 'utf8');

test('the documents of the package are packed', () => {
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'README.zh-CN.md', 'SECURITY.md', 'CHANGELOG.md']));
  expect(documents.filter((path) => path.startsWith('docs/')).length).toBeGreaterThan(1);
});

test('every link in them leads somewhere from the installed package', () => {
  const links = documents.flatMap((document) => linksOf(read(document)).map((target) => ({ document, target })));
  expect(links.length).toBeGreaterThan(20);
  expect(links.flatMap(({ document, target }) => faultOf(document, target, read) ?? [])).toEqual([]);
});

test('a link that leads nowhere is found, in each form', () => {
  const text =
    '[a](lib/a.ts) [`b`](../b.md) [c][c] <img src="c.png"> [d](#no) [e](#a-heading) [f](https://example.com)\n' +
    '[c]: ./d.md\n# A heading!\n```md\n[in code](e.md)\n```\n';
  const found = linksOf(text).flatMap((target) => (faultOf('docs/x.md', target, () => text) ? [target] : []));
  // That of a heading of the document itself counts once the document is packed.
  expect(found.sort()).toEqual(['#a-heading', '#no', '../b.md', './d.md', 'c.png', 'lib/a.ts'].sort());
  const [guide = ''] = documents.filter((path) => path.startsWith('docs/'));
  expect(faultOf(guide, '#a-heading', () => text)).toBeUndefined();
  expect(faultOf(guide, '#no', () => text)).toMatch(/no such heading/);
});

test('what "exports" has types for, compilers that do not read it find by "typesVersions"', () => {
  const found = Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === 'string' || entry === '.' ? [] : [[entry.slice(2), [target.types]]],
  );
  expect(found.length).toBeGreaterThan(1);
  expect(manifest.typesVersions['*']).toEqual(Object.fromEntries(found));
});
