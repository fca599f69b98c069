import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, Notifications } from 'wechatpay-undici';
import type { SandboxConfig } from 'wechatpay-undici/sandbox';

/** A merchant's server that keeps what it is notified of. */
export async function receiver({ certs, apiv3Key }: SandboxConfig) {
  const notified: [string, Record<string, unknown>][] = [];
  const notifications = Notifications.of({ certs, apiv3Key });
  const server = createServer(
    notifications.nodeHandler(({ event_type, resource }) => {
      notified.push([event_type, { ...resource }]);
      server.emit('notified');
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    notified,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
    /** Waits until it has been notified so many times. */
    async until(count: number): Promise<void> {
      while (notified.length < count) await once(server, 'notified');
    },
    close: () => void server.close(),
  };
}

/** Status, code and message that a call is refused with. */
export function refusal(call: PromiseLike<unknown>): Promise<string> {
  return Promise.resolve(call).then(
    () => 'accepted',
    (error) => {
      if (!(error instanceof ApiError)) return String(error);
      return `${error.status} ${error.code} ${JSON.parse(error.body).message}`;
    },
  );
}
