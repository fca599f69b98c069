/**
 * Several machines behind one URL share a store in Redis, so that each notification is processed once.
 *
 * By default it starts its own redis-server, if installed; with REDIS_URL it uses that Redis. The sandbox
 * sends one notification to two machines at the same time, as happens when a reply is slow.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { type NotificationStore, Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { startRedis } from './support/redis-server';

type Redis = Pick<ReturnType<typeof createClient>, 'eval' | 'get' | 'set'>;

/** Deletes a key if it still has the given value. */
const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end";

/**
 * One key per notification: its value is the attempt in progress, or `done`. Redis must read from its primary and must not
 * evict keys (`maxmemory-policy noeviction`).
 * @param prefix different for each service that shares this Redis
 */
export function redisStore(redis: Redis, prefix = 'wechatpay:'): NotificationStore {
  return {
    async reserve(id, attempt, seconds) {
      const expiration = { type: 'EX', value: seconds } as const;
      const reply = await redis.set(prefix + id, attempt, { condition: 'NX', expiration });
      if (reply === 'OK') return 'reserved';
      return (await redis.get(prefix + id)) === 'done' ? 'done' : 'busy';
    },
    async complete(id, seconds) {
      await redis.set(prefix + id, 'done', { expiration: { type: 'EX', value: seconds } });
    },
    async release(id, attempt) {
      await redis.eval(RELEASE, { keys: [prefix + id], arguments: [attempt] });
    },
  };
}

async function main(): Promise<void> {
  await using server = process.env.REDIS_URL ? undefined : await startRedis();
  const redisUrl = process.env.REDIS_URL ?? server?.url;
  if (!redisUrl) return console.log('redis-server was not found; install it, or set REDIS_URL.');
  await using sandbox = await Sandbox.start();
  const { certs, apiv3Key } = sandbox.config;

  /** A machine: its own connection to Redis, and its own server. */
  async function startMachine(name: string) {
    const redis = createClient({ url: redisUrl ?? '' });
    await redis.connect();
    const notifications = Notifications.of({ certs, apiv3Key, store: redisStore(redis) });
    const handler = notifications.nodeHandler(({ resource }) => console.log('processed once:', name, resource));
    const machine = createServer(handler).listen(0, '127.0.0.1');
    await once(machine, 'listening');
    const close = () => Promise.all([redis.close(), machine.close()]);
    return { url: `http://127.0.0.1:${(machine.address() as AddressInfo).port}/notify`, close };
  }

  const machines = [await startMachine('A'), await startMachine('B')];
  const send = ({ url }: { url: string }) =>
    sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url, { id: 'EV-1' });
  await Promise.all(machines.map(send));
  // One machine replied with 503 while the other was processing it: to that one it is sent again, after 15 s.
  await sandbox.clock.advance({ seconds: 15 });
  console.log('replied:', ...sandbox.notifications.map(({ attempts }) => attempts.map(({ status }) => status)));
  await Promise.all(machines.map(({ close }) => close()));
}

if (require.main === module) void main();
