import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { codeOf } from '../crypto/bytes';
import { InvalidArgumentError } from '../errors';

/** The environment of the command: its streams, its variables, and how it learns that it should end. */
export interface Io {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  env: Readonly<Record<string, string | undefined>>;
  /** Resolves on Ctrl-C. */
  interrupted(): Promise<unknown>;
}

/** Writes, and waits until the stream accepts more. */
export async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/**
 * Reads all of stdin.
 * @param what name of the content in the error
 * @throws {@link InvalidArgumentError} if stdin is a terminal, where the command would wait forever
 */
export async function readStdin({ stdin }: Io, what: string): Promise<string> {
  if (!stdin.isTTY) return readText(stdin);
  throw new InvalidArgumentError(`stdin is a terminal; pipe the ${what} in.`);
}

/** Whether to colour: on a terminal that supports it, unless `NO_COLOR` is set (https://no-color.org). */
export function hasColours(stream: { isTTY?: boolean }, { NO_COLOR, TERM }: Io['env']): boolean {
  return stream.isTTY === true && !NO_COLOR && TERM !== 'dumb';
}

/**
 * Creates a directory if it does not exist.
 * @throws {@link InvalidArgumentError} if it cannot be created
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new InvalidArgumentError(`The directory ${path} cannot be created (${codeOf(cause)}).`, { cause });
  }
}

/**
 * Writes a file atomically. It replaces any existing file or symbolic link with this name.
 * @param mode such as 0o600, for the owner only
 * @returns its path
 * @throws {@link InvalidArgumentError} if it cannot be written
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
