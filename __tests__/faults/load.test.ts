import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners, setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Agent } from 'undici';
import { Builder, type ClientConfig, type Diagnostic } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { KINDS } from './kinds';

const CALLS = 1000;
const CONNECTIONS = 8;
/** Of 100 calls, how many meet each kind of fault. */
const SHARE = 5;

let sandbox: Sandbox;
let agent: Agent;
/** How often the platform carried out each order, as the merchant numbers it. */
let effects: Map<string, number>;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);

beforeAll(async () => {
  sandbox = await Sandbox.start();
  process.on('unhandledRejection', onUnhandled);
});
beforeEach(() => {
  sandbox.reset();
  effects = new Map();
  sandbox.on<{ out_trade_no: string }>('post', 'v3/order', ({ json: { out_trade_no } }) => {
    effects.set(out_trade_no, (effects.get(out_trade_no) ?? 0) + 1);
    return { out_trade_no };
  });
  agent = new Agent({ connections: CONNECTIONS });
});
afterEach(() => agent.destroy());
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  await sandbox.close();
});

/** Kinds of fault in turn: each meets 5 % of the calls, the rest none. */
const kindOf = (number: string) => KINDS[Math.floor((Number(number) % 100) / SHARE)];

const build = (more: Partial<ClientConfig> = {}) => {
  // Without the key that opens certificates, an unknown serial is not looked for.
  const { apiv3Key: _, ...config } = sandbox.config;
  return Builder.factory({
    ...config,
    dispatcher: agent,
    timeout: { total: 60_000, headers: 400, body: 400 },
    ...more,
  });
};

interface Settled {
  number: string;
  times: number;
  value?: unknown;
  error?: unknown;
}

async function carryOut(instance: ReturnType<typeof build>, signal: AbortSignal): Promise<Settled[]> {
  const calls = Array.from({ length: CALLS }, (_, index): [Settled, Promise<unknown>] => {
    const settled: Settled = { number: String(index), times: 0 };
    const call = instance.chain('v3/order').post({ json: { out_trade_no: settled.number }, signal });
    const ended = call.json().then(
      (value) => Object.assign(settled, { value, times: settled.times + 1 }),
      (error) => Object.assign(settled, { error, times: settled.times + 1 }),
    );
    return [settled, ended];
  });
  await Promise.all(calls.map(([, ended]) => ended));
  return calls.map(([settled]) => settled);
}

/** Runs calls, and looks at what they leave behind. */
async function watched(instance: ReturnType<typeof build>): Promise<Settled[]> {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const phases = new Map<string, number>();
  const count = (message: unknown) => {
    const { phase } = message as Diagnostic;
    phases.set(phase, (phases.get(phase) ?? 0) + 1);
  };
  const before = timers();
  subscribe('wechatpay', count);
  const settled = await carryOut(instance, signal);
  unsubscribe('wechatpay', count);
  await agent.close();

  expect(settled.filter(({ times }) => times !== 1)).toEqual([]);
  expect(phases.get('request')).toBe(CALLS);
  expect((phases.get('response') ?? 0) + (phases.get('failure') ?? 0)).toBe(CALLS);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  // undici lets go of its own timer within a second, the sandbox of its waits when the connections are gone.
  for (let tries = 0; timers() > before && tries < 50; tries += 1) await setTimeout(100);
  expect(timers()).toBeLessThanOrEqual(before);
  expect(unhandled).toEqual([]);
  return settled;
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

test(`${CALLS} calls at once over ${CONNECTIONS} connections, ${SHARE} % of each fault`, async () => {
  sandbox.misbehave(({ body }) => kindOf(JSON.parse(body).out_trade_no)?.how ?? {}, Infinity);
  for (const { number, value, error } of await watched(build())) {
    const kind = kindOf(number);
    if (kind) expect({ kind: kind.name, error }).toMatchObject({ error: kind.expected });
    else expect(value).toEqual({ out_trade_no: number });
    // The platform has carried out each, whatever became of the answer; none is sent twice.
    expect([number, effects.get(number)]).toEqual([number, 1]);
  }
}, 120_000);

test('the same with retries: none for what cannot be trusted, and in all no more than the budget has', async () => {
  const met = new Set<string>();
  sandbox.misbehave(({ body }) => {
    const { out_trade_no: number } = JSON.parse(body);
    const how = met.has(number) ? undefined : kindOf(number)?.how;
    met.add(number);
    return how ?? {};
  }, Infinity);
  const settled = await watched(build({ retry: { delay: 20 } }));
  let repeated = 0;
  for (const { number, value, error } of settled) {
    const kind = kindOf(number);
    const sent = effects.get(number) ?? 0;
    repeated += sent - 1;
    if (error) expect({ kind: kind?.name, error }).toMatchObject({ error: kind?.expected });
    else expect(value).toEqual({ out_trade_no: number });
    // The first attempt failed, the second did not: what succeeded in spite of its fault was sent twice.
    const isRepeated = kind !== undefined && error === undefined;
    expect([number, kind?.name, sent]).toEqual([number, kind?.name, isRepeated ? 2 : 1]);
    if (kind?.expected.name === 'SignatureError') expect(isRepeated).toBe(false);
  }
  // Begun all at once, a thousand calls have ten repeats in store.
  expect(repeated).toBe(10);
}, 120_000);
