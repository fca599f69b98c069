import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { datedChangelog, links, nextSteps } from '../../scripts/release';

const ROOT = resolve(__dirname, '../..');
const CHANGELOG = '# Changelog\n\n## Unreleased\n\n- A thing.\n';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'release-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, encoding: 'utf8' }).trim();
const read = (file: string) => readFileSync(join(directory, file), 'utf8');

/** A project of its own, whose `.ci/run` ends with a status. */
function project({ status = 0, changelog = CHANGELOG } = {}): void {
  const manifest = { name: 'thing', version: '0.1.0' };
  const lock = { ...manifest, lockfileVersion: 3, requires: true, packages: { '': manifest } };
  const files = {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'package-lock.json': `${JSON.stringify(lock, null, 2)}\n`,
    'lib/version.ts': "export const VERSION = '0.1.0';\n",
    'CHANGELOG.md': changelog,
    '.ci/run': `#!/bin/sh\nexit ${status}\n`,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(directory, file, '..'), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  chmodSync(join(directory, '.ci/run'), 0o755);
  git('init', '--quiet');
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@example.com');
  git('add', '.');
  git('commit', '--quiet', '--message', 'First');
}

function release(...args: string[]) {
  const command = ['-r', require.resolve('esbuild-register'), join(ROOT, 'scripts/release.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: directory, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a release has its version everywhere, in one commit with a tag', () => {
  project();
  const { status, stdout } = release('0.2.0');
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('git push --follow-tags') });
  expect(JSON.parse(read('package.json'))).toMatchObject({ version: '0.2.0' });
  expect(JSON.parse(read('package-lock.json'))).toMatchObject({
    version: '0.2.0',
    packages: { '': { version: '0.2.0' } },
  });
  expect(read('lib/version.ts')).toBe("export const VERSION = '0.2.0';\n");
  expect(read('CHANGELOG.md')).toMatch(/## Unreleased\n\n## 0\.2\.0 - \d{4}-\d\d-\d\d\n\n- A thing\.\n$/);
  expect(git('log', '--format=%s')).toBe('Release 0.2.0\nFirst');
  expect(git('describe')).toBe('v0.2.0');
  expect(git('status', '--porcelain')).toBe('');
});

test('a dry run shows what would change, and changes nothing', () => {
  project();
  const { status, stdout } = release('0.2.0', '--dry-run');
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringContaining("+export const VERSION = '0.2.0';"),
  });
  expect([git('status', '--porcelain'), git('tag'), git('log', '--format=%s')]).toEqual(['', '', 'First']);
});

test('where a check fails, everything is put back', () => {
  project({ status: 1 });
  expect(release('0.2.0').status).not.toBe(0);
  expect([git('status', '--porcelain'), git('tag'), git('log', '--format=%s')]).toEqual(['', '', 'First']);
});

describe('refuses', () => {
  test.each([
    ['no version', [], /^Usage: npm run release/],
    ['what is no version', ['v0.2'], /^Usage: npm run release/],
    ['a version that is tagged', ['0.1.0'], /The tag v0\.1\.0 exists already/],
  ])('%s', (_, args, message) => {
    project();
    git('tag', 'v0.1.0');
    const { status, stderr } = release(...args);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(message) });
  });

  test('a working tree with changes', () => {
    project();
    writeFileSync(join(directory, 'new.txt'), 'new');
    const { status, stderr } = release('0.2.0');
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/working tree has changes/) });
  });

  test.each([
    ['empty', '# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-01\n\n- Old.\n'],
    ['missing', '# Changelog\n\n## 0.1.0 - 2026-01-01\n\n- Old.\n'],
  ])('a changelog whose list of what is unreleased is %s', (_, changelog) => {
    project({ changelog });
    const { status, stderr } = release('0.2.0');
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/nothing under "## Unreleased"/) });
  });
});

test('older entries stay below', () => {
  const changelog = `${CHANGELOG}\n## 0.1.0 - 2026-01-01\n\n- Old.\n`;
  expect(datedChangelog(changelog, '0.2.0', '2026-02-01')).toBe(
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-02-01\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- Old.\n',
  );
});

test('the changelog of this package can be released', () => {
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  expect(changelog.match(/^## Unreleased$/gm)).toHaveLength(1);
});

test('the links follow from the address of the repository, and there are none without', () => {
  expect(links(undefined)).toEqual({});
  expect(links('https://github.com/owner/name')).toEqual({
    repository: { type: 'git', url: 'git+https://github.com/owner/name.git' },
    bugs: { url: 'https://github.com/owner/name/issues' },
    homepage: 'https://github.com/owner/name#readme',
  });
});

test.each([
  ['1.0.0', undefined, 'npm publish'],
  ['1.0.0', 'https://github.com/owner/name', 'npm publish --provenance'],
  ['1.0.0-rc.1', 'https://github.com/owner/name', 'npm publish --tag next --provenance'],
])('%s of %s is published by %s', (version, repository, command) => {
  expect(nextSteps(version, repository).split('\n').at(-1)?.trim()).toBe(command);
});
