import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../lib/sandbox/journal';

const HEADER = '{"journal":"wechatpay-undici sandbox","version":1}\n';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(directory, 'sandbox.journal');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Opens the journal, does something, closes it; gives what the table holds. */
function session(work: (put: (key: string, value: object) => void, remove: (key: string) => void) => void = () => {}) {
  const { store, close } = openJournal(path);
  try {
    const table = store.table<object>('orders', { indexes: { state: (value) => Object(value).state } });
    work(
      (key, value) => {
        table.put(key, value);
        store.commit();
      },
      (key) => {
        table.delete(key);
        store.commit();
      },
    );
    return { values: Object.fromEntries(table.entries()), open: table.by('state', 'open') };
  } finally {
    close();
  }
}

test('a second start has what the first one committed, by key and by index, in the order in which it came', () => {
  session((put, remove) => {
    put('b', { state: 'open', text: '茶 \u2028 "\n' });
    put('a', { state: 'open' });
    put('c', { state: 'open' });
    put('a', { state: 'paid' });
    remove('c');
  });
  const { values, open } = session();
  expect(Object.entries(values)).toEqual([
    ['b', { state: 'open', text: '茶 \u2028 "\n' }],
    ['a', { state: 'paid' }],
  ]);
  expect(open).toEqual([{ state: 'open', text: '茶 \u2028 "\n' }]);
});

test('one commit is one line, written before anyone else is told of it', () => {
  const { store, close } = openJournal(path);
  const [one, other] = [store.table('one'), store.table('other')];
  const seen: string[] = [];
  store.listen(() => seen.push(readFileSync(path, 'utf8')));
  one.put('1', {});
  other.put('2', {});
  store.commit();
  store.commit();
  close();
  expect(seen).toEqual([`${HEADER}[["one","1",{}],["other","2",{}]]\n`]);
});

test('what was not committed is not there', () => {
  const { store, close } = openJournal(path);
  store.table('orders').put('a', {});
  close();
  expect(session().values).toEqual({});
});

test('a start leaves one entry for each value that is left', () => {
  session((put, remove) => {
    for (let i = 0; i < 100; i++) put('a', { i });
    put('b', {});
    remove('b');
  });
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(1 + 102 + 1);
  session();
  expect(readFileSync(path, 'utf8')).toBe(`${HEADER}[["orders","a",{"i":99}]]\n`);
});

test('an entry is whole or not there, wherever it was cut off', () => {
  session((put) => {
    put('a', { text: '茶' });
    put('b', { text: '茶' });
  });
  const whole = readFileSync(path);
  const [first, second] = [whole.indexOf('\n', HEADER.length) + 1, whole.length];
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const expected = length < first ? [] : length < second ? ['a'] : ['a', 'b'];
    expect(Object.keys(session().values)).toEqual(expected);
  }
});

test('what a torn entry is followed by does not run into it', () => {
  session((put) => put('a', {}));
  appendFileSync(path, '[["orders","torn",{"te');
  session((put) => put('b', {}));
  expect(Object.keys(session().values)).toEqual(['a', 'b']);
});

test.each([
  ['a line that is no JSON', (text: string) => text.replace('{"i":1}', '{"i":1'), 'Line 3 of'],
  ['an empty line', (text: string) => text.replace('[["orders","b"', '\n[["orders","b"'), 'Line 3 of'],
  ['an entry of another shape', (text: string) => text.replace('[["orders","b",{"i":1}]]', '["orders","b"]'), 'Line 3'],
  ['bytes that are no text', (text: string) => text.replace('"b"', '\u0000'), 'Line 3 of'],
  ['a line that is no list', (text: string) => text.replace('[["orders","b",{"i":1}]]', 'null'), 'Line 3 of'],
  ['another version', (text: string) => text.replace('"version":1', '"version":2'), 'not a journal of this version'],
  ['a foreign file', () => 'DATABASE_URL=postgres://localhost\n', 'not a journal of this version'],
  ['a foreign file without a line end', () => 'x', 'not a journal of this version'],
])('%s is refused, and the file is left as it is', (_, damage, message) => {
  session((put) => {
    put('a', { i: 0 });
    put('b', { i: 1 });
    put('c', { i: 2 });
  });
  const damaged = damage(readFileSync(path, 'utf8'));
  expect(damaged).not.toBe(readFileSync(path, 'utf8'));
  writeFileSync(path, damaged);
  const { ino, mtimeMs } = statSync(path);
  expect(() => openJournal(path)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  expect(() => openJournal(path)).toThrow(message);
  expect(readFileSync(path, 'utf8')).toBe(damaged);
  expect(statSync(path)).toMatchObject({ ino, mtimeMs });
  // Nor is anything left beside it.
  expect(readdirSync(directory)).toEqual(['sandbox.journal']);
});

test('only its owner can read it, even where the files before it were open to all', () => {
  session();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  chmodSync(path, 0o644);
  writeFileSync(`${path}.new`, 'left by a start that was killed', { mode: 0o644 });
  session();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['sandbox.journal']);
});

