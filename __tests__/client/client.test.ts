import { Agent, type Dispatcher } from 'undici';
import {
  ApiError,
  Builder,
  type Chain,
  SignatureError,
  TimeoutError,
  TransportError,
  WechatPayError,
} from 'wechatpay-undici';
import { fault, Sandbox } from 'wechatpay-undici/sandbox';
import { rejection } from '../support/rejection';

let sandbox: Sandbox;
let instance: Chain;
let agent: Agent;

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  sandbox.reset();
  agent = new Agent();
  instance = Builder.factory({ ...sandbox.config, dispatcher: agent });
});
afterEach(() => agent.destroy());
afterAll(() => sandbox.close());

const json = {
  coupon_code: 'sxxe34343434',
  stock_id: '100088',
  appid: 'wx1234567889999',
  use_time: '2015-05-20T13:29:35+08:00',
  use_request_no: '1002600620019090123143254435',
};
const used = { stock_id: '100088', openid: 'xsd3434454567676', wechatpay_use_time: expect.any(String) };
const path = 'v3/marketing/busifavor/coupons/use';
const use = (options: object = {}) => instance[path].post({ json, ...options });
const echo = 'v3/echo';

describe('one coupon, six ways', () => {
  test('property chain', async () => {
    const response = await instance.v3.marketing.busifavor.coupons.use.post({ json });
    expect(await response.json()).toEqual(used);
    await instance.v3.marketing.busifavor.coupons.use
      .postAsync({ json })
      .then((response) => response.json())
      .then(({ stock_id, wechatpay_use_time }) =>
        expect([stock_id, wechatpay_use_time]).toEqual(['100088', expect.any(String)]),
      );
  });

  test('declared path', async () => {
    expect(await instance.chain(path).post({ json }).json()).toEqual(used);
    await instance
      .chain(path)
      .postAsync({ json })
      .then((response) => response.json())
      .then((body) => expect(body).toEqual(used));
  });

  test('bracket index', async () => {
    expect(await instance[path].post({ json }).json()).toEqual(used);
    await instance[path]
      .postAsync({ json })
      .then((response) => response.json())
      .then((body) => expect(body).toEqual(used));
  });

  test('all of them are one use, and a used coupon cannot be used again', async () => {
    await Promise.all([use(), use(), use()]);
    expect(sandbox.coupons.get(json.coupon_code)).toMatchObject({ use_request_no: json.use_request_no });
    const error = await rejection(use({ json: { ...json, use_request_no: 'another' } }));
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBeGreaterThanOrEqual(400);
  });
});

