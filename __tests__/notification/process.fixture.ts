import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as Notifications from '../../lib/notification';
import type { NotificationStore, Reservation } from '../../lib/notification/store';

const { CONTROL = '', PUBLIC_KEY = '', PUBLIC_KEY_ID = '', APIV3_KEY = '' } = process.env;

/** Asks the test, which decides what becomes of each step: it responds, fails, or kills this process. */
async function ask(step: string, ...args: unknown[]): Promise<unknown> {
  const response = await fetch(`${CONTROL}/${step}`, { method: 'POST', body: JSON.stringify(args) });
  if (!response.ok) throw new Error(`The step "${step}" failed.`);
  return response.json();
}

/** One of two processes that receive notifications and share a store; each step of it is in the hands of the test. */
async function main(): Promise<void> {
  const store: NotificationStore = {
    reserve: async (...args) => (await ask('reserve', ...args)) as Reservation,
    complete: (...args) => ask('complete', ...args),
    release: (...args) => ask('release', ...args),
  };
  const onError = () => {};
  const notifications = Notifications.of({
    certs: { [PUBLIC_KEY_ID]: PUBLIC_KEY },
    apiv3Key: APIV3_KEY,
    store,
    onError,
  });
  const server = createServer(notifications.nodeHandler(({ id }) => ask('run', id)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await ask('listen', (server.address() as AddressInfo).port);
}

void main();
