import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { ConfigurationError } from '../errors';

/** The process that holds a lock. */
interface Holder {
  readonly pid: number;
  /** Distinguishes it from a later process with the same number, if the system says so. */
  readonly started: string;
}

/**
 * Locks a file for this process, by a file beside it. A lock of a process that has ended, however it ended, is taken over.
 * Processes of other machines or containers are not seen.
 * @param path the file to lock
 * @returns a function that unlocks it
 * @throws ConfigurationError if a running process, this one included, holds the lock
 */
export function lock(path: string): () => void {
  const name = `${path}.lock`;
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid) ?? '' } satisfies Holder);
  // Linked in one step, so that nobody reads a lock which is not written yet.
  const draft = `${name}.${randomUUID()}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (;;) {
      if (isLinked(draft, name)) return () => rmSync(name, { force: true });
      const text = read(name);
      if (text === undefined) continue;
      const holder = holderOf(text);
      if (holder && isRunning(holder)) {
        throw new ConfigurationError(
          `${path} is in use by the process ${holder.pid}. End that sandbox first, or choose another directory.`,
        );
      }
      removeStale(name, text);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (Object(error).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock, unless another process has taken it over meanwhile. */
function removeStale(name: string, text: string): void {
  const aside = `${name}.${randomUUID()}`;
  try {
    renameSync(name, aside);
  } catch (error) {
    if (Object(error).code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== text) isLinked(aside, name);
  rmSync(aside, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (Object(error).code === 'ENOENT') return undefined;
    throw error;
  }
}

function holderOf(text: string): Holder | undefined {
  try {
    const { pid, started } = Object(JSON.parse(text));
    return Number.isInteger(pid) && pid > 0 && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

function isRunning({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (Object(error).code === 'ESRCH') return false;
  }
  return startOf(pid) === started;
}

/** When a process was started, as Linux has it; empty on other systems, `undefined` if the process has ended. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return '';
  const stat = read(`/proc/${pid}/stat`);
  // Behind the name of the program, which may hold anything: the state is the first field, the start the twentieth.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && fields[0] !== 'Z' && fields[0] !== 'X' ? fields[19] : undefined;
}
