import { createSign, generateKeyPairSync } from 'node:crypto';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { authorization, isSigned, type Sent, send } from './support';

let sandbox: Sandbox;
let now = 0;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  sandbox.on('get', 'v3/ping', ({ query }) => ({ pong: query.get('a') }));
  sandbox.on('post', 'v3/echo', ({ json }) => json);
});
beforeEach(() => {
  now = Date.now();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => sandbox.close());

const seconds = (): number => Math.floor(now / 1000);

test.each<[string, string, Sent]>([
  ['without a body', '/v3/ping', {}],
  ['with a query, byte for byte as in the request line', '/v3/ping?a=%e4%BD%a0%20b&c=', {}],
  ['with a JSON body', '/v3/echo', { json: { description: '商品' } }],
])('a request %s that is signed well is carried out', async (_, target, options) => {
  const response = await send(sandbox, target, options);
  expect(response.status).toBe(200);
  expect(isSigned(sandbox, response)).toBe(true);
});

test('members may stand in any order and have spaces around them', async () => {
  const [scheme = '', list = ''] = authorization(sandbox, 'GET', '/v3/ping', '').split(' ');
  const spaced = `${scheme}  ${list.split(',').reverse().join(' , ')}`;
  expect(await send(sandbox, '/v3/ping', { headers: { authorization: spaced } })).toMatchObject({ status: 200 });
});

const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

test.each<[string, Sent | (() => Sent), string, RegExp]>([
  ['no Authorization', { headers: { authorization: undefined } }, 'authorization', /missing/],
  ['another scheme', { headers: { authorization: 'Bearer x' } }, 'authorization', /scheme .* "Bearer"/],
  ['no members', { headers: { authorization: 'WECHATPAY2-SHA256-RSA2048' } }, 'authorization', /malformed/],
  [
    'a member without quotes',
    () => ({ headers: { authorization: authorization(sandbox, 'GET', '/v3/ping', '').replaceAll('"', '') } }),
    'authorization',
    /malformed/,
  ],
  [
    'a member twice',
    () => ({ headers: { authorization: `${authorization(sandbox, 'GET', '/v3/ping', '')},mchid="1"` } }),
    'authorization',
    /mchid twice/,
  ],
  ['a member missing', { authorization: { nonce_str: undefined } }, 'authorization', /lacks nonce_str/],
  ['an empty member', { authorization: { signature: '' } }, 'authorization', /lacks signature/],
  ['an unknown merchant', { authorization: { mchid: '1' } }, 'mchid', /^商户号不存在: .*"1" does not exist/],
  ['an unknown serial number', { authorization: { serial_no: 'AB' } }, 'serial_no', /"AB"/],
  ['a timestamp that is no number', { authorization: { timestamp: 'now' } }, 'timestamp', /"now"/],
  ['a timestamp 301 s ago', () => ({ timestamp: seconds() - 301 }), 'timestamp', /300 s/],
  ['a timestamp 301 s ahead', () => ({ timestamp: seconds() + 301 }), 'timestamp', /300 s/],
  [
    'a signature of something else',
    { authorization: { nonce_str: 'other' } },
    'signature',
    /^错误的签名，验签失败: The key is right, but what was signed is another text/,
  ],
  [
    'a signature that is not Base64',
    { authorization: { signature: '?' } },
    'signature',
    /^错误的签名，验签失败: The signature is not Base64 of 256 bytes/,
  ],
  [
    'a signature by another key',
    () => {
      const text = `GET\n/v3/ping\n${seconds()}\nn\n\n`;
      const signature = createSign('RSA-SHA256').update(text).sign(otherKey, 'base64');
      return { authorization: { nonce_str: 'n', signature, timestamp: String(seconds()) } };
    },
    'signature',
    /^错误的签名，验签失败: The signature was not made with the private key of the certificate/,
  ],
])('%s is refused by 401 SIGN_ERROR, not signed', async (_, options, field, message) => {
  const response = await send(sandbox, '/v3/ping', typeof options === 'function' ? options() : options);
  expect(response).toMatchObject({
    status: 401,
    json: { code: 'SIGN_ERROR', message: expect.stringMatching(message), detail: { field, location: 'authorization' } },
  });
  expect(Object.keys(response.headers).filter((name) => name.startsWith('wechatpay-'))).toEqual([]);
  expect(response.headers['request-id']).toEqual(expect.any(String));
});

test.each([-300, 300])('a timestamp %i s off is taken', async (skew) => {
  expect(await send(sandbox, '/v3/ping', { timestamp: seconds() + skew })).toMatchObject({ status: 200 });
});

test('a wrong signature is told what it was checked over, without the body', async () => {
  const body = '{"secret":"plain text of a customer"}';
  const options = { body, authorization: { nonce_str: 'x', timestamp: String(seconds()) } };
  const { json, text } = await send(sandbox, '/v3/echo?a=1', options);
  expect(json.detail.sign_information).toEqual({
    method: 'POST',
    url: '/v3/echo?a=1',
    truncated_sign_message: `POST\n/v3/echo?a=1\n${seconds()}\nx\n{"secret\n`,
    sign_message_length: `POST\n/v3/echo?a=1\n${seconds()}\nx\n${body}\n`.length,
  });
  expect(text).not.toContain('customer');
});

test('a body that is no UTF-8 is checked as bytes', async () => {
  sandbox.on('post', 'v3/bytes', ({ body }) => ({ hex: body.toString('hex') }));
  const options = { body: Buffer.of(0xff, 0xfe), headers: { 'content-type': 'application/octet-stream' } };
  expect(await send(sandbox, '/v3/bytes', options)).toMatchObject({ status: 200, json: { hex: 'fffe' } });
});

describe('a nonce', () => {
  const replay = (header: string) => send(sandbox, '/v3/ping', { headers: { authorization: header } });

  test('is good for one request, also of two at the same time', async () => {
    const header = authorization(sandbox, 'GET', '/v3/ping', '');
    const answers = await Promise.all([replay(header), replay(header), replay(header)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const { json } = await replay(header);
    expect(json).toMatchObject({
      code: 'SIGN_ERROR',
      message: expect.stringMatching(/^请求重放: .*has been used before/),
    });
  });

  test('is not used up by a request that was refused', async () => {
    const header = authorization(sandbox, 'GET', '/v3/ping', '');
    expect(await replay(header.replace('signature="', 'signature="AAAA'))).toMatchObject({ status: 401 });
    expect(await replay(header)).toMatchObject({ status: 200 });
  });

  test('is remembered until its timestamp is too old', async () => {
    const header = authorization(sandbox, 'GET', '/v3/ping', '', { timestamp: seconds() + 300 });
    const names = ['a', 'b', 'c'];
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    await replay(header);
    now += 599_000;
    for (const nonce of names) await send(sandbox, `/v3/ping?${nonce}`, { timestamp: seconds() });
    expect((await replay(header)).json.detail.field).toBe('nonce_str');
    now += 2_000;
    expect((await replay(header)).json.detail.field).toBe('timestamp');
  });
});

test.each(['accept', 'user-agent'])('a request without %s is refused by 400, before its signature', async (name) => {
  const response = await send(sandbox, '/v3/ping', { headers: { [name]: undefined, authorization: 'Bearer x' } });
  expect(response).toMatchObject({ status: 400, json: { code: 'INVALID_REQUEST' } });
  expect(response.json.message.toLowerCase()).toContain(name);
  expect(response.headers).not.toHaveProperty('wechatpay-signature');
});

// Clients send the merchant's own serial number, nothing, or the header twice; nothing here is encrypted for a key.
test.each([undefined, '', 'PUB_KEY_ID_9', 'A1, A1'])(
  'Wechatpay-Serial may be %p where nothing is encrypted',
  async (serial) => {
    const response = await send(sandbox, '/v3/ping', { headers: { 'wechatpay-serial': serial } });
    expect(response).toMatchObject({ status: 200 });
    expect(isSigned(sandbox, response)).toBe(true);
  },
);
