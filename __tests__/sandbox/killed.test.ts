import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Builder, type ClientConfig } from 'wechatpay-undici';
import { control } from './control/support';

type Config = ClientConfig & { mchid: string; baseUrl: string };

let child: ChildProcess | undefined;
const directory = mkdtempSync(join(tmpdir(), 'killed-'));
afterEach(kill);
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Starts the sandbox in a process of its own. */
async function start(): Promise<Config> {
  child = fork(join(__dirname, 'killed.fixture.ts'), [join(directory, 'journal')], {
    execArgv: ['-r', 'esbuild-register'],
  });
  const [config] = await once(child, 'message');
  return config;
}

async function kill(): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function clientOf(config: Config) {
  const instance = Builder.factory(config);
  const common = { appid: 'wx8888888888888888', mchid: config.mchid, description: '茶' };
  const notify_url = 'http://127.0.0.1:9/';
  return {
    place: (out_trade_no: string, total = 1) => {
      const json = { ...common, out_trade_no, notify_url, amount: { total, currency: 'CNY' } };
      return instance.v3.pay.transactions.native.post({ json }).json();
    },
    again: (out_trade_no: string) =>
      instance
        .chain('v3/pay/transactions/out-trade-no/{out_trade_no}')
        .get({ out_trade_no, query: { mchid: config.mchid } })
        .json(),
  };
}

test('killed at any moment under load, it starts again with all that it has responded to', async () => {
  const answered = new Set<string>();
  let key: unknown;
  for (let round = 0; round < 5; round++) {
    const config = await start();
    key ??= config.privateKey;
    expect(config.privateKey).toBe(key);
    const { place, again } = clientOf(config);
    for (const number of answered) {
      expect(await again(number)).toMatchObject({ out_trade_no: number, trade_state: 'NOTPAY' });
    }
    // It knows what was asked: the same is a repetition, another amount is refused.
    const [last] = [...answered].slice(-1);
    if (last !== undefined) {
      expect(await place(last)).toEqual({ code_url: expect.stringContaining('weixin://') });
      await expect(place(last, 2)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
    const before = answered.size;
    let isUp = true;
    const load = Array.from({ length: 8 }, async (_, lane) => {
      for (let i = 0; isUp; i++) {
        const number = `ORDER-${round}-${lane}-${i}`;
        const response = await place(number).catch(() => undefined);
        if (response) answered.add(number);
      }
    });
    while (answered.size < before + 10) await setTimeout(1);
    await setTimeout(randomInt(50));
    await kill();
    isUp = false;
    await Promise.all(load);
  }
  expect(answered.size).toBeGreaterThanOrEqual(50);
}, 120_000);

test('a notification that was on its way is sent again', async () => {
  let count = 0;
  const server = createServer((_, response) => {
    count += 1;
    if (count > 1) response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sandbox = { url: (await start()).baseUrl };
  const body = { name: 'TEA.SERVED', content: {}, url, wait: false };
  expect(await control(sandbox, 'POST /sandbox/notifications', body)).toMatchObject({ status: 204 });
  while (count < 1) await setTimeout(2);
  await kill();
  const again = { url: (await start()).baseUrl };
  const list = async () => (await control(again, 'GET /sandbox/notifications')).json;
  while ((await list())[0].delivered !== true) await setTimeout(5);
  expect(await list()).toMatchObject([{ attempts: [{ status: 204 }] }]);
  expect(count).toBe(2);
  server.close().closeAllConnections();
  await kill();
}, 60_000);
