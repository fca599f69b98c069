import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { createClient } from 'redis';
import { redisStore } from '../../examples/notify-redis';
import * as Notifications from '../../lib/notification';

/** One of several machines that receive notifications: prints where it listens and what it processes. */
async function main(): Promise<void> {
  const { REDIS_URL = '', PUBLIC_KEY = '', PUBLIC_KEY_ID = '', APIV3_KEY = '', PORT = '0', DIES } = process.env;
  const redis = createClient({ url: REDIS_URL });
  await redis.connect();
  const store = redisStore(redis);
  const notifications = Notifications.of({ certs: { [PUBLIC_KEY_ID]: PUBLIC_KEY }, apiv3Key: APIV3_KEY, store });
  const server = createServer(
    notifications.nodeHandler(async ({ resource }) => {
      console.log(`begins ${JSON.stringify(resource)}`);
      if (DIES) process.exit(1);
      await setTimeout(1000);
      console.log('ends');
    }),
  ).listen(Number(PORT), '127.0.0.1', () => console.log(`listens ${(server.address() as AddressInfo).port}`));
}

void main();