describe('what is sent', () => {
  test('is what was signed, byte for byte', async () => {
    sandbox.on('patch', 'v3/{a}/{b}', () => ({}));
    const query = { 'a b': "!'()*~中😀", t: '2015-05-20T13:29:35+08:00' };
    await instance.chain('v3/{a}/{b}').patch({ a: 'x/y', b: "AbC'(1)*", query, json: { 名: '值/é😀' } });
    await instance.chain("v3/it's/a%2fb").patch({ body: '{"raw": "中"}' });
    expect(sandbox.requests).toMatchObject([
      {
        method: 'PATCH',
        target:
          '/v3/x%2Fy/AbC%27%281%29%2A?a%20b=%21%27%28%29%2A~%E4%B8%AD%F0%9F%98%80&t=2015-05-20T13%3A29%3A35%2B08%3A00',
        body: '{"名":"值/é😀"}',
        status: 200,
      },
      { target: "/v3/it's/a%2fb", body: '{"raw": "中"}', status: 200 },
    ]);
  });

  test.each(['get', 'post', 'put', 'patch', 'delete'] as const)('%s, with and without a body', async (verb) => {
    sandbox.on(verb, echo, ({ json }) => ({ json }));
    const node = instance.chain(echo);
    expect(await node[verb]({ json: { a: 1 } }).json()).toEqual({ json: { a: 1 } });
    expect(await node[`${verb}Async`]().json()).toEqual({});
    expect(sandbox.requests.map(({ method }) => method)).toEqual([verb.toUpperCase(), verb.toUpperCase()]);
  });

  test('headers: ours, those of the configuration, those of the call', async () => {
    const [serial] = Object.keys(sandbox.config.certs);
    sandbox.on('get', echo, () => ({}));
    const headers = { 'X-Config': 'c', 'X-Both': 'c' };
    const client = Builder.factory({ ...sandbox.config, dispatcher: agent, headers });
    await client.chain(echo).get({ headers: { 'X-Both': 'o', 'X-Name': '中' } });
    const received = sandbox.requests[0]?.headers;
    expect(received).toMatchObject({
      accept: expect.stringContaining('application/json'),
      'content-type': 'application/json; charset=utf-8',
      'user-agent': expect.stringMatching(/^wechatpay-undici\/\d/),
      'wechatpay-serial': serial,
      authorization: expect.stringMatching(/^WECHATPAY2-SHA256-RSA2048 mchid="\d+",serial_no="\w+",timestamp="\d+",/),
      'x-config': 'c',
      'x-both': 'o',
    });
    expect(Buffer.from(String(received?.['x-name']), 'latin1').toString()).toBe('中');
  });

  test("the caller's Wechatpay-Serial stays, the caller's Authorization does not", async () => {
    await use({ headers: { 'Wechatpay-Serial': 'MINE', Authorization: 'mine' } });
    expect(sandbox.requests[0]?.headers['wechatpay-serial']).toBe('MINE');
    expect(sandbox.requests[0]?.headers.authorization).toContain('WECHATPAY2-SHA256-RSA2048');
  });

  test('to another root of the API, per call', async () => {
    const client = Builder.factory({
      ...sandbox.config,
      dispatcher: agent,
      baseUrl: 'https://api.mch.weixin.qq.com/',
      baseUrls: [sandbox.url],
    });
    sandbox.on('get', 'hk/v3/echo', () => ({ ok: true }));
    expect(
      await client
        .chain(echo)
        .get({ baseUrl: `${sandbox.url}hk/` })
        .json(),
    ).toEqual({ ok: true });
  });
});

describe('what comes back', () => {
  test('a standard Response, with the request id', async () => {
    const response = await use();
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({ status: 200, ok: true, requestId: expect.stringMatching(/\w{8}/) });
    expect(response.headers.get('wechatpay-nonce')).toBeTruthy();
    expect(await response.clone().json()).toEqual(used);
  });

  test('shortcuts to the body', async () => {
    sandbox.on('get', echo, () => new Response('{"a":"中"}', { headers: { 'content-type': 'text/plain' } }));
    const get = () => instance.chain(echo).get();
    expect(await get().json()).toEqual({ a: '中' });
    expect(await get().text()).toBe('{"a":"中"}');
    expect(Buffer.from(await get().bytes()).toString()).toBe('{"a":"中"}');
    expect(Buffer.from(await get().arrayBuffer()).toString()).toBe('{"a":"中"}');
    expect(await (await get().blob()).text()).toBe('{"a":"中"}');
    const plain = get().then((response) => response.status);
    expect('json' in plain).toBe(false);
    expect(await plain).toBe(200);
  });

  test('204 is nothing', async () => {
    sandbox.on('delete', echo, () => undefined);
    const response = await instance.chain(echo).delete();
    expect(response.status).toBe(204);
    expect(response.body).toBeNull();
    expect(await response.json()).toBeUndefined();
    expect(await instance.chain(echo).delete().text()).toBe('');
  });

  test('a body that is no JSON can be read as text', async () => {
    sandbox.on('get', echo, () => new Response('<xml/>', { headers: { 'content-type': 'text/html' } }));
    expect(await instance.chain(echo).get().text()).toBe('<xml/>');
    const error = await rejection(instance.chain(echo).get().json());
    expect(error).toMatchObject({
      name: 'BodyError',
      code: 'ERR_BODY_NOT_JSON',
      message: expect.stringContaining('text/html'),
    });
  });

  test('a large response, in many chunks', async () => {
    const text = '中'.repeat(1_000_000);
    sandbox.on('get', echo, () => ({ text }));
    expect(await instance.chain(echo).get().json()).toEqual({ text });
  });

  test('one that is too large to be held in memory', async () => {
    const huge = Buffer.alloc(11 * 1024 * 1024, 'x');
    sandbox.on('get', echo, () => new Response(huge));
    expect(await rejection(instance.chain(echo).get())).toMatchObject({
      name: 'BodyError',
      code: 'ERR_BODY_TOO_LARGE',
    });
  });
});

