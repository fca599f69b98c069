import { randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '../errors';

/** A file of our own that holds what could be read only once. */
export interface Spool {
  /** Reads from a position on; of the result that many bytes count. */
  read(chunk: Uint8Array, position: number): Promise<number>;
  /** Lets go of the file, which is gone then. */
  dispose(): Promise<void>;
}

/** An open file; its name where the system would not take it away. */
interface Held {
  readonly file: FileHandle;
  readonly path: string | undefined;
}

/** Files that have a name still. */
const named = new Set<string>();
/** For those whose owner has forgotten them. What is held here is what keeps the file open until then. */
const forgotten = new FinalizationRegistry<Held>((held) => void release(held).catch(() => {}));

/**
 * Writes bytes to a temporary file that only this user can read.
 *
 * It loses its name before anything is written to it, so that nothing is left behind however the process ends. Where the
 * system does not allow that (Windows), it is deleted by `dispose`, or else once nothing refers to the result any more, or
 * when the process exits.
 */
export async function spool(chunks: AsyncIterable<Uint8Array>): Promise<Spool> {
  const held = await create();
  const { file } = held;
  try {
    for await (const chunk of chunks) await file.writeFile(chunk);
  } catch (error) {
    await release(held);
    throw error;
  }
  const result: Spool = {
    async read(chunk, position) {
      if (file.fd < 0) throw new InvalidArgumentError('The media has been disposed of: make it anew.');
      return (await file.read(chunk, 0, chunk.length, position)).bytesRead;
    },
    dispose() {
      forgotten.unregister(result);
      return release(held);
    },
  };
  forgotten.register(result, held, result);
  return result;
}

async function create(): Promise<Held> {
  const path = join(tmpdir(), `wechatpay-${randomUUID()}`);
  // The name is nobody else's: it fails where there is such a file or link.
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    return { file, path: undefined };
  } catch {
    if (named.size === 0) process.once('exit', unlinkAll);
    named.add(path);
    return { file, path };
  }
}

async function release({ file, path }: Held): Promise<void> {
  await file.close();
  if (path === undefined || !named.delete(path)) return;
  if (named.size === 0) process.off('exit', unlinkAll);
  await unlink(path).catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function unlinkAll(): void {
  for (const path of named) {
    try {
      unlinkSync(path);
    } catch {
      // There is nobody left to tell.
    }
  }
}
