import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { SCHEDULE } from '../../lib/sandbox/notifications/notify';

const [HOUR, DAY] = [3_600_000, 86_400_000];
/** How far the clock moves on while a receiver has not replied. */
const PATIENCE = 5000;
const [ORDERS, PAID] = [1000, 200];

let sandbox: Sandbox;
let server: Server;
let instance: ReturnType<typeof Builder.factory>;
let addresses: string[];
/** The ids of the notifications in the order in which they arrived. */
const arrived: string[] = [];
/** The connections of notifications that are open; each notification has its own. */
const connections = new Set<object>();

beforeAll(async () => {
  const counts = new Map<string, number>();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id } = JSON.parse(Buffer.concat(chunks).toString());
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    arrived.push(id);
    const isAccepted = request.url === '/good' || (request.url === '/recovers' && count === 4);
    response.writeHead(isAccepted ? 204 : 500).end();
    server.emit('notified');
  }).listen(0, '127.0.0.1');
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => {
      connections.delete(socket);
      server.emit('disconnected');
    });
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Nobody listens on the last one.
  addresses = [`${url}/failing`, `${url}/recovers`, `${url}/good`, 'http://127.0.0.1:1/'];
  sandbox = await Sandbox.start();
  sandbox.clock.freeze();
  instance = Builder.factory(sandbox.config);
});

afterAll(async () => {
  await sandbox.close();
  server.closeAllConnections();
  server.close();
});

const addressOf = (index: number) => addresses[index % addresses.length] ?? '';
const beijing = (time: number) => `${new Date(time + 8 * HOUR).toISOString().slice(0, 19)}+08:00`;
/** Seconds only: the times of the platform have no more. */
const seconds = (text: unknown) => Math.floor(Date.parse(String(text)) / 1000);

/** So many at the same time, each with its number. */
async function parallel(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: 25 }, worker));
}

/** Lets the event loop turn, so that whatever is ready runs. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
}

async function place(out_trade_no: string, index: number, time_expire: string): Promise<void> {
  await instance.v3.pay.transactions.native.post({
    json: {
      ...{ appid: 'wx8888888888888888', mchid: sandbox.config.mchid, description: '图书', out_trade_no },
      ...{ time_expire, notify_url: addressOf(index), amount: { total: 888, currency: 'CNY' } },
    },
  });
}

async function refund(out_trade_no: string, index: number): Promise<void> {
  await instance.v3.refund.domestic.refunds.post({
    json: {
      ...{ out_trade_no, out_refund_no: `R-${out_trade_no}`, notify_url: addressOf(index) },
      amount: { refund: 88, total: 888, currency: 'CNY' },
    },
  });
}

test('a month with 1,000 orders, refunds and addresses that fail', async () => {
  const start = sandbox.clock.now();
  /** Each at another time; the last hundred after the month. */
  const expiry = (index: number) => start + (index < ORDERS - 100 ? (index + 1) * 0.75 * HOUR : 40 * DAY);
  await parallel(ORDERS, (index) => place(`MONTH-${index}`, index, beijing(expiry(index))));
  await parallel(PAID, async (index) => {
    expect(await sandbox.pay(`MONTH-${index}`)).toMatchObject({ attempts: [expect.anything()] });
    await refund(`MONTH-${index}`, index);
  });
  expect(sandbox.refunds.map(({ status }) => status)).toEqual(Array(PAID).fill('PROCESSING'));

  await sandbox.clock.advance({ days: 30 });

  expect(sandbox.clock.now()).toBe(start + 30 * DAY);
  const states = new Map(sandbox.orders.map(({ out_trade_no, trade_state }) => [out_trade_no, trade_state]));
  expect(states.size).toBe(ORDERS);
  for (let index = 0; index < ORDERS; index++) {
    const open = index < ORDERS - 100 ? 'CLOSED' : 'NOTPAY';
    expect([index, states.get(`MONTH-${index}`)]).toEqual([index, index < PAID ? 'REFUND' : open]);
  }
  expect(sandbox.refunds).toHaveLength(PAID);
  for (const { status, create_time, success_time } of sandbox.refunds) {
    expect([status, seconds(success_time) - seconds(create_time)]).toEqual(['SUCCESS', 1]);
  }

  const query = { mchid: sandbox.config.mchid };
  const { _out_trade_no_ } = instance.v3.pay.transactions.outTradeNo;
  const queried = (out_trade_no: string) => _out_trade_no_.get({ out_trade_no, query }).json();
  expect(await queried('MONTH-0')).toMatchObject({ trade_state: 'REFUND' });
  expect(await queried('MONTH-500')).toMatchObject({ trade_state: 'CLOSED' });
}, 180_000);

test('each notification was sent on the schedule until it was accepted', () => {
  const waits = SCHEDULE.map((_, index) => SCHEDULE.slice(0, index + 1).reduce((sum, wait) => sum + wait, 0));
  const sent = { failing: waits.length + 1, recovers: 4, good: 1, '': waits.length + 1 };
  const { notifications } = sandbox;
  expect(notifications).toHaveLength(2 * PAID);
  for (const { url, attempts, delivered } of notifications) {
    const path = new URL(url).pathname.slice(1) as keyof typeof sent;
    const [{ time: first } = { time: 0 }] = attempts;
    const times = [0, ...waits].slice(0, sent[path]);
    const took = attempts.map(({ time }) => (time - first) / 1000);
    // The clock stands where the task was due, or up to 5 s later where another receiver was slow.
    expect([path, delivered, took.length]).toEqual([path, path === 'recovers' || path === 'good', times.length]);
    times.forEach((time, index) => {
      expect(took[index]).toBeGreaterThanOrEqual(time);
      expect(took[index]).toBeLessThanOrEqual(time + (index * PATIENCE) / 1000);
    });
  }
});

test('they arrived in the order in which they were due', () => {
  const attempts = new Map(sandbox.notifications.map((delivery) => [delivery.id, [...delivery.attempts]]));
  const times = arrived.map((id) => attempts.get(id)?.shift()?.time ?? Number.NaN);
  expect(times.length).toBeGreaterThan(1000);
  let latest = 0;
  const late = times.filter((time) => {
    latest = Math.max(latest, time);
    return !(time >= latest - PATIENCE);
  });
  expect(late).toEqual([]);
});

test('nothing runs after close(), in the middle of a month either', async () => {
  const start = sandbox.clock.now();
  await parallel(20, async (index) => {
    await place(`LATER-${index}`, 0, beijing(start + (index + 1) * DAY));
    if (index < 10) await sandbox.pay(`LATER-${index}`);
  });
  const before = arrived.length;
  const moved = sandbox.clock.advance({ days: 30 });
  while (arrived.length < before + 15) await once(server, 'notified');
  await sandbox.close();
  // Were the schedule still running, the move would end with everything carried out.
  await moved;
  const now = sandbox.clock.now();
  expect(now).toBeLessThan(start + DAY);
  expect(arrived.length - before).toBeLessThan(10 * SCHEDULE.length);
  const open = sandbox.orders.filter(({ out_trade_no }) => /^LATER-1\d/.test(out_trade_no));
  expect(open.map(({ trade_state }) => trade_state)).toEqual(Array(10).fill('NOTPAY'));
  // What was sent before close() may arrive afterwards.
  await turns();
  while (connections.size > 0) await once(server, 'disconnected');
  const last = arrived.length;
  await turns();
  expect({ arrived: arrived.length, open: connections.size, now: sandbox.clock.now() }).toEqual({
    ...{ arrived: last, open: 0, now },
  });
}, 60_000);
