import { Response as UndiciResponse } from 'undici';
import { fault, type Sandbox } from 'wechatpay-undici/sandbox';
import { useSandbox } from '../support/sandbox';
import { isSigned, send } from './support';

let sandbox: Sandbox;
useSandbox((started) => {
  sandbox = started;
});

const busy = fault(429, 'FREQUENCY_LIMITED', 'Slow down.');

test.each<[string, () => unknown, number, string]>([
  ['a plain object', () => ({ code_url: 'weixin://二维码' }), 200, '{"code_url":"weixin://二维码"}'],
  ['a promise of one', async () => ({ a: 1 }), 200, '{"a":1}'],
  ['null', () => null, 200, 'null'],
  ['a text', () => 'x', 200, '"x"'],
  ['nothing', () => undefined, 204, ''],
  ["undici's Response", () => new UndiciResponse('a,b', { status: 202 }), 202, 'a,b'],
  ["Node's Response", () => new Response('a,b', { status: 201 }), 201, 'a,b'],
  ['a Response without a body', () => new Response(null, { status: 204 }), 204, ''],
  [
    'a fault',
    () => fault(403, 'NO_AUTH', 'No.', { field: 'x' }),
    403,
    '{"code":"NO_AUTH","detail":{"field":"x"},"message":"No."}',
  ],
  ['a fault without detail', () => busy, 429, '{"code":"FREQUENCY_LIMITED","message":"Slow down."}'],
  ['the same fault once more', () => busy, 429, '{"code":"FREQUENCY_LIMITED","message":"Slow down."}'],
  [
    'a fault that is thrown',
    () => Promise.reject(fault(404, 'ORDER_NOT_EXIST', 'No order.')),
    404,
    '{"code":"ORDER_NOT_EXIST","message":"No order."}',
  ],
])('%s is signed and sent', async (_, handler, status, text) => {
  sandbox.on('post', 'v3/pay/transactions/native', handler);
  const response = await send(sandbox, '/v3/pay/transactions/native', { json: {} });
  expect(response).toMatchObject({ status, text });
  expect(isSigned(sandbox, response)).toBe(true);
  expect(response.headers['request-id']).toMatch(/^[0-9A-F]+-\d+$/);
});

test('a Response keeps its headers, also several of one name', async () => {
  const headers = new Headers({ 'content-type': 'text/csv', 'x-a': 'b' });
  headers.append('set-cookie', 'a=1');
  headers.append('set-cookie', 'b=2');
  sandbox.on('get', 'v3/bill', () => new Response('x', { headers }));
  const response = await send(sandbox, '/v3/bill');
  expect(response.headers).toMatchObject({ 'content-type': 'text/csv', 'x-a': 'b', 'set-cookie': ['a=1', 'b=2'] });
});

const loop: Record<string, unknown> = {};
loop.loop = loop;

test.each<[string, () => unknown, RegExp]>([
  [
    'throws',
    () => {
      throw new RangeError('out of ink');
    },
    /RangeError: out of ink/,
  ],
  ['rejects', () => Promise.reject('no'), /no/],
  ['returns a function', () => () => 1, /function/],
  ['returns what JSON cannot hold', () => loop, /circular/],
])('a handler that %s is answered by 500 SYSTEM_ERROR', async (_, handler, message) => {
  sandbox.on('get', 'v3/broken', handler);
  const response = await send(sandbox, '/v3/broken');
  expect(response).toMatchObject({
    status: 500,
    json: { code: 'SYSTEM_ERROR', message: expect.stringMatching(message) },
  });
  expect(isSigned(sandbox, response)).toBe(true);
});

test('a handler is given the request in all its parts', async () => {
  const seen = jest.fn();
  sandbox.on('put', 'v3/a/{first}/b/{second-id}', seen);
  const body = '{ "a": "中" }';
  await send(sandbox, '/v3/a/x%2Fy%20%E4%B8%AD/b/AbC?q=1&q=2&r=%20', { method: 'PUT', body });
  expect(seen).toHaveBeenCalledTimes(1);
  const [request] = seen.mock.calls[0];
  expect(request).toMatchObject({
    method: 'PUT',
    path: '/v3/a/x%2Fy%20%E4%B8%AD/b/AbC',
    variables: { first: 'x/y 中', 'second-id': 'AbC' },
    headers: { accept: 'application/json' },
    json: { a: '中' },
    body: Buffer.from(body),
  });
  expect([...request.query]).toEqual([
    ['q', '1'],
    ['q', '2'],
    ['r', ' '],
  ]);
});

test('the type of the JSON is for the caller to say', async () => {
  sandbox.on<{ out_trade_no: string }>('post', 'v3/typed', ({ json }) => ({ prepay_id: json.out_trade_no.length }));
  expect(await send(sandbox, '/v3/typed', { json: { out_trade_no: 'abc' } })).toMatchObject({
    json: { prepay_id: 3 },
  });
});

