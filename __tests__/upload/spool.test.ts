import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import fsPromises, { type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Media } from 'wechatpay-undici';
import { spool } from '../../lib/upload/source';

const CONTENT = Buffer.from('IDENTITY CARD '.repeat(5_000));
const isPosix = process.platform !== 'win32';

let temporary: string;

beforeEach(() => {
  temporary = mkdtempSync(join(os.tmpdir(), 'spool-test-'));
  jest.spyOn(os, 'tmpdir').mockReturnValue(temporary);
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(temporary, { recursive: true });
});

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < CONTENT.length; start += 1000) yield CONTENT.subarray(start, start + 1000);
}

/** What the file system has by a name. */
const names = () => readdirSync(temporary);

async function contentOf(file: Awaited<ReturnType<typeof spool>>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let position = 0; ; ) {
    const chunk = Buffer.alloc(777);
    const size = await file.read(chunk, position);
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(chunk.subarray(0, size));
    position += size;
  }
}

/** The files that are opened from now on: the calls go through to the system. */
function watchOpen(): () => Promise<FileHandle[]> {
  const open = jest.spyOn(fsPromises, 'open');
  return () => Promise.all(open.mock.results.map(({ value }) => value as Promise<FileHandle>));
}

/** As on a system that keeps the name of an open file. */
function refuseUnlink(): void {
  const refused = Object.assign(new Error('busy'), { code: 'EBUSY' });
  jest.spyOn(fsPromises, 'unlink').mockRejectedValueOnce(refused);
}

async function collectGarbage(until: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  while (!until()) {
    collect();
    await new Promise(setImmediate);
  }
}

test('is read as it was written, from any position, by several at once', async () => {
  const file = await spool(chunks());
  const [one, other] = await Promise.all([contentOf(file), contentOf(file)]);
  expect(one.equals(CONTENT) && other.equals(CONTENT)).toBe(true);
  await file.dispose();
  await file.dispose();
});

test('has no name while it is written, nor afterwards', async () => {
  const seen: string[][] = [];
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks()) {
      seen.push(names());
      yield chunk;
    }
  }
  const file = await spool(watched());
  expect(seen).toHaveLength(CONTENT.length / 1000);
  expect([...seen.flat(), ...names()]).toEqual([]);
  await file.dispose();
});

(isPosix ? test : test.skip)('can be opened by this user alone, from the first moment', async () => {
  const opened = watchOpen();
  const umask = process.umask(0);
  try {
    const file = await spool(chunks());
    const [handle] = await opened();
    const { mode, nlink } = (await handle?.stat()) ?? {};
    expect([(mode ?? 0) & 0o777, nlink]).toEqual([0o600, 0]);
    await file.dispose();
  } finally {
    process.umask(umask);
  }
});

test('is not written into a file or a link that has the name already', async () => {
  const opened = watchOpen();
  await (await spool(chunks())).dispose();
  expect((fsPromises.open as unknown as jest.Mock).mock.calls[0]?.[1]).toBe('wx+');
  expect(await opened()).toHaveLength(1);
});

test.each(['open', 'named'])('a stream that fails leaves nothing behind (%s)', async (how) => {
  if (how === 'named') refuseUnlink();
  const opened = watchOpen();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield CONTENT;
    throw new Error('reset');
  }
  await expect(spool(broken())).rejects.toThrow('reset');
  expect(names()).toEqual([]);
  expect((await opened()).map(({ fd }) => fd)).toEqual([-1]);
});

test('media whose fields fail let go of the file', async () => {
  const opened = watchOpen();
  const meta = () => Promise.reject(new Error('no meta'));
  await expect(Media.from(chunks(), { filename: 'a.png', meta })).rejects.toThrow('no meta');
  expect((await opened()).map(({ fd }) => fd)).toEqual([-1]);
});

test('is closed by dispose, at the end of a block, and once it is forgotten', async () => {
  const opened = watchOpen();
  const closed = async () => (await opened()).map(({ fd }) => fd === -1);
  await (await spool(chunks())).dispose();
  {
    await using media = await Media.from(chunks(), { filename: 'a.png' });
    expect(media.size).toBe(CONTENT.length);
    expect(await closed()).toEqual([true, false]);
  }
  await spool(chunks());
  const [, , forgotten] = await opened();
  await collectGarbage(() => forgotten?.fd === -1);
  expect(await closed()).toEqual([true, true, true]);
});

describe('where a file that is open keeps its name', () => {
  beforeEach(() => refuseUnlink());

  (isPosix ? test : test.skip)('this user alone can open it', async () => {
    const umask = process.umask(0);
    try {
      const file = await spool(chunks());
      expect(names().map((name) => statSync(join(temporary, name)).mode & 0o777)).toEqual([0o600]);
      await file.dispose();
    } finally {
      process.umask(umask);
    }
  });

  test('it is deleted by dispose', async () => {
    const file = await spool(chunks());
    expect(names()).toHaveLength(1);
    expect((await contentOf(file)).equals(CONTENT)).toBe(true);
    await file.dispose();
    await file.dispose();
    expect(names()).toEqual([]);
  });

  test('it is deleted once it is forgotten', async () => {
    await spool(chunks());
    expect(names()).toHaveLength(1);
    await collectGarbage(() => names().length === 0);
  });

  test('it may be gone by then', async () => {
    const file = await spool(chunks());
    for (const name of names()) fs.unlinkSync(join(temporary, name));
    await expect(file.dispose()).resolves.toBeUndefined();
  });
});

/** Spools in a process of its own, which then ends by a signal, or by itself. */
async function endBy(end: NodeJS.Signals | 'exit', prelude = ''): Promise<string[]> {
  const program = `
    ${prelude}
    const { spool } = require('./lib/upload/source');
    (async () => {
      globalThis.kept = await spool((async function* () { yield Buffer.from('IDENTITY CARD'); })());
      if ('${end}' === 'exit') process.exit(0);
      console.log('ready');
      setInterval(() => {}, 1000);
    })();`;
  const child = spawn(process.execPath, ['-r', 'esbuild-register', '-e', program], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  if (end !== 'exit') {
    await once(child.stdout, 'data');
    child.kill(end);
  }
  await exited;
  return names();
}

(isPosix ? test : test.skip).each<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'])(
  'nothing is left of a process that %s ends',
  async (signal) => {
    expect(await endBy(signal)).toEqual([]);
  },
);

test('nothing is left at the exit of a process, where the name was kept', async () => {
  const prelude = `
    const promises = require('node:fs/promises');
    promises.unlink = () => Promise.reject(new Error('busy'));
    process.on('exit', () => require('node:assert').equal(require('node:fs').readdirSync('${temporary}').length, 1));`;
  expect(await endBy('exit', prelude)).toEqual([]);
});
