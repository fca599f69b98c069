import { connect, type Socket } from 'node:net';
import { Agent } from 'undici';
import { Builder, type ClientConfig, WechatPayError } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { listen } from '../support/listen';
import { KINDS } from './kinds';

let sandbox: Sandbox;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on<{ out_trade_no: string }>('post', 'v3/order', ({ json }) => ({ out_trade_no: json.out_trade_no }));
});
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

const build = (more: Partial<ClientConfig> = {}) => {
  const { apiv3Key: _, ...config } = sandbox.config;
  return Builder.factory({ ...config, dispatcher: agent, timeout: { headers: 200, body: 200 }, ...more });
};
const order = (instance: ReturnType<typeof build>, out_trade_no: string) =>
  instance.chain('v3/order').post({ json: { out_trade_no } }).json();

test.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', async (_name, { how, expected }) => {
  sandbox.misbehave(how);
  const error = await order(build(), 'A').then(
    () => 'it worked',
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(WechatPayError);
  expect(error).toMatchObject(expected);
  expect(sandbox.requests).toHaveLength(1);
  expect(await order(build(), 'B')).toEqual({ out_trade_no: 'B' });
});

test('a redirect to another host: nothing goes there', async () => {
  const arrived: string[] = [];
  const elsewhere = await listen((socket) => socket.on('data', (bytes) => arrived.push(bytes.toString())));
  for (const status of [301, 302, 303, 307, 308]) {
    sandbox.misbehave({ status, headers: { Location: `${elsewhere.url}v3/order` } });
    await expect(order(build({ retry: true }), 'A')).rejects.toMatchObject({ name: 'ApiError', status });
  }
  expect(sandbox.requests).toHaveLength(5);
  expect(arrived).toEqual([]);
  await elsewhere.close();
});

test('all of it slow: 50 calls through 2 connections wait for their turn', async () => {
  const slow = new Agent({ connections: 2 });
  sandbox.misbehave({ delay: 40 }, Infinity);
  const instance = build({ dispatcher: slow, timeout: 20_000 });
  const numbers = Array.from({ length: 50 }, (_, index) => String(index));
  const answers = await Promise.all(numbers.map((number) => order(instance, number)));
  expect(answers).toEqual(numbers.map((out_trade_no) => ({ out_trade_no })));
  await slow.destroy();
});

test('a server that is started anew under load: with retries no call is lost', async () => {
  const { port } = new URL(sandbox.url);
  const through = (socket: Socket) => {
    const behind = connect(Number(port), '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const one of [socket, behind]) one.on('error', () => socket.destroy() && behind.destroy());
    socket.on('close', () => behind.destroy());
  };
  let front = await listen(through);
  const { url } = front;
  const instance = build({ baseUrl: url, timeout: 20_000, retry: { attempts: 8, delay: 1000 } });
  const answers: Promise<unknown>[] = [];
  for (let number = 0; number < 60; number += 1) {
    answers.push(order(instance, String(number)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    // Five calls meet no server, and those under way a reset; the budget has ten repeats.
    if (number === 20) await front.close();
    if (number === 25) front = await listen(through, Number(new URL(url).port));
  }
  const settled = await Promise.all(answers);
  expect(settled).toEqual(answers.map((_, number) => ({ out_trade_no: String(number) })));
  await front.close();
}, 60_000);