test.each<[string, string | Buffer, string | undefined, unknown]>([
  ['JSON by its type', '[1]', 'application/json; charset=utf-8', [1]],
  ['JSON by default', '[1]', undefined, [1]],
  ['JSON by a suffix', '[1]', 'application/problem+json', [1]],
  ['anything else', '[1]', 'text/plain', undefined],
])('a body that is %s', async (_, body, type, expected) => {
  const seen = jest.fn();
  sandbox.on('post', 'v3/x', seen);
  await send(sandbox, '/v3/x', { body, headers: { 'content-type': type } });
  expect(seen.mock.calls[0][0].json).toEqual(expected);
});

test.each<[string, string | Buffer]>([
  ['malformed', '{"a":'],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('a JSON body that is %s is refused by 400 PARAM_ERROR', async (_, body) => {
  const handler = jest.fn();
  sandbox.on('post', 'v3/x', handler);
  const response = await send(sandbox, '/v3/x', { body });
  expect(response).toMatchObject({ status: 400, json: { code: 'PARAM_ERROR', detail: { location: 'body' } } });
  expect(isSigned(sandbox, response)).toBe(true);
  expect(handler).not.toHaveBeenCalled();
});

describe('the handler of a path', () => {
  const answerOf = async (target: string, method = 'GET') => (await send(sandbox, target, { method })).json;

  test('is replaced by a later one', async () => {
    sandbox.on('get', 'v3/x', () => 1);
    sandbox.on('get', '/v3/x', () => 2);
    expect(await answerOf('/v3/x')).toBe(2);
  });

  test('is replaced where only the names of variables differ', async () => {
    sandbox.on('get', 'v3/x/{a}', () => 1);
    sandbox.on('get', 'v3/x/{b}', ({ variables }) => variables);
    expect(await answerOf('/v3/x/1')).toEqual({ b: '1' });
  });

  test('is taken away by what on() returned, but not the one after it', async () => {
    const off = sandbox.on('get', 'v3/x', () => 1);
    sandbox.on('get', 'v3/x', () => 2);
    off();
    expect(await answerOf('/v3/x')).toBe(2);
  });

  test('may stand in for one that the sandbox has by itself', async () => {
    const off = sandbox.on('post', 'v3/marketing/busifavor/coupons/use', () => 'mine');
    expect(await answerOf('/v3/marketing/busifavor/coupons/use', 'POST')).toBe('mine');
    off();
    expect(await answerOf('/v3/marketing/busifavor/coupons/use', 'POST')).toMatchObject({ code: 'PARAM_ERROR' });
  });

  test('is chosen by its verb, and without variables goes first', async () => {
    sandbox.on('get', 'v3/orders/{id}', () => 'one');
    sandbox.on('get', 'v3/orders/all', () => 'all');
    sandbox.on('delete', 'v3/orders/all', () => 'gone');
    expect(await answerOf('/v3/orders/all')).toBe('all');
    expect(await answerOf('/v3/orders/7')).toBe('one');
    expect(await answerOf('/v3/orders/all', 'DELETE')).toBe('gone');
  });

  test('knows capitals, dots, Chinese and a slash at the end', async () => {
    sandbox.on('get', 'v3/Ä.b/中/', () => 'ok');
    expect(await answerOf('/v3/%C3%84.b/%E4%B8%AD/')).toBe('ok');
    expect(await answerOf('/v3/%C3%84xb/%E4%B8%AD/')).toMatchObject({ code: 'RESOURCE_NOT_EXISTS' });
    expect(await answerOf('/v3/%C3%84.b/%E4%B8%AD')).toMatchObject({ code: 'RESOURCE_NOT_EXISTS' });
  });

  test('takes a variable that is badly encoded as it is', async () => {
    sandbox.on('get', 'v3/x/{a}', ({ variables }) => variables);
    expect(await answerOf('/v3/x/%zz')).toEqual({ a: '%zz' });
  });

  test.each([
    ['get', ''],
    ['get', '/'],
    ['get', 'https://api.mch.weixin.qq.com/v3/x'],
    ['get', 'v3/x?a=1'],
    ['get', 'v3/{?a}'],
    ['get', 'v3/{a'],
    ['head', 'v3/x'],
  ])('cannot be set for %s "%s"', (verb, path) => {
    expect(() => sandbox.on(verb as 'get', path, () => 1)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });

  test('must be a function', () => {
    expect(() => sandbox.on('get', 'v3/x', { code_url: '' } as never)).toThrow(/must be a function/);
  });
});

test('an unknown path gets 404 RESOURCE_NOT_EXISTS that says how to teach it', async () => {
  const response = await send(sandbox, '/v3/unknown?a=1', { json: {} });
  expect(response).toMatchObject({ status: 404, json: { code: 'RESOURCE_NOT_EXISTS' } });
  expect(response.json.message).toContain("sandbox.on('post', 'v3/unknown', handler)");
  expect(isSigned(sandbox, response)).toBe(true);
});

test('another verb than that of a path gets 404 that names the right one', async () => {
  const { status, json } = await send(sandbox, '/v3/marketing/busifavor/coupons/use');
  expect(status).toBe(404);
  expect(json.message).toContain('It exists for POST.');
});
