import { type AddressInfo, createServer } from 'node:net';
import { type LooseOptions, TransportError } from 'wechatpay-undici';
import type { Simulator } from 'wechatpay-undici/simulator';
import { listen } from '../support/listen';
import { failure, platform } from './support';

const { running, build } = platform();

let second: Simulator;
let refused: string;

beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  refused = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  second = running.simulator;
});

test('where there is no connection: the request goes to the second host, signed', async () => {
  const client = build({ baseUrl: refused, failover: second.config.baseUrl });
  expect(
    await client
      .chain('v3/order')
      .post({ json: { a: 1 } })
      .json(),
  ).toEqual({ json: { a: 1 } });
  expect(second.requests).toHaveLength(1);
});

test('the second host it stays with for a while, then the first is tried again', async () => {
  const attempts = { made: 0 };
  const counting = running.agent.compose((dispatch) => (options, handler) => {
    if (String(options.origin) === new URL(refused).origin) attempts.made += 1;
    return dispatch(options, handler);
  });
  const client = build({ dispatcher: counting, baseUrl: refused, failover: second.config.baseUrl });
  for (let call = 0; call < 5; call += 1) await client.chain('v3/order').get();
  expect(attempts.made).toBe(1);
  const now = performance.now();
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now + 61_000);
  await client.chain('v3/order').get();
  clock.mockRestore();
  expect(attempts.made).toBe(2);
});

test.each<[string, LooseOptions, number]>([
  ['that can be repeated', { json: { out_trade_no: 'A' } }, 1],
  ['that cannot', { json: { a: 1 } }, 0],
])('where a connection breaks, of a request %s', async (_name, options, sent) => {
  const breaking = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const client = build({ baseUrl: breaking.url, failover: second.config.baseUrl });
  const promise = client.chain('v3/order').post(options);
  if (sent) expect((await promise).status).toBe(200);
  else expect(await failure(promise)).toBeInstanceOf(TransportError);
  expect(second.requests).toHaveLength(sent);
  await breaking.close();
});

test('not for an answer, and not where both hosts are away', async () => {
  second.misbehave({ status: 503 });
  const client = build({ failover: refused });
  expect(await failure(client.chain('v3/order').get())).toMatchObject({ status: 503 });
  const away = build({ baseUrl: refused, failover: 'http://127.0.0.1:1/' });
  expect(await failure(away.chain('v3/order').get())).toMatchObject({ name: 'TransportError', attempts: 2 });
});
