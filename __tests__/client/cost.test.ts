import { createHook } from 'node:async_hooks';
import { generateKeyPairSync, sign } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { Builder } from 'wechatpay-undici';
import { IDLE } from '../../lib/middleware/dispatch-options';
import { timestamp } from '../../lib/signature/formatter';

/*
 * What a call costs, counted and not timed. Who makes one of these figures larger has made every call slower, and
 * should have a reason for it.
 */

const SIZE = 100_000;
const SERIAL = 'PUB_KEY_ID_0000000000000000000000000000';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const merchant = generateKeyPairSync('rsa', { modulusLength: 2048 });
const json = { out_trade_no: '1', description: 'x'.repeat(SIZE) };

/** Answers in memory; the last piece of a response that was given. */
let given: Buffer;
const wire = (text: string): Dispatcher =>
  new Agent().compose(() => (_options, handler) => {
    setImmediate(() => {
      given = Buffer.alloc(Buffer.byteLength(text), text);
      const time = timestamp();
      handler.onRequestStart?.(IDLE, {});
      const headers = {
        'wechatpay-serial': SERIAL,
        'wechatpay-timestamp': String(time),
        'wechatpay-nonce': 'n',
        'wechatpay-signature': sign(
          'sha256',
          Uint8Array.from(`${time}\nn\n${text}\n`, (one) => one.charCodeAt(0)),
          privateKey,
        ).toString('base64'),
      };
      handler.onResponseStart?.(IDLE, 200, headers, 'OK');
      handler.onResponseData?.(IDLE, given);
      handler.onResponseEnd?.(IDLE, {});
    });
    return true;
  });

const build = (dispatcher: Dispatcher) =>
  Builder.factory({
    mchid: '1',
    serial: 'A',
    privateKey: merchant.privateKey,
    certs: { [SERIAL]: publicKey },
    dispatcher,
  });

test('promises', async () => {
  const instance = build(wire('{}'));
  const call = () => instance.chain('v3/pay/transactions/native').post({ json } as never);
  await call();
  let promises = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') promises += 1;
    },
  });
  const counts = [];
  for (let tries = 0; tries < 5; tries += 1) {
    promises = 0;
    hook.enable();
    await call();
    hook.disable();
    counts.push(promises);
  }
  // Whatever else goes on in the process is counted too.
  expect(Math.min(...counts)).toBeLessThanOrEqual(18);
});

test('interceptors', async () => {
  const passed: string[] = [];
  const dispatcher = wire('{}');
  const compose = dispatcher.compose.bind(dispatcher);
  const counting = new Proxy(dispatcher, {
    get(target, name) {
      if (name !== 'compose') return Reflect.get(target, name);
      return (interceptors: Dispatcher.DispatcherComposeInterceptor[]) =>
        compose(
          interceptors.map((interceptor) => (dispatch) => {
            const next = interceptor(dispatch);
            return (options, handler) => {
              passed.push(interceptor.name);
              return next(options, handler);
            };
          }),
        );
    },
  });
  await build(counting).chain('v3/x').post({ json });
  expect(passed).toHaveLength(3);
});

test('copies of the body', async () => {
  const instance = build(wire(JSON.stringify({ text: 'y'.repeat(SIZE) })));
  const call = () => instance.chain('v3/x').post({ json });
  await call();
  const stringify = jest.spyOn(JSON, 'stringify');
  const from = jest.spyOn(Buffer, 'from');
  const concat = jest.spyOn(Buffer, 'concat');
  const response = await call();
  const large = (results: jest.MockResult<{ length: number }>[]) =>
    results.filter(({ value }) => value?.length >= SIZE).length;
  // The request: written once, copied once to be signed. The response: copied once to be verified, and then looked at as
  // a Buffer over the same memory.
  const copies = {
    stringify: large(stringify.mock.results),
    from: large(from.mock.results),
    concat: large(concat.mock.results),
  };
  jest.restoreAllMocks();
  expect(copies).toEqual({ stringify: 1, from: 2, concat: 1 });
  // The response holds the very bytes that came from the wire.
  given.fill('z');
  expect(await response.text()).toBe('z'.repeat(given.length));
});
