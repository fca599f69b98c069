import { randomUUID } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../crypto/bytes';
import type { Fingerprint } from '../crypto/fingerprint';
import { InvalidArgumentError } from '../errors';

/** A temporary file with data that could be read only once. */
export interface Spool {
  /** Reads from a position into the buffer; returns the number of bytes read. */
  read(chunk: Uint8Array, position: number): Promise<number>;
  /** Closes the file, which deletes it. */
  dispose(): Promise<void>;
}

/** An open file; its name is set if the system could not unlink it while open. */
interface Held {
  readonly file: FileHandle;
  readonly path: string | undefined;
}

/** Files that still have a name. */
const named = new Set<string>();
/** Cleans up files that were never disposed of. The value held here keeps the file open until then. */
const forgotten = new FinalizationRegistry<Held>((held) => void release(held).catch(() => {}));

/**
 * Writes bytes to a temporary file that only this user can read.
 *
 * The file is unlinked before anything is written to it, so nothing is left behind however the process ends. Where the
 * system does not allow that (Windows), it is deleted by `dispose`, once nothing refers to the result any more, or when
 * the process exits.
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
      if (file.fd < 0) throw new InvalidArgumentError('The Media has been disposed of; create it again.');
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
  // The flags make this fail if a file or link with this name exists.
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
      // There is nobody left to report this to.
    }
  }
}

/**
 * What can be uploaded: a file path or `file:` URL, bytes, a `Blob` or `File`, or a stream (a Node.js or web stream, or
 * any async iterable of bytes).
 */
export type MediaSource = string | URL | Uint8Array | ArrayBuffer | Blob | AsyncIterable<Uint8Array | string>;

/** A source that can be read more than once. */
export interface Source {
  /**
   * The bytes from the start, again on each call.
   * @param buffer a buffer to reuse for every read, for consumers that keep no chunk
   */
  open(buffer?: Buffer): AsyncIterable<Uint8Array>;
  /** Releases what the source holds. */
  dispose(): Promise<void>;
}

/**
 * Bytes of a file per chunk sent. With larger chunks, V8 lets some 32 MB pile up before it collects them; with this size
 * (one TLS record), some 20 MB.
 */
const CHUNK_SIZE = 16 * 1024;
/** Bytes of a file per chunk hashed. */
const BUFFER_SIZE = 256 * 1024;

/**
 * Reads a source once to hash it, and copies a stream to a temporary file meanwhile.
 * @throws {@link InvalidArgumentError} if it is not a supported source, or its file cannot be read
 */
export async function readSource(source: MediaSource, taken: Fingerprint): Promise<Source> {
  const opener = repeatable(source);
  if (opener) {
    for await (const chunk of opener(Buffer.allocUnsafeSlow(BUFFER_SIZE))) taken.update(chunk);
    return { open: opener, dispose: async () => {} };
  }
  if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source)) {
    throw new InvalidArgumentError(
      'A Media must be the path or file: URL of a file, bytes, a Blob or a stream of bytes.',
    );
  }
  const file = await spool(fingerprinted(source as AsyncIterable<unknown>, taken));
  return { open: (buffer) => readSpool(file, buffer), dispose: () => file.dispose() };
}

/** The file name of the source, if it has one. */
export function filenameOf(source: MediaSource): string | undefined {
  if (typeof source === 'string' || source instanceof URL) return basename(pathOf(source));
  if (typeof source !== 'object' || source === null) return undefined;
  if ('name' in source && typeof source.name === 'string' && source.name !== '') return source.name;
  return 'path' in source && typeof source.path === 'string' ? basename(source.path) : undefined;
}

function repeatable(source: MediaSource): Source['open'] | undefined {
  if (typeof source === 'string' || source instanceof URL) {
    const path = pathOf(source);
    return (buffer) => readFile(path, buffer);
  }
  if (source instanceof Uint8Array) return () => once(source);
  if (source instanceof ArrayBuffer) return () => once(new Uint8Array(source));
  if (source instanceof Blob) return () => source.stream();
  return undefined;
}

function pathOf(source: string | URL): string {
  if (typeof source === 'string' && !/^file:/i.test(source)) return source;
  try {
    return fileURLToPath(source);
  } catch {
    // The error of Node.js would repeat the URL.
    throw new InvalidArgumentError('Only file: URLs of local files can be uploaded.');
  }
}

async function* readFile(path: string, buffer?: Buffer): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    for (;;) {
      const chunk = buffer ?? Buffer.allocUnsafeSlow(CHUNK_SIZE);
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (cause) {
    throw new InvalidArgumentError(`The file to upload, ${path}, cannot be read (${codeOf(cause)}).`, { cause });
  } finally {
    await file?.close();
  }
}

async function* readSpool(file: Spool, buffer?: Buffer): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const chunk = buffer ?? Buffer.allocUnsafeSlow(CHUNK_SIZE);
    const bytesRead = await file.read(chunk, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* fingerprinted(chunks: AsyncIterable<unknown>, taken: Fingerprint): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError(`An upload stream must yield bytes; it yielded a value of type ${typeof chunk}.`);
    }
    taken.update(bytes);
    yield bytes;
  }
}
