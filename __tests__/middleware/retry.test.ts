import { Agent, buildConnector, request } from 'undici';
import {
  type ApiError,
  type ClientConfig,
  ConfigurationError,
  failover,
  type LooseOptions,
  retry,
  SignatureError,
  signer,
  TimeoutError,
  TransportError,
  verifier,
} from 'wechatpay-undici';
import type { Misbehaviour, Sandbox } from 'wechatpay-undici/sandbox';
import { IDLE } from '../../lib/middleware/dispatch-options';
import { rejection } from '../support/rejection';
import { platform } from './support';

const { running, build: buildClient } = platform();
const build = (more: Partial<ClientConfig> = {}) => buildClient({ retry: { delay: 1 }, ...more });

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = running.sandbox;
});

const nonces = () =>
  sandbox.requests.map(({ headers }) => /nonce_str="(\w+)"/.exec(String(headers.authorization))?.[1]);

const PASSING: [string, Misbehaviour][] = [
  ['429', { status: 429 }],
  ['500 SYSTEM_ERROR', { status: 500 }],
  ['502', { status: 502, body: '<html>' }],
  ['503', { status: 503 }],
  ['504', { status: 504, body: '' }],
  ['a reset before the answer', { reset: true }],
  ['a reset in the headers', { reset: 'head' }],
  ['a reset in the body', { reset: 'body' }],
  ['no answer', { close: true }],
  ['a body that is cut off', { truncate: true }],
];

describe('what is repeated', () => {
  test.each(PASSING)('%s: twice, then it works; each attempt has a signature of its own', async (_name, how) => {
    sandbox.misbehave(how, 2);
    expect(await build().chain('v3/order').get().json()).toEqual({ ok: true });
    expect(sandbox.requests).toHaveLength(3);
    expect(new Set(nonces()).size).toBe(3);
  });

  test.each<[string, LooseOptions, boolean]>([
    ['a POST with a number of its own', { json: { out_trade_no: 'A1', amount: { total: 1 } } }, true],
    ['a POST with the number of something else', { json: { transaction_id: 'A1' } }, false],
    ['a POST with an empty number', { json: { out_trade_no: '' } }, false],
    ['a POST with a number further in', { json: { order: { out_trade_no: 'A1' } } }, false],
    ['a POST without a body', {}, false],
    ['a POST that the caller says may be repeated', { json: {}, retry: true }, true],
    ['one that the caller says may not', { json: { out_trade_no: 'A1' }, retry: false }, false],
  ])('%s', async (_name, options, isRepeated) => {
    sandbox.misbehave({ status: 503 });
    const promise = build().chain('v3/order').post(options);
    if (isRepeated) expect((await promise).status).toBe(200);
    else expect(await rejection(promise)).toMatchObject({ name: 'ApiError', status: 503 });
    expect(sandbox.requests).toHaveLength(isRepeated ? 2 : 1);
  });

  test('of v2: what has a number, after SYSTEMERROR', async () => {
    const { mchid: mch_id } = sandbox.config;
    const body =
      '<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code><err_code>SYSTEMERROR</err_code></xml>';
    sandbox.misbehave({ body }, 2);
    const order = build().chain('v2/order');
    expect(await order.post({ xml: { mch_id, out_trade_no: 'B1' } }).xml()).toMatchObject({ transaction_id: 'B1' });
    expect(sandbox.requests).toHaveLength(3);
    sandbox.misbehave({ body });
    expect(await rejection(order.post({ xml: { mch_id, body: 'x' } }))).toMatchObject({ code: 'SYSTEMERROR' });
    expect(sandbox.requests).toHaveLength(4);
  });

  test.each<[string, Misbehaviour, object]>([
    ['another code of a 500', { status: 500, body: '{"code":"BANK_ERROR"}' }, { code: 'BANK_ERROR' }],
    ['400', { status: 400 }, { status: 400 }],
    ['401', { status: 401 }, { status: 401 }],
    ['404', { status: 404 }, { status: 404 }],
    ['a wrong signature', { signature: 'wrong' }, { code: 'ERR_SIGNATURE_WRONG' }],
    ['no signature', { signature: 'none' }, { code: 'ERR_SIGNATURE_MISSING' }],
    ['another key', { serial: 'PUB_KEY_ID_0' }, { code: 'ERR_SIGNATURE_SERIAL' }],
    ['a body that was changed', { tamper: true }, { code: 'ERR_SIGNATURE_WRONG' }],
    ['something that is not HTTP', { garbage: true }, { code: 'ERR_TRANSPORT' }],
  ])('not %s', async (_name, how, expected) => {
    sandbox.misbehave(how, 3);
    const error = await rejection(build().chain('v3/order').get());
    expect(error).toMatchObject(expected);
    expect(error).not.toHaveProperty('attempts');
    // An unknown key is looked for, once; the request itself is not repeated.
    expect(sandbox.requests.filter(({ target }) => target === '/v3/order')).toHaveLength(1);
  });

  test('nothing, unless it is asked for', async () => {
    sandbox.misbehave({ status: 503 });
    await rejection(build({ retry: false }).chain('v3/order').get());
    expect(sandbox.requests).toHaveLength(1);
    expect(await rejection(build({ retry: false }).chain('v3/order').get({ retry: true }))).toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('requires "retry" in the configuration'),
    });
    expect(sandbox.requests).toHaveLength(1);
  });
});

