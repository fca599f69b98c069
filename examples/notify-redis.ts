/**
 * Several machines behind one address: a store in Redis has each notification processed once.
 *
 * Run as it is, it starts a redis-server of its own if there is one, or takes the Redis of REDIS_URL; the simulator sends
 * one notification to two machines at once, as it happens when an answer is slow.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { Notification, type NotificationStore } from 'wechatpay-undici';
import { Simulator } from 'wechatpay-undici/simulator';
import { startRedis } from './support/redis-server';

type Redis = Pick<ReturnType<typeof createClient>, 'exists' | 'set'>;

/** Holds ids in Redis; each is claimed in one step, by `SET NX`. */
export function redisStore(redis: Redis, prefix = 'wechatpay:'): NotificationStore {
  return {
    async claim(id, ttl) {
      const key = prefix + id;
      if (ttl === 0) return (await redis.exists(key)) === 0;
      const answer = await redis.set(key, '1', { condition: 'NX', expiration: { type: 'EX', value: ttl } });
      return answer === 'OK';
    },
  };
}

async function main(): Promise<void> {
  await using server = process.env.REDIS_URL ? undefined : await startRedis();
  const redisUrl = process.env.REDIS_URL ?? server?.url;
  if (!redisUrl) return console.log('There is no redis-server here: install it, or set REDIS_URL.');
  await using simulator = await Simulator.start({ notifyPace: 1 / 1000 });
  const { certs, apiv3Key } = simulator.config;

  /** A machine: a connection of its own to Redis, and a server of its own. */
  async function startMachine(name: string) {
    const redis = createClient({ url: redisUrl ?? '' });
    await redis.connect();
    const notifications = Notification.factory({ certs, apiv3Key, store: redisStore(redis) });
    const handler = notifications.handler(({ resource }) => console.log('processed once:', name, resource));
    const machine = createServer(handler).listen(0, '127.0.0.1');
    await once(machine, 'listening');
    const close = () => Promise.all([redis.close(), machine.close()]);
    return { url: `http://127.0.0.1:${(machine.address() as AddressInfo).port}/notify`, close };
  }

  const machines = [await startMachine('A'), await startMachine('B')];
  const send = ({ url }: { url: string }) =>
    simulator.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url, { id: 'EV-1' });
  const deliveries = await Promise.all(machines.map(send));
  // One machine answers 503 as long as the other is at it.
  console.log('answered:', ...deliveries.map(({ attempts }) => attempts.map(({ status }) => status)));
  await Promise.all(machines.map(({ close }) => close()));
}

if (require.main === module) void main();
