import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from 'redis';
import { Simulator } from 'wechatpay-undici/simulator';
import { redisStore } from '../../examples/notify-redis';
import { type RedisServer, startRedis } from '../../examples/support/redis-server';

const isInstalled = spawnSync('redis-server', ['--version']).error === undefined;
if (!isInstalled) console.warn('There is no redis-server on the PATH: the tests with a real Redis are skipped.');

let redis: RedisServer | undefined;
let simulator: Simulator;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  if (isInstalled) redis = await startRedis();
  simulator = await Simulator.start({ notifyPace: 1 / 1000 });
});

afterAll(async () => {
  for (const child of processes) child.kill();
  await Promise.all([simulator.close(), redis?.[Symbol.asyncDispose]()]);
});

const redisTest = (name: string, run: (url: string) => Promise<void>) =>
  (isInstalled ? test : test.skip)(name, () => run(redis?.url ?? ''), 120_000);

/** A machine: a process of its own. */
async function startMachine(redisUrl: string, env: { PORT?: string; DIES?: string } = {}) {
  const [id = '', key] = Object.entries(simulator.config.certs)[0] ?? [];
  const child = spawn(process.execPath, ['-r', 'esbuild-register', join(__dirname, 'machine.fixture.ts')], {
    env: {
      ...{ ...process.env, ...env, REDIS_URL: redisUrl, APIV3_KEY: simulator.config.apiv3Key },
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
  simulator.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url, { id });
const statuses = ({ attempts }: { attempts: readonly { status: number | undefined }[] }) =>
  attempts.map(({ status }) => status);

redisTest('what reaches two processes at once is processed once', async (url) => {
  const machines = await Promise.all([startMachine(url), startMachine(url)]);
  const deliveries = await Promise.all(machines.map((machine) => notify(machine, 'EV-1')));
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
  const dying = await startMachine(url, { DIES: '1' });
  const delivery = notify(dying, 'EV-2');
  await dying.exit;
  const machine = await startMachine(url, { PORT: dying.port });
  expect((await delivery).delivered).toBe(true);
  expect([dying.lines, machine.lines]).toEqual([[begun], [begun, 'ends']]);
  const answers = statuses(await delivery);
  expect([answers[0], answers.at(-1)]).toEqual([undefined, 204]);
  // Meanwhile the claim of the dead one keeps it off.
  expect(answers).toContain(503);
});

redisTest('the store keeps to its contract', async (url) => {
  const client = createClient({ url });
  await client.connect();
  const store = redisStore(client);
  expect(await store.claim('a', 0)).toBe(true);
  expect(await Promise.all([1, 2, 3, 4].map(() => store.claim('a', 60)))).toEqual([true, false, false, false]);
  expect([await store.claim('a', 0), await store.claim('a', 60), await store.claim('b', 0)]).toEqual([
    ...[false, false],
    true,
  ]);
  expect(await client.ttl('wechatpay:a')).toBeGreaterThan(55);
  expect(await store.claim('c', 1)).toBe(true);
  while (!(await store.claim('c', 0))) await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
});
