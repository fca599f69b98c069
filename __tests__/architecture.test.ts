import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The paths from the root that a document names between backticks; none with a placeholder. */
function pathsIn(text: string): string[] {
  const paths = [...text.matchAll(/`((?:lib|__tests__|examples|scripts|docs|site|bench|\.ci)\/[\w./-]*)`/g)];
  return paths.map(([, path = '']) => path);
}

test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('the files that %s names are there', (document) => {
  const paths = pathsIn(read(document));
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('each room has its row in ARCHITECTURE.md', () => {
  const described = new Set([...read('ARCHITECTURE.md').matchAll(/^\| `(lib\/[\w./]+)` \|/gm)].map(([, path]) => path));
  const rooms = readdirSync(join(ROOT, 'lib'), { withFileTypes: true }).map(
    (entry) => `lib/${entry.name}${entry.isDirectory() ? '/' : ''}`,
  );
  expect([...described].sort()).toEqual(rooms.sort());
});

test('the rooms stand in the order that the imports are held to', () => {
  const table = [...read('ARCHITECTURE.md').matchAll(/^\| `(lib\/[\w./]+)` \|/gm)].map(([, path]) => path);
  const [, list = ''] = /const ROOMS = \[(.*?)\];/s.exec(read('.dependency-cruiser.cjs')) ?? [];
  const ordered = [...list.matchAll(/'([^']+)'/g)].map(([, path]) => path);
  expect(ordered.length).toBeGreaterThan(10);
  expect(table).toEqual([...ordered, 'lib/sandbox/', 'lib/cli/']);
});