describe('the end of it', () => {
  test('the error has the last response whole, and says how many attempts there were', async () => {
    const body = JSON.stringify({ code: 'SYSTEM_ERROR', message: 'the third', detail: { field: 'x' } });
    sandbox.misbehave({ status: 503 }, 2);
    sandbox.misbehave({ status: 500, body, headers: { 'X-Last': 'yes' } });
    const error = (await rejection(build().chain('v3/order').get())) as ApiError;
    expect(error).toMatchObject({ name: 'ApiError', status: 500, attempts: 3, message: 'the third', body });
    expect(error.headers.get('x-last')).toBe('yes');
    expect(error.requestId).toMatch(/^\w+/);
  });

  test('so does that of a connection', async () => {
    sandbox.misbehave({ reset: true }, 5);
    const error = await rejection(
      build({ retry: { attempts: 2, delay: 1 } })
        .chain('v3/order')
        .get(),
    );
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ attempts: 2 });
    expect(sandbox.requests).toHaveLength(2);
  });

  test('a large response goes through, and is not repeated', async () => {
    const body = JSON.stringify({ code: 'SYSTEM_ERROR', message: 'x'.repeat(2 ** 20) });
    sandbox.misbehave({ status: 500, body });
    expect(await rejection(build().chain('v3/order').get())).toMatchObject({ status: 500 });
    expect(sandbox.requests).toHaveLength(1);
  });

  test('a file is repeated until it begins', async () => {
    sandbox.on('get', 'v3/file', () => new Response('content'), { signed: false });
    sandbox.misbehave({ status: 503 });
    const file = build().chain('v3/file').get({ download: true });
    expect(await file.text()).toBe('content');
    expect(sandbox.requests).toHaveLength(2);
    sandbox.misbehave({ truncate: true });
    expect(await rejection(build().chain('v3/file').get({ download: true }).text())).toBeInstanceOf(TransportError);
    expect(sandbox.requests).toHaveLength(3);
  });
});

describe('pauses', () => {
  test('Retry-After is waited for', async () => {
    sandbox.misbehave({ status: 429, headers: { 'Retry-After': '1' } });
    const wait = jest.spyOn(global, 'setTimeout');
    await build().chain('v3/order').get();
    const delays = wait.mock.calls.map(([, delay]) => delay);
    wait.mockRestore();
    expect(delays).toContain(1000);
  });

  test('a pause that would outlast the call is not begun: the last response is the error', async () => {
    sandbox.misbehave({ status: 429, headers: { 'Retry-After': '3' } });
    const error = await rejection(build().chain('v3/order').get({ timeout: 2000 }));
    expect(error).toMatchObject({ name: 'ApiError', status: 429 });
    expect(sandbox.requests).toHaveLength(1);
  });

  test.each<[string, () => string]>([
    ['a date', () => new Date(Date.now() + 5000).toUTCString()],
    ['a day', () => '86400'],
  ])('Retry-After may be %s', async (_name, value) => {
    sandbox.misbehave({ status: 503, headers: { 'Retry-After': value() } });
    const error = await rejection(build().chain('v3/order').get({ timeout: 1000 }));
    expect(error).toMatchObject({ name: 'ApiError', status: 503 });
  });

  test('they are random, and their bound doubles', async () => {
    const bounds: number[] = [];
    const wait = jest.spyOn(global, 'setTimeout');
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.999_999);
    sandbox.misbehave({ status: 503 }, 4);
    await build({ retry: { attempts: 5, delay: 8, maxDelay: 20 } })
      .chain('v3/order')
      .get();
    for (const [, delay] of wait.mock.calls) if (Number(delay) <= 20) bounds.push(Math.round(Number(delay)));
    random.mockRestore();
    wait.mockRestore();
    expect(bounds).toEqual([8, 16, 20, 20]);
  });

  test('the time of the call holds for all attempts', async () => {
    sandbox.misbehave({ status: 503 });
    sandbox.misbehave({ delay: Infinity });
    const error = await rejection(build().chain('v3/order').get({ timeout: 150 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ attempts: 2 });
  });

  test('a signal ends the pause', async () => {
    sandbox.misbehave({ status: 503, headers: { 'Retry-After': '60' } });
    const error = await rejection(
      build()
        .chain('v3/order')
        .get({ timeout: 120_000, signal: AbortSignal.timeout(100) }),
    );
    expect(error.name).toBe('TimeoutError');
    expect(sandbox.requests).toHaveLength(1);
  });
});