describe('refusals of the platform', () => {
  test("carry WeChat Pay's code, message, detail and Request-ID", async () => {
    const detail = { field: 'mchid', issue: 'sign not match' };
    sandbox.on('post', echo, () => fault(403, 'NO_AUTH', '无权限', detail));
    const error = await rejection(instance.chain(echo).post({ json: {} }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 403, code: 'NO_AUTH', message: '无权限', detail, request: 'POST /v3/echo' });
    expect((error as ApiError).requestId).toBe((error as ApiError).headers.get('request-id'));
    expect(JSON.parse((error as ApiError).body)).toMatchObject({ code: 'NO_AUTH' });
  });

  test.each<[number, string]>([
    [502, '<html>Bad Gateway</html>'],
    [503, ''],
    [500, 'null'],
    [500, '"text"'],
    [404, '{"code":5}'],
    [302, ''],
  ])('%i with %p has a code too', async (status, body) => {
    sandbox.misbehave({ status, body, headers: { Location: 'https://evil.example/' } });
    expect(await rejection(use())).toMatchObject({ name: 'ApiError', status, code: `HTTP_${status}`, body });
    expect(sandbox.requests).toHaveLength(1);
  });

  test('a key that the platform does not know', async () => {
    const other = Builder.factory({ ...sandbox.config, serial: 'ABC', dispatcher: agent });
    expect(await rejection(other[path].post({ json }))).toMatchObject({
      name: 'ApiError',
      status: 401,
      code: 'SIGN_ERROR',
    });
  });
});

