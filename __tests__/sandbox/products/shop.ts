import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, Builder, Notifications } from 'wechatpay-undici';
import { Sandbox, type SandboxConfig } from 'wechatpay-undici/sandbox';

/** What comes back, as far as tests look into it. */
export type Body = Record<string, unknown> & {
  readonly code_url: string;
  readonly prepay_id: string;
  readonly h5_url: string;
  readonly transaction_id: string;
};

/** A client of the sandbox for paths of any kind. */
export function clientOf(config: SandboxConfig) {
  const instance = Builder.factory(config);
  return {
    post: async (path: string, json: object): Promise<Body> => {
      const response = await instance.chain(path).post({ json });
      return JSON.parse(response.status === 204 ? '{"status":204}' : await response.text());
    },
    get: async (path: string, query: Record<string, string> = {}): Promise<Body> =>
      JSON.parse(await instance.chain(path).get({ query }).text()),
  };
}

/** A shop with a sandbox, which is notified of payments. */
export async function openShop() {
  const sandbox = await Sandbox.start();
  const { certs, apiv3Key, mchid } = sandbox.config;
  /** What it was notified of. */
  const notified: unknown[] = [];
  const notifications = Notifications.of({ certs, apiv3Key });
  const server = createServer(
    notifications.nodeHandler(({ event_type, resource }) => void notified.push([event_type, { ...resource }])),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
  return {
    ...{ sandbox, mchid, notified, notify_url, ...clientOf(sandbox.config) },
    async [Symbol.asyncDispose]() {
      server.close();
      await sandbox.close();
    },
  };
}

/** What a call is refused with. */
export function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'accepted',
    (error) => (error instanceof ApiError ? `${error.status} ${error.code} ${saidBy(error)}` : String(error)),
  );
}

function saidBy({ body }: ApiError): string {
  return String(Object(typeof body === 'string' ? JSON.parse(body) : body).message);
}