test('repeats cannot multiply the load: ten at once, then a tenth of the requests', async () => {
  sandbox.misbehave({ status: 503 }, Infinity);
  const { chain } = build({ retry: { delay: 0 } });
  for (let call = 0; call < 100; call += 1) await rejection(chain('v3/order').get());
  const repeats = sandbox.requests.length - 100;
  expect(repeats).toBeGreaterThanOrEqual(18);
  expect(repeats).toBeLessThanOrEqual(20);
});

test('the interceptors work without the client, also with fetch', async () => {
  const { baseUrl } = sandbox.config;
  const dispatcher = running.agent.compose(
    verifier(sandbox.config),
    signer(sandbox.config),
    failover(),
    retry({ delay: 1 }),
  );
  sandbox.misbehave({ reset: true });
  const { statusCode, body } = await dispatcher.request({
    origin: baseUrl,
    path: '/v3/order',
    method: 'GET',
    headers: { accept: '*/*', 'user-agent': 'test' },
  });
  expect([statusCode, await body.json()]).toEqual([200, { ok: true }]);
  sandbox.misbehave({ signature: 'wrong' });
  const promise = dispatcher.request({
    origin: baseUrl,
    path: '/v3/order',
    method: 'GET',
    headers: { accept: '*/*', 'user-agent': 'test' },
  });
  expect(await rejection(promise)).toBeInstanceOf(SignatureError);
});

test.each<[object, string]>([
  [{ retry: 3 }, '"retry" must be true or an object'],
  [{ retry: { attempts: 0 } }, '"retry.attempts" must be an integer, 1 or more'],
  [{ retry: { delay: -1 } }, '"retry.delay" must be'],
  [{ retry: { retries: 3 } }, 'Unknown option "retry.retries"'],
  [{ failover: true }, '"failover" must be the URL of a second host'],
  [{ failover: 'api2' }, '"failover.to" must be an absolute URL'],
  [{ timeout: { connect: 0 } }, '"timeout.connect" must be a number of milliseconds'],
  [{ timeout: { idle: 5 } }, 'Unknown option "timeout.idle"'],
])('%j is refused', (more, message) => {
  expect(() => build(more)).toThrow(ConfigurationError);
  expect(() => build(more)).toThrow(message);
});

describe('where there never was a connection', () => {
  /** The first connection is to nobody, the others are to the sandbox. */
  const lateHost = () => {
    const connect = buildConnector({});
    let connections = 0;
    return new Agent({
      connect: (options, callback) => connect(++connections === 1 ? { ...options, port: '1' } : options, callback),
    });
  };

  test.each<[string, LooseOptions, boolean]>([
    ['any request is sent, and once', { json: { a: 1 } }, true],
    ['but for one that the caller says may not be repeated', { json: { a: 1 }, retry: false }, false],
  ])('%s', async (_name, options, isSent) => {
    const dispatcher = lateHost();
    const promise = build({ dispatcher }).chain('v3/order').post(options);
    if (isSent) expect((await promise).status).toBe(200);
    else expect((await rejection(promise)).message).toContain('Nothing was sent');
    expect(sandbox.requests).toHaveLength(isSent ? 1 : 0);
    await dispatcher.destroy();
  });
});

test('what a dispatcher throws at a later attempt reaches the caller, and does not end the process', async () => {
  const thrown = new Error('a defect of the dispatcher');
  let dispatched = 0;
  const throwing = new Agent().compose(
    () => (_options, handler) => {
      dispatched += 1;
      if (dispatched > 1) throw thrown;
      handler.onResponseError?.(IDLE, Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      return true;
    },
    retry({ delay: 1 }),
  );
  expect(await rejection(request('http://127.0.0.1:1/', { dispatcher: throwing }))).toBe(thrown);
  expect(dispatched).toBe(2);
});