test('a journal that cannot be written is a configuration error', () => {
  const missing = join(directory, 'missing', 'sandbox.journal');
  expect(() => openJournal(missing)).toThrow(/^The journal .*missing\/sandbox\.journal cannot be used \(ENOENT\)\.$/);
  expect(() => openJournal(directory)).toThrow(/^The journal .* cannot be used \(EISDIR\)\.$/);
  rmSync(`${directory}.lock`, { force: true });
});

describe('one process at a time', () => {
  test('a second sandbox of the same process is refused, until the first is closed', () => {
    const { close } = openJournal(path);
    expect(() => openJournal(path)).toThrow(`${path} is in use by the process ${process.pid}.`);
    close();
    session();
    expect(readdirSync(directory)).toEqual(['sandbox.journal']);
  });

  test('another process is refused while it runs, and its lock is taken over when it was killed', async () => {
    const child = fork(join(__dirname, 'journal-holder.fixture.ts'), [path], { execArgv: ['-r', 'esbuild-register'] });
    await once(child, 'message');
    const before = readFileSync(path, 'utf8');
    expect(() => openJournal(path)).toThrow(`${path} is in use by the process ${child.pid}.`);
    expect(readFileSync(path, 'utf8')).toBe(before);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(Object.keys(session().values)).toEqual(['held']);
  });

  test.each([
    ['a process that does not exist', JSON.stringify({ pid: 2 ** 22 + 1, started: '1' })],
    ['an earlier process with the same number', JSON.stringify({ pid: process.pid, started: '1' })],
    ['nobody', ''],
    ['something else', '{"pid":"1"}'],
  ])('a lock of %s is taken over', (_, text) => {
    writeFileSync(`${path}.lock`, text);
    session((put) => put('a', {}));
    expect(readdirSync(directory)).toEqual(['sandbox.journal']);
  });
});

test('a large journal is read and written whole', () => {
  session((put) => {
    for (let i = 0; i < 2000; i++) put(`order-${i}`, { text: '茶'.repeat(100), i });
  });
  truncateSync(path, statSync(path).size - 1);
  expect(Object.keys(session().values)).toHaveLength(1999);
});

test('an entry that is longer than any block it is read in', () => {
  const text = '茶'.repeat(100_000);
  session((put) => {
    put('a', { text });
    put('b', { text: 'short' });
  });
  expect(session().values).toEqual({ a: { text }, b: { text: 'short' } });
});

test('where an entry cannot be written whole, what was written of it is taken back, and none follows it', () => {
  // A file that may not grow further: the system writes what fits, and refuses the rest.
  const program = `
    const { openJournal } = require('./lib/sandbox/journal');
    process.on('SIGXFSZ', () => {});
    const { store } = openJournal(process.argv[1]);
    const table = store.table('orders');
    const put = (key, size) => { table.put(key, { text: 'x'.repeat(size) }); store.commit(); };
    const failure = (work) => { try { work(); return 'none'; } catch (error) { return error.message; } };
    put('a', 10);
    console.log(JSON.stringify([failure(() => put('b', 20_000)), failure(() => put('c', 10))]));`;
  const command = `ulimit -f 8; exec "${process.execPath}" -r esbuild-register -e "$0" "$1"`;
  const env = { ...process.env, NODE_ENV: 'test' };
  const [first, second] = JSON.parse(execFileSync('bash', ['-c', command, program, path], { encoding: 'utf8', env }));
  expect(first).toContain('EFBIG');
  expect(second).toContain('could not be written; start the sandbox again');
  expect(Object.keys(session((put) => put('d', {})).values)).toEqual(['a', 'd']);
});
