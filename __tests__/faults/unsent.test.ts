import { ConfigurationError, TimeoutError } from 'wechatpay-undici';
import { rejection } from '../support/rejection';
import { responding, wechatPay } from '../support/wechatpay';

// Where the signature never came, nothing has been sent, and the error says so.

const { running, build } = wechatPay();
const PATH: string = 'v3/x';
const NOTHING = 'Nothing was sent, so it is safe to retry.';
const UNKNOWN = 'WeChat Pay may or may not have processed it';

type Failing = () => string | Promise<string>;
const broken = new Error('the HSM is out of order');
const late: Failing = () => new Promise(() => {});

test.each<[string, Failing, unknown]>([
  [
    'throws',
    () => {
      throw broken;
    },
    broken,
  ],
  ['rejects', () => Promise.reject(broken), broken],
  ['rejects with an error of a connection', () => Promise.reject(new TimeoutError('KMS')), expect.any(TimeoutError)],
  ['gives no text', () => undefined as unknown as string, undefined],
  ['gives no Base64', () => '?', undefined],
])('a function in the place of the key that %s', async (_name, privateKey, cause) => {
  for (const retry of [undefined, { attempts: 3, delay: 0 }]) {
    const error = await rejection(build({ privateKey, retry }).chain(PATH).get());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toContain(NOTHING);
    expect(error.message).not.toContain(UNKNOWN);
    expect(error.cause).toEqual(cause);
    expect('cause' in error).toBe(cause !== undefined);
  }
  expect(running.arrived).toBe(0);
});

test.each([undefined, { attempts: 3, delay: 0 }])('a function that takes too long, with retry: %p', async (retry) => {
  const error = await rejection(build({ privateKey: late, timeout: 20, retry }).chain(PATH).get());
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain(NOTHING);
  expect(running.arrived).toBe(0);
});

test('a signature that comes when the time is over sends nothing', async () => {
  running.respond = responding(200, '{}');
  let resolve = (_signature: string) => {};
  const promise = new Promise<string>((give) => {
    resolve = give;
  });
  const instance = build({ privateKey: () => promise, timeout: 20 });
  expect((await rejection(instance.chain(PATH).get())).message).toContain(NOTHING);
  resolve('AAAA');
  // What was let through would be before this on the same connections.
  await build().chain(PATH).get();
  expect(running.arrived).toBe(1);
});

test('a response that takes too long leaves the outcome unknown', async () => {
  running.respond = () => {};
  const error = await rejection(build({ timeout: 1500 }).chain(PATH).get());
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error.message).toContain(UNKNOWN);
  expect(error.message).not.toContain(NOTHING);
});
