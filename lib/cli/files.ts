import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../crypto/error-code';
import { InvalidArgumentError } from '../errors';

/**
 * Makes a directory where there is none.
 * @throws {@link InvalidArgumentError} where that cannot be
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new InvalidArgumentError(`The directory ${path} cannot be made (${codeOf(cause)}).`, { cause });
  }
}

/**
 * Writes a file, whole or not at all. What has its name before, a symbolic link as well, is replaced.
 * @param mode such as 0o600, for its owner alone
 * @returns its path
 * @throws {@link InvalidArgumentError} where it cannot be written
 */
export function writeFile(directory: string, name: string, content: string, mode: number): string {
  const path = join(directory, name);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, content, { mode, flag: 'wx' });
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new InvalidArgumentError(`${path} cannot be written (${codeOf(cause)}).`, { cause });
  }
  return path;
}
