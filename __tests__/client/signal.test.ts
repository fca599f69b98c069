import { setTimeout } from 'node:timers/promises';
import { Agent } from 'undici';
import { Builder, type ClientConfig } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

/** A pause that outlasts a test: only the signal can end it. */
const LONG = 60_000;

let sandbox: Sandbox;
const agent = new Agent();
const never = new Agent({ connect: () => {} });
const ends = new AbortController();
const wait = <Value>(value: Value) => setTimeout(LONG, value, { signal: ends.signal, ref: false }).catch(() => value);

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('get', 'v3/file', () => new Response('content'), { signed: false });
  sandbox.on('get', 'v3/order', () => ({ ok: true }));
});
afterAll(async () => {
  ends.abort();
  await Promise.all([agent.destroy(), never.destroy()]);
  await sandbox.close();
});

interface Phase {
  config?: () => Partial<ClientConfig>;
  prepare?: () => unknown;
  arrived: number;
}

/** Where a call may be when its signal is aborted, and how many requests have arrived by then. */
const PHASES: Record<string, Phase> = {
  'while it is signed': { config: () => ({ privateKey: () => wait('QUJD') }), arrived: 0 },
  'while there is no connection': { config: () => ({ dispatcher: never }), arrived: 0 },
  'while the answer is waited for': { prepare: () => sandbox.misbehave({ delay: Infinity }), arrived: 1 },
  'between two attempts': {
    config: () => ({ retry: true, timeout: 2 * LONG }),
    prepare: () => sandbox.misbehave({ status: 503, headers: { 'Retry-After': '60' } }),
    arrived: 1,
  },
};

const verifying = (): Partial<ClientConfig> => {
  const [serial] = Object.keys(sandbox.config.certs);
  return { certs: { [serial as string]: () => wait(true) } };
};

describe.each([
  ['a call', { 'while the answer is verified': { config: verifying, arrived: 1 }, ...PHASES }, {}],
  ['a download', PHASES, { download: true }],
] as const)('%s ends with its signal', (_name, phases, options) => {
  test.each(Object.entries<Phase>(phases))('%s', async (_phase, { config, prepare, arrived }) => {
    const instance = Builder.factory({ ...sandbox.config, dispatcher: agent, ...config?.() } as ClientConfig);
    prepare?.();
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const path = 'download' in options ? 'v3/file' : 'v3/order';
    const promise = instance.chain(path).get({ ...options, signal: controller.signal });
    await setTimeout(150);
    controller.abort(reason);
    await expect(promise).rejects.toBe(reason);
    await setTimeout(50);
    expect(sandbox.requests).toHaveLength(arrived);
  });
});

test.each<[string, () => object, object]>([
  [
    'time',
    () => ({ timeout: 300 }),
    { name: 'TimeoutError', code: 'ERR_TIMEOUT', message: expect.stringContaining('300 ms') },
  ],
  [
    'signal',
    () => ({ signal: AbortSignal.timeout(300) }),
    { name: 'TimeoutError', message: expect.stringContaining('aborted') },
  ],
])('a call that waits for a certificate to encrypt with ends by its %s', async (_name, options, expected) => {
  const { certs: _, ...config } = sandbox.config;
  const instance = Builder.factory({ ...config, dispatcher: agent });
  sandbox.misbehave({ delay: Infinity });
  const json = { user_name: '张三' };
  const call = instance.chain('v3/fund-app/mch-transfer/transfer-bills').post({ json, ...options() } as never);
  await expect(call).rejects.toMatchObject(expected);
  expect(sandbox.requests.map(({ target }) => target)).toEqual(['/v3/certificates']);
});
