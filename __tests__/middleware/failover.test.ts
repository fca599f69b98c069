import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { type LooseOptions, TransportError } from 'wechatpay-undici';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { listen } from '../support/listen';
import { rejection } from '../support/rejection';
import { platform } from './support';

const { running, build } = platform();

let second: Sandbox;
let refused: string;

beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  refused = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  second = running.sandbox;
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
  else expect(await rejection(promise)).toBeInstanceOf(TransportError);
  expect(second.requests).toHaveLength(sent);
  await breaking.close();
});

test('not for a response, and not where both hosts are away', async () => {
  second.misbehave({ status: 503 });
  const client = build({ failover: refused });
  expect(await rejection(client.chain('v3/order').get())).toMatchObject({ status: 503 });
  const away = build({ baseUrl: refused, failover: 'http://127.0.0.1:1/' });
  expect(await rejection(away.chain('v3/order').get())).toMatchObject({ name: 'TransportError', attempts: 2 });
});

describe('once a byte may have left', () => {
  /** A client whose connection the test can break as the kernel does: with an error of its own on the socket. */
  function breakable() {
    const sockets: Socket[] = [];
    const connect = buildConnector({});
    const dispatcher = new Agent({
      connect: (options, callback) =>
        connect(options, (...[error, socket]) => {
          if (socket) sockets.push(socket);
          callback(...([error, socket] as Parameters<typeof callback>));
        }),
    });
    const fail = (code: string, syscall: string) => {
      for (const socket of sockets.splice(0)) {
        socket.destroy(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }));
      }
    };
    return { dispatcher, fail };
  }

  const CODES = ['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'];

  test.each(CODES)(
    '%s of a read is no reason to send a POST again, not even on a kept-alive connection',
    async (code) => {
      const { dispatcher, fail } = breakable();
      let received = 0;
      const first = await listen((socket) =>
        socket.on('data', (bytes) => {
          if (bytes.toString().startsWith('GET')) socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
          else if (++received) fail(code, 'read');
        }),
      );
      const client = build({ dispatcher, baseUrl: first.url, failover: second.config.baseUrl, retry: { delay: 1 } });
      // The first goes out on a connection that has just been made, the second on one that has served a request.
      for (const warm of [false, true]) {
        if (warm) expect(await rejection(client.chain('v3/order').get())).toMatchObject({ status: 404 });
        const error = await rejection(client.chain('v3/order').post({ json: { a: 1 } }));
        expect(error).toMatchObject({
          name: 'TransportError',
          message: expect.stringContaining('may or may not have processed it'),
        });
      }
      expect(received).toBe(2);
      expect(second.requests).toHaveLength(0);
      await Promise.all([first.close(), dispatcher.destroy()]);
    },
  );

  test('an earlier attempt counts: "nothing was sent" is not said of the last alone', async () => {
    const breaking = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const client = build({ baseUrl: breaking.url, failover: refused });
    const error = await rejection(client.chain('v3/order').get());
    expect(error).toMatchObject({ name: 'TransportError', attempts: 2, cause: { code: 'ECONNREFUSED' } });
    expect(error.message).toContain('may or may not have processed it');
    await breaking.close();
  });
});

test('where neither host can be reached, the error says that nothing was sent', async () => {
  const client = build({ baseUrl: refused, failover: 'http://127.0.0.1:1/' });
  const error = await rejection(client.chain('v3/order').post({ json: { a: 1 } }));
  expect(error.message).toContain('Nothing was sent');
  expect(error.message).not.toContain('unknown');
});
