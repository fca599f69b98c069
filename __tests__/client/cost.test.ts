import { createHook } from 'node:async_hooks';
import { generateKeyPairSync, sign } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { Builder } from 'wechatpay-undici';
import * as Transformer from '../../lib/format/transformer';
import * as XmlReader from '../../lib/format/xml-reader';
import { IDLE, type SignedDispatchOptions } from '../../lib/middleware/dispatch-options';
import { timestamp } from '../../lib/signature/formatter';
import * as Hash from '../../lib/signature/hash';

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

describe('XML', () => {
  const secret = 'k'.repeat(32);
  const order = { mch_id: '1', out_trade_no: '7', body: '<商品> & "中"' };
  const answer = { return_code: 'SUCCESS', result_code: 'SUCCESS', mch_id: '1', out_trade_no: '7', attach: '' };

  /** Answers in memory; gives the XML it was sent, which neither the reader nor the writer of the package has made. */
  const platform = (fields: Record<string, string>, status = 200) => {
    const sent: string[] = [];
    const dispatcher = new Agent().compose(() => (options: SignedDispatchOptions, handler) => {
      sent.push(String(options.body));
      const members = Object.entries({ ...fields, sign: Hash.sign('MD5', fields, secret) });
      const xml = `<xml>${members.map(([name, text]) => `<${name}>${text}</${name}>`).join('')}</xml>`;
      setImmediate(() => {
        handler.onRequestStart?.(IDLE, {});
        handler.onResponseStart?.(IDLE, status, {}, 'OK');
        handler.onResponseData?.(IDLE, Buffer.from(xml));
        handler.onResponseEnd?.(IDLE, {});
      });
      return true;
    });
    const instance = Builder.factory({ mchid: '1', secret, dispatcher, retry: { attempts: 2, delay: 0 } });
    return { sent, post: () => instance.chain('v2/pay/orderquery').post({ xml: order } as never) };
  };
  const count = async (work: () => Promise<unknown>) => {
    const write = jest.spyOn(Transformer, 'toXml');
    const read = jest.spyOn(XmlReader, 'readXml');
    await work();
    const counts = { written: write.mock.calls.length, read: read.mock.calls.length };
    jest.restoreAllMocks();
    return counts;
  };

  test('is written once and read once, where the response has a number of the request as well', async () => {
    const { post, sent } = platform(answer);
    const got: unknown[] = [];
    expect(await count(async () => got.push(await post().xml()))).toEqual({ written: 1, read: 1 });
    expect(got).toEqual([expect.objectContaining(answer)]);
    expect(Transformer.toObject(sent[0] ?? '')).toMatchObject({ ...order, sign: expect.any(String) });
  });

  test('clones are read without the reader, and share nothing', async () => {
    const response = await platform(answer).post();
    const copies = [response.clone(), response.clone().clone()];
    const got: Record<string, string>[] = [];
    const counts = await count(async () => {
      for (const one of [response, ...copies]) {
        const fields = await one.xml<Record<string, string>>();
        got.push({ ...fields });
        fields.out_trade_no = 'altered';
      }
    });
    expect(counts).toEqual({ written: 0, read: 0 });
    expect(got).toEqual(Array(3).fill(expect.objectContaining(answer)));
    await expect(response.xml()).rejects.toMatchObject({ name: 'TypeError' });
    expect(response.bodyUsed).toBe(true);
  });

  test('is written once for each attempt, with a nonce and a sign of its own, and each failure is read once', async () => {
    const { post, sent } = platform({ ...answer, result_code: 'FAIL', err_code: 'SYSTEMERROR' });
    const counts = await count(() => expect(post()).rejects.toMatchObject({ code: 'SYSTEMERROR', attempts: 2 }));
    expect(counts).toEqual({ written: 2, read: 2 });
    const requests = sent.map((xml) => Transformer.toObject(xml));
    expect(requests).toEqual(Array(2).fill(expect.objectContaining(order)));
    for (const { sign, ...fields } of requests) expect(sign).toBe(Hash.sign('MD5', fields, secret));
    expect(new Set(requests.map(({ nonce_str }) => nonce_str)).size).toBe(2);
  });

  test('of a failure by status is read once', async () => {
    const { post } = platform({ ...answer, return_code: 'FAIL', return_msg: 'no' }, 400);
    const counts = await count(() => expect(post()).rejects.toMatchObject({ message: 'no', verified: true }));
    expect(counts).toEqual({ written: 1, read: 1 });
  });
});
