import type { Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { TimeoutError } from 'wechatpay-undici';
import { listen } from '../support/listen';
import { rejection } from '../support/rejection';
import { platform } from './support';

const { running, build } = platform();

const never = new Agent({ connect: () => {} });
afterAll(() => never.destroy());

test('is bounded', async () => {
  const client = build({ dispatcher: never });
  const error = await rejection(client.chain('v3/order').get({ timeout: { connect: 50 } }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain('No connection within 50 ms');
});

test('does not count once there is one; the other times do', async () => {
  const client = build({ timeout: { connect: 100, headers: 5000 } });
  running.sandbox.misbehave({ delay: 300 });
  expect((await client.chain('v3/order').get()).status).toBe(200);
  running.sandbox.misbehave({ delay: Infinity });
  const error = await rejection(client.chain('v3/order').get({ timeout: { headers: 200 } }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain('Headers Timeout');
});

test('between two pieces of the response', async () => {
  const slow = await listen((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab'));
  });
  const client = build({ baseUrl: slow.url, timeout: { body: 200, total: 5000 } });
  const error = await rejection(client.chain('v3/order').get());
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain('Body Timeout');
  await slow.close();
});

describe('is the time to connect, not that to wait for a connection of a pool', () => {
  const timeout = { connect: 100, total: 20_000 };
  const json = { a: 1 };
  const refused = 'http://127.0.0.1:1/';

  /** A host that keeps requests until it is told to respond; and connections of which only the first are made. */
  async function host(made = Number.POSITIVE_INFINITY) {
    const held: Socket[] = [];
    let arrived = () => {};
    const server = await listen((socket) =>
      socket.on('data', () => {
        held.push(socket);
        arrived();
      }),
    );
    const connect = buildConnector({});
    let connections = 0;
    return {
      url: server.url,
      connect: ((options, callback) => {
        connections += 1;
        if (connections <= made) connect(options, callback);
      }) satisfies buildConnector.connector,
      /** Waits until so many requests are held. */
      holds: async (count: number) => {
        while (held.length < count) await new Promise<void>((resolve) => (arrived = resolve));
      },
      respond: () => {
        for (const socket of held.splice(0)) {
          socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
        }
      },
      reset: () => {
        for (const socket of held.splice(0)) socket.resetAndDestroy();
      },
      close: () => server.close(),
    };
  }

  /** Ends when a timeout as long as that of the calls before it has run out, and so theirs. */
  const pastTimeout = () => rejection(build({ dispatcher: never, timeout }).chain('v3/order').get());

  test.each([1, 2])(
    'a busy pool of %i: whoever waits is not given up, and the host is not left',
    async (connections) => {
      const busy = await host();
      const dispatcher = new Agent({ connections });
      const client = build({ baseUrl: busy.url, failover: refused, dispatcher, timeout });
      const calls = Array.from({ length: connections + 2 }, () => rejection(client.chain('v3/order').post({ json })));
      await busy.holds(connections);
      await pastTimeout();
      for (let left = calls.length; left > 0; left -= connections) {
        await busy.holds(Math.min(left, connections));
        busy.respond();
      }
      for (const error of await Promise.all(calls)) expect(error).toMatchObject({ name: 'ApiError', status: 404 });
      await Promise.all([dispatcher.destroy(), busy.close()]);
    },
  );

  test('a connection of its own is timed, whatever others there are', async () => {
    const busy = await host(1);
    const dispatcher = new Agent({ connect: busy.connect });
    const client = build({ baseUrl: busy.url, dispatcher, timeout });
    const first = rejection(client.chain('v3/order').get());
    await busy.holds(1);
    const second = await rejection(client.chain('v3/order').get());
    expect(second).toBeInstanceOf(TimeoutError);
    expect(second.message).toContain('No connection within 100 ms. Nothing was sent');
    busy.respond();
    expect(await first).toMatchObject({ status: 404 });
    await Promise.all([dispatcher.destroy(), busy.close()]);
  });

  test('all that wait for the one connection that is never made are given up', async () => {
    const away = await host(0);
    const dispatcher = new Agent({ connections: 1, connect: away.connect });
    const client = build({ baseUrl: away.url, dispatcher, timeout });
    const errors = await Promise.all([1, 2, 3].map(() => rejection(client.chain('v3/order').get())));
    for (const error of errors) expect(error.message).toContain('No connection within 100 ms');
    await Promise.all([dispatcher.destroy(), away.close()]);
  });

  test('whoever waited when the connection broke, and no other is made, is given up', async () => {
    const breaking = await host(1);
    const dispatcher = new Agent({ connections: 1, connect: breaking.connect });
    const client = build({ baseUrl: breaking.url, dispatcher, timeout });
    const failures = [1, 2].map(() => rejection(client.chain('v3/order').post({ json })));
    await breaking.holds(1);
    await pastTimeout();
    breaking.reset();
    // Either may be signed first.
    const messages = (await Promise.all(failures)).map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining('may or may not have processed it'));
    expect(messages).toContainEqual(expect.stringContaining('No connection within 100 ms. Nothing was sent'));
    await Promise.all([dispatcher.destroy(), breaking.close()]);
  });
});
