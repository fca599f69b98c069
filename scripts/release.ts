/**
 * Prepares a release: `npm run release -- 0.2.0`, or with `--dry-run` to see what would change. It commits and tags once
 * `.ci/run` has passed, and puts everything back if it has not. It never pushes and never publishes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** The URL of the repository, such as `https://github.com/owner/wechatpay-undici`; unset until its owner is known. */
const REPOSITORY: string | undefined = undefined;

/** The files that a release changes. */
const FILES = ['package.json', 'package-lock.json', 'lib/version.ts', 'CHANGELOG.md'];

const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** The links of package.json; none while the URL is unset. */
export function links(repository: string | undefined) {
  if (repository === undefined) return {};
  return {
    repository: { type: 'git', url: `git+${repository}.git` },
    bugs: { url: `${repository}/issues` },
    homepage: `${repository}#readme`,
  };
}

/**
 * Gives what is unreleased its version.
 * @param day such as `2026-01-31`
 * @returns `undefined` if nothing is listed as unreleased
 */
export function datedChangelog(changelog: string, version: string, day: string): string | undefined {
  const heading = '\n## Unreleased\n';
  const [before = '', after] = changelog.split(heading);
  const entries = after?.split(/^## /m, 1)[0];
  return entries?.trim() ? `${before}${heading}\n## ${version} - ${day}\n${after}` : undefined;
}

/** What to run once the release has been looked at. */
export function nextSteps(version: string, repository: string | undefined): string {
  const flags = [version.includes('-') ? '--tag next' : '', repository === undefined ? '' : '--provenance'];
  const publish = ['npm publish', ...flags.filter(Boolean)].join(' ');
  const hint =
    repository === undefined ? ['REPOSITORY in scripts/release.ts is unset: package.json has no links.'] : [];
  return [...hint, 'Publish with:', '  git push --follow-tags', `  ${publish}`].join('\n');
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

/** Why this version cannot be released from this working tree; `undefined` if it can. */
function obstacle(version: string): string | undefined {
  if (!VERSION.test(version)) return 'Usage: npm run release -- <version> [--dry-run], such as 0.2.0 or 0.2.0-rc.1';
  if (git('status', '--porcelain') !== '') return 'The working tree has changes. Commit or stash them first.';
  if (git('tag', '--list', `v${version}`) !== '') return `The tag v${version} exists already.`;
  if (datedChangelog(readFileSync('CHANGELOG.md', 'utf8'), version, '') === undefined) {
    return 'CHANGELOG.md lists nothing under "## Unreleased". Write down what changes for users first.';
  }
  return undefined;
}

function rewrite(file: string, change: (text: string) => string | undefined): void {
  const text = readFileSync(file, 'utf8');
  const changed = change(text);
  if (changed === undefined) throw new Error(`${file} does not look as scripts/release.ts expects it.`);
  writeFileSync(file, changed);
}

function writeVersion(version: string): void {
  execFileSync('npm', ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (REPOSITORY !== undefined) {
    rewrite('package.json', (text) => `${JSON.stringify({ ...JSON.parse(text), ...links(REPOSITORY) }, null, 2)}\n`);
  }
  rewrite('lib/version.ts', (text) =>
    /VERSION = '[^']*'/.test(text) ? text.replace(/VERSION = '[^']*'/, `VERSION = '${version}'`) : undefined,
  );
  const day = new Date().toISOString().slice(0, 10);
  rewrite('CHANGELOG.md', (text) => datedChangelog(text, version, day));
}

function release(version: string, isDryRun: boolean): void {
  try {
    writeVersion(version);
    if (isDryRun) {
      console.log(git('diff', '--', ...FILES));
      git('restore', '--', ...FILES);
      return;
    }
    execFileSync('.ci/run', { stdio: 'inherit' });
  } catch (error) {
    git('restore', '--', ...FILES);
    throw error;
  }
  git('commit', '--message', `Release ${version}`, '--', ...FILES);
  git('tag', '--annotate', `v${version}`, '--message', `wechatpay-undici ${version}`);
  console.log(nextSteps(version, REPOSITORY));
}

function main(args: readonly string[]): void {
  const isDryRun = args.includes('--dry-run');
  const [version = ''] = args.filter((arg) => arg !== '--dry-run');
  const reason = obstacle(version);
  if (reason === undefined) {
    release(version, isDryRun);
  } else {
    console.error(reason);
    process.exitCode = 1;
  }
}

if (require.main === module) main(process.argv.slice(2));