describe('responses that cannot be trusted', () => {
  test.each<[string, Parameters<Sandbox['misbehave']>[0], object]>([
    ['a wrong signature', { signature: 'wrong' }, { code: 'ERR_SIGNATURE_WRONG', probe: false }],
    [
      'a probe',
      { signature: 'probe' },
      { code: 'ERR_SIGNATURE_WRONG', probe: true, message: expect.stringContaining('probe') },
    ],
    ['no signature', { signature: 'none' }, { code: 'ERR_SIGNATURE_MISSING' }],
    [
      'no timestamp',
      { omit: ['Wechatpay-Timestamp'] },
      { message: expect.stringContaining('"wechatpay-timestamp" is missing') },
    ],
    ['no nonce', { omit: ['Wechatpay-Nonce'] }, { message: expect.stringContaining('"wechatpay-nonce" is missing') }],
    [
      'no serial',
      { omit: ['Wechatpay-Serial'] },
      { message: expect.stringContaining('"wechatpay-serial" is missing') },
    ],
    ['an empty nonce', { headers: { 'Wechatpay-Nonce': '' } }, { code: 'ERR_SIGNATURE_MISSING' }],
    ['two signatures', { double: ['Wechatpay-Signature'] }, { message: expect.stringContaining('more than once') }],
    [
      'a clock behind',
      { skew: -400 },
      { code: 'ERR_SIGNATURE_CLOCK', message: expect.stringMatching(/^The local clock is 40\d s ahead/) },
    ],
    [
      'a clock ahead',
      { skew: 400 },
      { code: 'ERR_SIGNATURE_CLOCK', message: expect.stringMatching(/is (400|39\d) s ahead of the local clock/) },
    ],
    [
      'no time at all',
      { headers: { 'Wechatpay-Timestamp': 'now' } },
      { code: 'ERR_SIGNATURE_CLOCK', message: expect.stringContaining('is not a number') },
    ],
    [
      'an unknown serial',
      { serial: 'F00' },
      { code: 'ERR_SIGNATURE_SERIAL', serial: 'F00', message: expect.stringContaining('F00') },
    ],
    ['a changed byte', { tamper: true }, { code: 'ERR_SIGNATURE_WRONG' }],
    ['another body', { tamper: '{"stock_id":"1"}' }, { code: 'ERR_SIGNATURE_WRONG' }],
    ['a signature that is no Base64', { headers: { 'Wechatpay-Signature': '???' } }, { code: 'ERR_SIGNATURE_WRONG' }],
  ])('%s', async (_name, how, expected) => {
    sandbox.misbehave(how);
    const error = await rejection(use());
    expect(error).toBeInstanceOf(SignatureError);
    expect(error).toMatchObject({ requestId: expect.any(String), ...expected });
  });

  test.each([-299, 299])('a clock that is %i s off is allowed', async (skew) => {
    sandbox.misbehave({ skew });
    expect((await use()).status).toBe(200);
  });

  test('an unsigned 204', async () => {
    sandbox.on('post', echo, () => undefined);
    sandbox.misbehave({ signature: 'none' });
    expect(await rejection(instance.chain(echo).post())).toBeInstanceOf(SignatureError);
  });
});

