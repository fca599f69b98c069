import { Agent } from 'undici';
import { TimeoutError } from 'wechatpay-undici';
import { listen } from '../support/listen';
import { failure, platform } from './support';

const { running, build } = platform();

const never = new Agent({ connect: () => {} });
afterAll(() => never.destroy());

test('is bounded', async () => {
  const client = build({ dispatcher: never });
  const error = await failure(client.chain('v3/order').get({ timeout: { connect: 50 } }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain('No connection within 50 ms');
});

test('does not count once there is one; the other times do', async () => {
  const client = build({ timeout: { connect: 100, headers: 5000 } });
  running.simulator.misbehave({ delay: 300 });
  expect((await client.chain('v3/order').get()).status).toBe(200);
  running.simulator.misbehave({ delay: Infinity });
  const error = await failure(client.chain('v3/order').get({ timeout: { headers: 200 } }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain('Headers Timeout');
});

test('between two pieces of the answer', async () => {
  const slow = await listen((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab'));
  });
  const client = build({ baseUrl: slow.url, timeout: { body: 200, total: 5000 } });
  const error = await failure(client.chain('v3/order').get());
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain('Body Timeout');
  await slow.close();
});
