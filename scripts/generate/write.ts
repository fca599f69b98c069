import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { HEADER } from './print';

const PROJECT = resolve(__dirname, '../..');

/**
 * Formats files and writes those that have changed; removes generated files that are obsolete.
 * @param folder where the files go
 * @param files their text by their path below the folder
 * @returns how many were written and removed
 */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): { written: number; removed: number } {
  let written = 0;
  for (const [file, text] of formatted(files)) {
    const path = join(folder, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    written += 1;
  }
  return { written, removed: removeStale(folder, files) };
}

/** The files as Biome writes them with the project's configuration. */
function formatted(files: ReadonlyMap<string, string>): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'wechatpay-generate-'));
  try {
    for (const [file, text] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const config = readFileSync(join(PROJECT, 'biome.json'), 'utf8');
    const { formatter, javascript } = JSON.parse(config) as Record<string, unknown>;
    writeFileSync(join(folder, 'biome.json'), JSON.stringify({ root: true, formatter, javascript }));
    const biome = join(PROJECT, 'node_modules/.bin/biome');
    execFileSync(
      biome,
      ['check', '--write', '--linter-enabled=false', '--log-level=error', '--files-max-size=4000000', '.'],
      // What Biome has to say is in the error, should there be one.
      { cwd: folder, stdio: 'pipe' },
    );
    return new Map([...files.keys()].map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function removeStale(folder: string, files: ReadonlyMap<string, string>): number {
  const stale = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = name.replaceAll('\\', '/');
    return file.endsWith('.ts') && !files.has(file) && readFileSync(join(folder, name), 'utf8').startsWith(HEADER);
  });
  for (const name of stale) rmSync(join(folder, name));
  return stale.length;
}
