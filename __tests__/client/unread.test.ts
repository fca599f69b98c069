import { execFileSync } from 'node:child_process';
import { getEventListeners, once, setMaxListeners } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { parseBill } from 'wechatpay-undici';
import { begunFiles, CONNECTIONS, KINDS } from './unread.fixture';

type Body = ReadableStream<Uint8Array>;
const bodyOf = (response: Response) => response.body as Body;
const nodeStream = (response: Response) => Readable.fromWeb(response.body as WebStream<Uint8Array>);

/** What a caller may do with a file of which it does not want all. */
const ENDS: Record<string, (response: Response) => unknown> = {
  'cancelled before the first read': (response) => bodyOf(response).cancel(),
  'cancelled for a reason that is null': (response) => bodyOf(response).cancel(null),
  'cancelled through a reader, unread': (response) => bodyOf(response).getReader().cancel(),
  async 'cancelled after a read'(response) {
    const reader = bodyOf(response).getReader();
    await reader.read();
    await reader.cancel();
  },
  async 'cancelled during a read'(response) {
    const reader = bodyOf(response).getReader();
    // The file does not end: some read waits for what never comes.
    const drained = (async () => {
      while (!(await reader.read()).done);
    })();
    await reader.cancel();
    await drained;
  },
  async 'broken off'(response) {
    for await (const chunk of response.body as WebStream<Uint8Array>) if (chunk.length > 0) break;
  },
  async 'destroyed as a stream of Node'(response) {
    await once(nodeStream(response).destroy(), 'close');
  },
  async 'destroyed as a stream of Node after a read'(response) {
    const stream = nodeStream(response);
    await once(stream, 'readable');
    await once(stream.destroy(), 'close');
  },
  async 'piped to where it fails'(response) {
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('the disk is full')) });
    await expect(pipeline(nodeStream(response), full)).rejects.toThrow('the disk is full');
  },
  async 'left after the first row'(response) {
    for await (const row of parseBill(bodyOf(response))) if (row.金额) break;
  },
  'cloned, and both cancelled': (response) => {
    const copy = response.clone();
    return Promise.all([bodyOf(response).cancel(), bodyOf(copy).cancel()]);
  },
  async 'too large for memory'(response) {
    await expect(response.text()).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  },
};

describe.each(Object.entries(KINDS))('%s', (_kind, download) => {
  test.each(Object.entries(ENDS))('%s: connection and listener are free', async (_end, end) => {
    const server = await begunFiles();
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    try {
      for (let count = 0; count < CONNECTIONS; count++) {
        await end(await download(server.instance, { signal, maxBuffer: 1000 }));
      }
      // There is a connection for it, or it ends by its time.
      expect(await server.instance.chain('v3/pay').post({ json: {} }).json()).toEqual({ prepay_id: 'wx1' });
      await Promise.all([...server.sockets].map((socket) => once(socket, 'close')));
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    } finally {
      await server.close();
    }
  });
});

/** Runs a program in a process of its own, with what collects garbage at its command; gives what it returns. */
function run(program: string): Record<string, unknown> {
  const source = `(async () => {
    const { getEventListeners, setMaxListeners } = require('node:events');
    const { Readable, Writable } = require('node:stream');
    const { pipeline } = require('node:stream/promises');
    const { begunFiles, BILL, KINDS, CONNECTIONS } = require('./__tests__/client/unread.fixture');
    const collect = async () => { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); };
    const results = {};
    ${program}
    process.stdout.write(JSON.stringify(results), () => process.exit());
  })()`;
  const args = ['--expose-gc', '-r', 'esbuild-register', '-e', source];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 }));
}

const FORGOTTEN = {
  'never read': '() => {}',
  'read once': '(response) => response.body.getReader().read()',
  'read once through a stream of Node': `(response) => new Promise((resolve) => {
    Readable.fromWeb(response.body).once('readable', resolve);
  })`,
  cloned: '(response) => void response.clone()',
};

test('a file that nobody can read any more frees connection and listener', () => {
  const results = run(`
    const ways = { ${Object.entries(FORGOTTEN).map(([name, way]) => `'${name}': ${way}`)} };
    for (const [kind, download] of Object.entries(KINDS)) for (const [name, way] of Object.entries(ways)) {
      const server = await begunFiles();
      const { signal } = new AbortController();
      setMaxListeners(0, signal);
      for (let count = 0; count < CONNECTIONS; count++) await (async () => way(await download(server.instance, { signal })))();
      const before = server.sockets.size;
      for (let i = 0; i < 200 && server.sockets.size > 0; i++) await collect();
      const after = server.sockets.size;
      const listeners = getEventListeners(signal, 'abort').length;
      const paid = after === 0 && (await server.instance.chain('v3/pay').post({ json: {} }).json()).prepay_id;
      results[kind + ', ' + name] = { before, after, listeners, paid };
      await server.close();
    }`);
  expect(Object.keys(results)).toHaveLength(Object.keys(KINDS).length * Object.keys(FORGOTTEN).length);
  for (const [name, result] of Object.entries(results)) {
    expect([name, result]).toEqual([name, { before: CONNECTIONS, after: 0, listeners: 0, paid: 'wx1' }]);
  }
}, 150_000);

const READ = {
  'a shortcut': '(response) => response.text()',
  'another response': '(response) => new Response(response.body).text()',
  'a reader alone': `async (response) => {
    const reader = response.body.getReader();
    response = undefined;
    const chunks = [];
    for (let next; !(next = await reader.read()).done; ) { chunks.push(next.value); await collect(); }
    return Buffer.concat(chunks).toString();
  }`,
  'a clone': '(response) => response.clone().text()',
  'a pipeline': `async (response) => {
    const chunks = [];
    await pipeline(Readable.fromWeb(response.body), new Writable({
      write(chunk, _encoding, done) { chunks.push(chunk); setTimeout(done, 1); },
    }));
    return Buffer.concat(chunks).toString();
  }`,
};

test('a file that is being read stays, however much garbage is collected meanwhile', () => {
  const results = run(`
    const ways = { ${Object.entries(READ).map(([name, way]) => `'${name}': ${way}`)} };
    const reading = [];
    const servers = [];
    for (const [kind, download] of Object.entries(KINDS)) {
      const server = await begunFiles();
      servers.push(server);
      for (const [name, way] of Object.entries(ways)) {
        const text = download(server.instance).then((response) => way(response)).catch(String);
        reading.push(text.then((text) => { results[kind + ', ' + name] = text === BILL; }));
      }
    }
    for (let i = 0; i < 20; i++) await collect();
    for (const server of servers) server.finish();
    await Promise.all(reading);
    for (const server of servers) await server.close();`);
  expect(Object.keys(results)).toHaveLength(Object.keys(KINDS).length * Object.keys(READ).length);
  expect(Object.entries(results).filter(([, isWhole]) => isWhole !== true)).toEqual([]);
}, 150_000);
