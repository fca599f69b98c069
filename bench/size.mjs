/** How much is installed with the package and with its peers: for production, each in a project of its own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { versionOf } from './machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** By name: number of packages, of files, and MB. */
export function installSizes(peers) {
  const directory = mkdtempSync(join(tmpdir(), 'bench-size-'));
  try {
    // It has been built already.
    const packed = npm(root, 'pack', '--ignore-scripts', '--pack-destination', directory).trim().split('\n').at(-1);
    const specs = [['ours', join(directory, packed)], ...peers.map((name) => [name, `${name}@${versionOf(name)}`])];
    return new Map(specs.map(([name, spec]) => [name, installed(directory, spec)]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function installed(directory, spec) {
  const project = mkdtempSync(join(directory, 'project-'));
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  npm(project, 'install', '--omit=dev', '--no-audit', '--no-fund', spec);
  const modules = join(project, 'node_modules');
  const files = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
  return { packages: Object.keys(packages).length, files: files.length, megabytes: bytes / 1e6 };
}