describe('connections that fail', () => {
  test.each<[string, Parameters<Sandbox['misbehave']>[0]]>([
    ['reset before the answer', { reset: true }],
    ['reset in the headers', { reset: 'head' }],
    ['reset in the body', { reset: 'body' }],
    ['closed without an answer', { close: true }],
    ['a body that is cut off', { truncate: true }],
    ['something that is not HTTP', { garbage: true }],
  ])('%s', async (_name, how) => {
    sandbox.misbehave(how);
    const error = await rejection(use());
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ cause: expect.anything(), message: expect.stringContaining(`POST /${path}`) });
    expect((error as Error).message).toContain('query the outcome before retrying');
    expect((await use()).status).toBe(200);
  });

  test('nobody there', async () => {
    const client = Builder.factory({ ...sandbox.config, dispatcher: agent, baseUrl: 'http://127.0.0.1:1/' });
    expect(await rejection(client[path].post({ json }))).toMatchObject({
      name: 'TransportError',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('time and abort', () => {
  test('a timeout, of the call or of the configuration', async () => {
    sandbox.misbehave({ delay: Infinity }, 2);
    const client = Builder.factory({ ...sandbox.config, dispatcher: agent, timeout: 60 });
    for (const promise of [use({ timeout: 50 }), client[path].post({ json })]) {
      const error = await rejection(promise);
      expect(error).toBeInstanceOf(TimeoutError);
      expect((error as Error).message).toMatch(/POST \/v3\S+ took longer than [56]0 ms/);
    }
  });

  test('a timeout while undici connects', async () => {
    // An address that answers nothing: the connection is never made, never refused.
    const never = new Agent({ connect: () => {} });
    const client = Builder.factory({ ...sandbox.config, dispatcher: never });
    expect(await rejection(client[path].post({ json, timeout: 50 }))).toBeInstanceOf(TimeoutError);
    await never.destroy();
  });

  test('a signal aborted before: nothing is sent', async () => {
    const reason = new Error('changed my mind');
    expect(await rejection(use({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(sandbox.requests).toHaveLength(0);
  });

  test('a signal aborted while signing: nothing is sent', async () => {
    const controller = new AbortController();
    const promise = rejection(use({ signal: controller.signal }));
    controller.abort();
    expect(await promise).toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sandbox.requests).toHaveLength(0);
  });

  test('a signal aborted while waiting', async () => {
    sandbox.misbehave({ delay: Infinity });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    expect(await rejection(use({ signal: controller.signal }))).toMatchObject({ name: 'AbortError' });
  });

  test('no timer and no listener stay behind', async () => {
    const { signal } = new AbortController();
    const add = jest.spyOn(signal, 'addEventListener');
    const remove = jest.spyOn(signal, 'removeEventListener');
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await Promise.all([use({ signal }), use({ signal }), rejection(instance.chain('v3/none').get({ signal }))]);
    expect(add).toHaveBeenCalledTimes(3);
    expect(remove).toHaveBeenCalledTimes(3);
    expect(timers()).toBeLessThanOrEqual(before + 1);
  });
});

describe('nothing is sent', () => {
  let dispatched: number;
  const counting = (): Dispatcher =>
    agent.compose((dispatch) => (options, handler) => {
      dispatched += 1;
      return dispatch(options, handler);
    });

  test.each<[string, (client: Chain) => PromiseLike<unknown>, string]>([
    ['a variable is missing', (client) => client.chain('v3/x/{id}').get(), 'The URI variable "id"'],
    [
      'a value leads elsewhere',
      (client) => client.chain('v3/x/{id}').get({ id: '..' }),
      'produces a "." or ".." path segment',
    ],
    [
      'the options are no object',
      (client) => client.chain('v3/x').get('a=1' as never),
      'The options must be an object',
    ],
    ['JSON cannot be written', (client) => client.chain('v3/x').post({ json: { a: 1n } }), '"json" cannot be written'],
    ['the query is a number', (client) => client.chain('v3/x').get({ query: 5 as never }), '"query" must be'],
    [
      'a header is no header',
      (client) => client.chain('v3/x').get({ headers: { a: 'b\r\nc: d' } }),
      'contains a line break',
    ],
    ['the body is an object', (client) => client.chain('v3/x').post({ body: {} as never }), 'pass an object as "json"'],
    ['the timeout is no time', (client) => client.chain('v3/x').get({ timeout: -1 }), '"timeout" must be'],
    ['the signal is no signal', (client) => client.chain('v3/x').get({ signal: {} as never }), '"signal" must be'],
    ['the base URL is none', (client) => client.chain('v3/x').get({ baseUrl: 'x' }), '"baseUrl" must be'],
    [
      'the host is another',
      (client) => client.chain('https://evil.example/v3/x').get(),
      'https://evil.example is neither',
    ],
    ['two slashes make a host', (client) => client.chain('//evil.example/v3/x').get(), 'is neither a WeChat Pay host'],
    [
      'a value makes a host',
      (client) => client.chain('{+url}').get({ url: 'http://evil.example/' }),
      'is neither a WeChat Pay host',
    ],
    [
      'the host comes without TLS',
      (client) => client.chain('http://api.mch.weixin.qq.com/v3/x').get(),
      'http://api.mch.weixin.qq.com must be called over https; use https://api.mch.weixin.qq.com/',
    ],
  ])('where %s', async (_name, call, message) => {
    dispatched = 0;
    const error = await rejection(call(Builder.factory({ ...sandbox.config, dispatcher: counting() })));
    expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining(message) });
    expect(error).toBeInstanceOf(WechatPayError);
    expect(dispatched).toBe(0);
  });
});

test('a thousand calls at once are all answered, each with its own response', async () => {
  sandbox.on('get', 'v3/echo/{n}', ({ variables }) => ({ n: variables.n }));
  const calls = Array.from({ length: 1000 }, (_, n) =>
    instance.chain('v3/echo/{n}').get({ n, timeout: 60_000 }).json<{ n: string }>(),
  );
  const answers = await Promise.all(calls);
  expect(answers.map(({ n }) => Number(n))).toEqual(Array.from({ length: 1000 }, (_, n) => n));
});
