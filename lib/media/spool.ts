import { rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file of our own that holds what could be read only once. */
export interface Spool {
  readonly path: string;
  /** Deletes the file. */
  dispose(): Promise<void>;
}

/** Directories that are still there. */
const directories = new Set<string>();
/** For those whose owner has forgotten them. */
const forgotten = new FinalizationRegistry(removeNow);

/**
 * Writes bytes to a temporary file that only this user can read. It is deleted by `dispose`, or else once nothing refers
 * to the result any more, or when the process exits.
 */
export async function spool(chunks: AsyncIterable<Uint8Array>): Promise<Spool> {
  const directory = await mkdtemp(join(tmpdir(), 'wechatpay-'));
  if (directories.size === 0) process.once('exit', removeAll);
  directories.add(directory);
  const path = join(directory, 'upload');
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
  } catch (error) {
    await remove(directory);
    throw error;
  }
  const result: Spool = { path, dispose: () => remove(directory) };
  forgotten.register(result, directory);
  return result;
}

async function remove(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  forget(directory);
}

function removeNow(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // There is nobody left to tell.
  }
  forget(directory);
}

function removeAll(): void {
  directories.forEach(removeNow);
}

function forget(directory: string): void {
  directories.delete(directory);
  if (directories.size === 0) process.off('exit', removeAll);
}
