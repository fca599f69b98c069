import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { redisStore } from '../../examples/notify-redis';
import { type RedisServer, startRedis } from '../../examples/support/redis-server';

const isInstalled = spawnSync('redis-server', ['--version']).error === undefined;
if (!isInstalled) console.warn('There is no redis-server on the PATH: the tests with a real Redis are skipped.');

let redis: RedisServer | undefined;
let sandbox: Sandbox;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  if (isInstalled) redis = await startRedis();
  sandbox = await Sandbox.start();
});

afterAll(async () => {
  for (const child of processes) child.kill();
  await Promise.all([sandbox.close(), redis?.[Symbol.asyncDispose]()]);
});

const redisTest = (name: string, run: (url: string) => Promise<void>) =>
  (isInstalled ? test : test.skip)(name, () => run(redis?.url ?? ''), 120_000);

/** A machine: a process of its own. */
async function startMachine(redisUrl: string, env: { PORT?: string; DIES?: string } = {}) {
  const [id = '', key] = Object.entries(sandbox.config.certs)[0] ?? [];
  const child = spawn(process.execPath, ['-r', 'esbuild-register', join(__dirname, 'machine.fixture.ts')], {
    env: {
      ...{ ...process.env, ...env, REDIS_URL: redisUrl, APIV3_KEY: sandbox.config.apiv3Key },
      ...{ PUBLIC_KEY_ID: id, PUBLIC_KEY: String(key?.export({ type: 'spki', format: 'pem' })) },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const exit = once(child, 'exit');
  await once(reader, 'line');
  const port = lines.shift()?.replace('listens ', '') ?? '';
  return { port, url: `http://127.0.0.1:${port}/notify`, lines, exit };
}

const begun = 'begins {"out_trade_no":"ORDER-1"}';
const notify = ({ url }: { url: string }, id: string) =>
  sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url, { id });
const statuses = ({ attempts }: { attempts: readonly { status: number | undefined }[] }) =>
  attempts.map(({ status }) => status);

redisTest('what reaches two processes at once is processed once', async (url) => {
  const machines = await Promise.all([startMachine(url), startMachine(url)]);
  const firsts = await Promise.all(machines.map((machine) => notify(machine, 'EV-1')));
  // The one that was told to come again does so.
  await sandbox.clock.advance({ minutes: 1 });
  const deliveries = sandbox.notifications.slice(-firsts.length);
  expect(machines.flatMap(({ lines }) => lines)).toEqual([begun, 'ends']);
  const [first, second] = deliveries.map(statuses).sort((a, b) => a.length - b.length);
  expect(first).toEqual([204]);
  // The other says so as long as it lasts, and then that it is done.
  expect(second?.slice(0, -1)).toEqual(second?.slice(1).map(() => 503));
  expect([second?.[0], second?.at(-1)]).toEqual([503, 204]);
  expect(await notify(machines[0] ?? { url: '' }, 'EV-1')).toMatchObject({ delivered: true });
  expect(machines.flatMap(({ lines }) => lines)).toEqual([begun, 'ends']);
});

redisTest('a process that dies in the middle lets a repeat through, which is processed', async (url) => {
  const client = createClient({ url });
  await client.connect();
  const key = 'wechatpay:default:EV-2';
  const dying = await startMachine(url, { DIES: '1' });
  const delivery = notify(dying, 'EV-2');
  await dying.exit;
  expect(await client.pTTL(key)).toBeLessThanOrEqual(50_000);
  const machine = await startMachine(url, { PORT: dying.port });
  // Until its 50 s are over, the record of the dead one keeps others off.
  const isBusy = () => statuses(sandbox.notifications.at(-1) ?? { attempts: [] }).includes(503);
  expect((await delivery).delivered).toBeUndefined();
  while (!isBusy()) await sandbox.clock.advance({ seconds: 15 });
  await client.pExpire(key, 1);
  const last = () => sandbox.notifications.at(-1);
  while (last()?.delivered === undefined) await sandbox.clock.advance({ seconds: 15 });
  expect(last()?.delivered).toBe(true);
  expect([dying.lines, machine.lines]).toEqual([[begun], [begun, 'ends']]);
  const replies = statuses(last() ?? { attempts: [] });
  expect([replies[0], replies.at(-1)]).toEqual([undefined, 204]);
  expect(await client.ttl(key)).toBeGreaterThan(48 * 3600);
  await client.close();
});

redisTest('the store keeps to its contract', async (url) => {
  const client = createClient({ url });
  await client.connect();
  const store = redisStore(client);
  const attempts = ['1', '2', '3', '4'];
  expect(await Promise.all(attempts.map((attempt) => store.reserve('a', attempt, 60)))).toEqual([
    'reserved',
    ...['busy', 'busy', 'busy'],
  ]);
  expect(await client.ttl('wechatpay:a')).toBeGreaterThan(55);
  // Another attempt's record stays.
  await store.release('a', '2');
  expect(await store.reserve('a', '2', 60)).toBe('busy');
  await store.release('a', '1');
  expect(await store.reserve('a', '2', 60)).toBe('reserved');
  await store.complete('a', 1000);
  expect(await client.ttl('wechatpay:a')).toBeGreaterThan(995);
  await store.release('a', '2');
  await store.release('none', '2');
  expect(await store.reserve('a', '3', 60)).toBe('done');
  expect(await store.reserve('b', '1', 1)).toBe('reserved');
  while ((await store.reserve('b', '2', 1)) !== 'reserved') await sleep(50);
  await client.close();
});
