import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { ConfigurationError } from '../errors';
import { lock } from './lock';
import { type Change, createStore, type Store, type Values } from './store';

/** The first line of a journal. */
const HEADER = '{"journal":"wechatpay-undici sandbox","version":1}\n';

/**
 * Creates a store that is kept in a file: it begins with what the file holds, and each commit is appended as a line before
 * anyone is told of it. What was written survives the end of the process, however it ends.
 * @param path the file; it is created if it does not exist, and only its owner can read it
 * @returns the store, and what ends the writing
 * @throws ConfigurationError where the file is damaged other than by an unfinished last line, or cannot be read or written:
 * it is left as it is; and where another sandbox has it open
 */
export function openJournal(path: string): { store: Store; close: () => void } {
  const unlock = explained(path, () => lock(path));
  try {
    const kept = explained(path, () => readJournal(path));
    const file = explained(path, () => compact(path, kept));
    const store = createStore(kept);
    const stop = store.listen(appender(path, file));
    return {
      store,
      close() {
        stop();
        closeSync(file);
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Appends entries; once one could not be written whole, no other follows it: what it built on would be missing. */
function appender(path: string, file: number): (changes: readonly Change[]) => void {
  let failed: unknown;
  return (changes) => {
    if (failed !== undefined) {
      const message = `The journal ${path} could not be written; start the sandbox again to go on with what it holds.`;
      throw new ConfigurationError(message, { cause: failed });
    }
    const { size } = fstatSync(file);
    try {
      write(file, `${JSON.stringify(changes)}\n`);
    } catch (error) {
      failed = error;
      // What was written of it; where this fails too, the next start does not read an entry without an end.
      ftruncateSync(file, size);
      throw error;
    }
  };
}

/** Begins anew with what is left of the past, and replaces the old file in one step. */
function compact(path: string, kept: Values): number {
  const next = `${path}.new`;
  // A new file, so that its mode is this one.
  rmSync(next, { force: true });
  const file = openSync(next, 'wx', 0o600);
  try {
    write(file, HEADER);
    for (const [table, values] of kept) {
      for (const [key, value] of values) write(file, `${JSON.stringify([[table, key, value]])}\n`);
    }
    fsyncSync(file);
    renameSync(next, path);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** @throws ConfigurationError in the place of an error of the file system */
function explained<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    const { code, syscall } = Object(cause);
    if (syscall === undefined) throw cause;
    throw new ConfigurationError(`The journal ${path} cannot be used (${code}).`, { cause });
  }
}

function write(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** What a journal leads to: the last value of each key, in the order in which the keys came. */
function readJournal(path: string): Values {
  const tables = new Map<string, Map<string, unknown>>();
  for (const [table, key, value] of entries(path)) {
    const values = tables.get(table) ?? new Map<string, unknown>();
    tables.set(table, values);
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
  return tables;
}

function* entries(path: string): Iterable<Change> {
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    const begin = Buffer.alloc(HEADER.length);
    const head = begin.toString('utf8', 0, readSync(file, begin, 0, begin.length, 0));
    // Only the very first write can have been cut off in the header.
    if (head !== HEADER && HEADER.startsWith(head)) return;
    if (head !== HEADER) {
      throw new ConfigurationError(
        `${path} is not a journal of this version of the sandbox; move it away to start anew.`,
      );
    }
    let number = 1;
    for (const line of linesOf(file, HEADER.length)) yield* parseLine(path, line, ++number);
  } finally {
    closeSync(file);
  }
}

/**
 * The lines of a file from a position on, as they are read. Behind the last line feed is nothing, or an entry that was
 * never finished: nobody has been told of it.
 */
function* linesOf(file: number, position: number): Iterable<string> {
  const block = Buffer.alloc(64 * 1024);
  let begun: Buffer[] = [];
  for (let at = position; ; ) {
    const size = readSync(file, block, 0, block.length, at);
    if (size === 0) return;
    at += size;
    let from = 0;
    for (let end = lineEnd(block, size, from); end >= 0; end = lineEnd(block, size, from)) {
      yield Buffer.concat([...begun, block.subarray(from, end)]).toString();
      begun = [];
      from = end + 1;
    }
    // A copy: the block is read into again.
    if (from < size) begun.push(Buffer.from(block.subarray(from, size)));
  }
}

/** Where the line ends that begins there; -1 where the block ends before. */
function lineEnd(block: Buffer, size: number, from: number): number {
  return block.subarray(0, size).indexOf(10, from);
}

function parseLine(path: string, line: string, number: number): Change[] {
  try {
    const changes: unknown = JSON.parse(line);
    if (Array.isArray(changes) && changes.every(isChange)) return changes;
  } catch {
    // Reported below.
  }
  throw new ConfigurationError(
    `Line ${number} of ${path} is damaged. The file has been left as it is; repair it, or move it away to start anew.`,
  );
}

function isChange(value: unknown): value is Change {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string';
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (Object(error).code === 'ENOENT') return undefined;
    throw error;
  }
}
