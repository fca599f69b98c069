import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { certs, PLATFORM_ID, signed } from '../notification/support';
import { rsaKeyPair } from '../support/keys';

/**
 * With `MEMORY_TEST=full` 100,000 calls and 2 GB, on a machine that has nothing else to do. By default a part of it, and
 * room for a garbage collector that other tests keep waiting.
 */
const FULL = process.env.MEMORY_TEST === 'full';
const UPLOAD_LIMIT = FULL ? 100 : 200;
const CALLS = FULL ? 100_000 : 10_000;
const SIZE = (FULL ? 2048 : 256) * 1024 * 1024;
/** How much the heap may grow by in a round that leaves nothing, in bytes. */
const ROOM = 500_000;
const TIME = FULL ? 600_000 : 60_000;

const directory = mkdtempSync(join(tmpdir(), 'client-memory-'));
const bundle = join(directory, 'client.js');
const ZEROS = Buffer.alloc(64 * 1024);
let server: Server;
let setup: string;
/** Bytes of the body that was received last. */
let received = 0;

beforeAll(async () => {
  // The client alone, as it is built: what translates it from TypeScript would take memory of its own.
  buildSync({ entryPoints: ['lib/index.ts'], outfile: bundle, bundle: true, platform: 'node', logLevel: 'error' });
  server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  setup = JSON.stringify({
    mchid: '1900000109',
    serial: '3775B6A45ACD588826D15E583A95F5DD3775B6A4',
    privateKey: rsaKeyPair(2048, 'other').privateKey.export({ format: 'pem', type: 'pkcs8' }),
    certs: { [PLATFORM_ID]: certs[PLATFORM_ID]?.export({ format: 'pem', type: 'spki' }) },
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

/** Signed once a second, the same for all who ask meanwhile. */
const answers = new Map<number, ReturnType<typeof signed>>();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  received = 0;
  for await (const chunk of request) received += chunk.length;
  if (request.url?.startsWith('/v3/billdownload/')) return void Readable.from(zeros(SIZE)).pipe(response);
  const time = Math.floor(Date.now() / 1000);
  const { headers, body } = answers.get(time) ?? signed('{"media_id":"M-1"}');
  answers.set(time, { headers, body });
  response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
}

function* zeros(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += ZEROS.length) yield ZEROS;
}

/** Runs a program in a process of its own, which holds a client and nothing else; gives what it prints as JSON. */
async function run(program: string): Promise<Record<string, unknown>> {
  const source = `(async () => {
    const { Builder, Media } = require(process.argv[1]);
    const instance = Builder.factory(JSON.parse(process.argv[2]));
    ${program}
  })()`;
  const args = ['--expose-gc', '-e', source, bundle, setup];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** The most memory that the process ever had, in MB. */
const PEAK = 'process.resourceUsage().maxRSS / 1024';

test(
  `${CALLS} calls on as many paths leave nothing on the heap`,
  async () => {
    const { rounds, answered, order } = await run(`
    let answered = 0;
    let order = 0;
    const heap = async () => {
      for (let i = 0; i < 4; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const calls = async (count) => {
      for (const last = order + count; order < last; ) {
        await Promise.all(Array.from({ length: 50 }, async () => {
          const path = 'v3/pay/transactions/out-trade-no/ORDER-' + ++order;
          const node = order % 2 ? instance.chain(path) : instance[path];
          if ((await node.get({ query: { mchid: '1900000109' } }).json()).media_id === 'M-1') answered++;
        }));
      }
    };
    await calls(5000);
    const rounds = [];
    for (let before = await heap(); rounds.length < 3 && !(rounds.at(-1) < ${ROOM}); ) {
      await calls(${CALLS});
      const after = await heap();
      rounds.push(after - before);
      before = after;
    }
    console.log(JSON.stringify({ rounds, answered, order }));
    process.exit();
  `);
    if (FULL) console.log(`${CALLS} calls: the heap has grown by ${rounds} bytes`);
    expect(answered).toBe(order);
    expect(order).toBeGreaterThanOrEqual(5000 + CALLS);
    // Tables of V8 and buffers of connections come once; a path alone, kept of each of 10,000 calls, is 800,000 bytes in
    // every round.
    expect(Math.min(...(rounds as number[]))).toBeLessThan(ROOM);
  },
  TIME,
);

test(
  `an upload of ${SIZE / 2 ** 20} MB takes less than ${UPLOAD_LIMIT} MB of memory in all`,
  async () => {
    const file = join(directory, 'video.mp4');
    writeFileSync(file, '');
    truncateSync(file, SIZE);
    const { media_id, contentLength, peak } = await run(`
    const media = await Media.from(${JSON.stringify(file)});
    const { media_id } = await instance.v3.merchant.media.video_upload.post({ body: media, timeout: ${TIME} }).json();
    console.log(JSON.stringify({ media_id, contentLength: media.contentLength, peak: ${PEAK} }));
    process.exit();
  `);
    if (FULL) console.log(`upload: ${peak} MB`);
    expect([media_id, received]).toEqual(['M-1', contentLength]);
    expect(contentLength).toBeGreaterThan(SIZE);
    expect(peak).toBeLessThan(UPLOAD_LIMIT);
  },
  TIME,
);

/**
 * What undici reads from a fast connection becomes garbage faster than V8 collects it: undici alone has some 140 MB at
 * its highest, whatever the size of the file.
 */
test(
  `a download of ${SIZE / 2 ** 20} MB, its hash checked, takes little more memory than undici alone`,
  async () => {
    const hash = createHash('sha1');
    for (const chunk of zeros(SIZE)) hash.update(chunk);
    const read = `
    let read = 0;
    for await (const chunk of body) read += chunk.length;
    console.log(JSON.stringify({ read, peak: ${PEAK} }));
    process.exit();
  `;
    const ours = await run(`
    const digest = { hash_type: 'SHA1', hash_value: '${hash.digest('hex')}' };
    const { body } = await instance.v3.billdownload.file.get({ query: { token: 'x' }, digest });
    ${read}`);
    const alone = await run(`
    const { request } = require(${JSON.stringify(require.resolve('undici'))});
    const { body } = await request(new URL('v3/billdownload/file', JSON.parse(process.argv[2]).baseUrl));
    ${read}`);
    if (FULL) console.log(`download: ${ours.peak} MB; by undici alone: ${alone.peak} MB`);
    expect([ours.read, alone.read]).toEqual([SIZE, SIZE]);
    expect(ours.peak).toBeLessThan(Number(alone.peak) + 60);
  },
  TIME,
);
