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
    notify_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
    /** Waits until it has been notified so many times. */
    async until(count: number): Promise<void> {
      while (notified.length < count) await once(server, 'notified');
    },
    close: () => void server.close(),
  };
}

export type Receiver = Awaited<ReturnType<typeof receiver>>;
export type Shop = Awaited<ReturnType<typeof openShop>>;

/** A merchant with a sandbox and a client, which is notified. */
async function openShop() {
  const sandbox = await Sandbox.start();
  const { config } = sandbox;
  return {
    sandbox,
    instance: Builder.factory(config),
    mchid: config.mchid,
    ...(await receiver(config)),
    ...clientOf(config),
  };
}

/**
 * A shop for all tests of a file: opened before them, emptied after each, closed after them.
 * @param onOpen is given the shop, ahead of the first test
 */
export function useShop(onOpen: (shop: Shop) => void): void {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
    onOpen(shop);
  });
  afterEach(() => {
    shop.sandbox.reset();
    shop.notified.length = 0;
  });
  afterAll(async () => {
    shop.close();
    await shop.sandbox.close();
  });
}

/** Status, code and message that a call is refused with; otherwise `accepted`, or the error. */
export function refusedWith(call: PromiseLike<unknown>): Promise<unknown[] | string> {
  return Promise.resolve(call).then(
    () => 'accepted',
    (error) => (error instanceof ApiError ? [error.status, error.code, JSON.parse(error.body).message] : String(error)),
  );
}

/** The same as one text. */
export async function refusal(call: PromiseLike<unknown>): Promise<string> {
  const given = await refusedWith(call);
  return typeof given === 'string' ? given : given.join(' ');
}
