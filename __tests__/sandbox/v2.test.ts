import { createHash, createHmac } from 'node:crypto';
import { request } from 'node:http';
import { fault, type Misbehaviour, type Sandbox, v2Fault } from 'wechatpay-undici/sandbox';
import { toObject, toXml } from '../../lib/format/transformer';
import { useSandbox } from '../support/sandbox';
import { authorization } from './support';

let sandbox: Sandbox;
let mch_id: string;
useSandbox((started) => {
  sandbox = started;
  mch_id = sandbox.config.mchid;
});
beforeEach(() => {
  sandbox.on('post', 'v2/pay/unifiedorder', ({ xml }) => ({ prepay_id: `wx${xml.out_trade_no}` }));
  sandbox.on('get', 'v2/risk/getcertficates', ({ xml }) => ({ seen: JSON.stringify(xml) }));
});

type Fields = Record<string, string>;

/** The signature of v2, written out by its rule. */
function signed(fields: Fields, key = sandbox.config.secret): string {
  const names = Object.keys(fields).filter((name) => name !== 'sign' && fields[name] !== '');
  const text = [...names.sort().map((name) => `${name}=${fields[name]}`), `key=${key}`].join('&');
  const hash = fields.sign_type === 'HMAC-SHA256' ? createHmac('sha256', key) : createHash('md5');
  return hash.update(text).digest('hex').toUpperCase();
}

interface Received {
  status: number;
  type: string | undefined;
  text: string;
  fields: Fields;
}

function send(method: string, path: string, body: string | Buffer = ''): Promise<Received> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, sandbox.url), { method, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const fields = (text.startsWith('<') ? toObject(text) : {}) as Fields;
        resolve({ status: incoming.statusCode ?? 0, type: incoming.headers['content-type'], text, fields });
      });
    });
    outgoing.on('error', reject).end(body);
  });
}

const post = (fields: Fields, path = '/pay/unifiedorder') =>
  send('POST', path, toXml({ ...fields, sign: fields.sign ?? signed(fields) }));
const order = (more: Fields = {}): Fields => ({ mch_id, out_trade_no: '1', body: '<商品>&', ...more });
/** The message; what is wrong follows it. */
const WRONG_SIGN = expect.stringMatching(/^签名错误，请检查后再试/);
const FAILED = (return_msg: unknown) => ({ return_code: 'FAIL', return_msg });

test.each<Fields>([{}, { sign_type: 'MD5' }, { sign_type: '' }, { sign_type: 'HMAC-SHA256' }])(
  'an order signed well (%j) is answered in kind',
  async (more) => {
    const { status, type, fields } = await post(order(more));
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain' });
    expect(fields).toEqual({
      ...{ return_code: 'SUCCESS', return_msg: 'OK', result_code: 'SUCCESS', mch_id, prepay_id: 'wx1' },
      nonce_str: expect.stringMatching(/^\w{32}$/),
      sign: expect.any(String),
    });
    const { sign, ...rest } = fields;
    const type_ = more.sign_type || 'MD5';
    expect(sign).toHaveLength(type_ === 'MD5' ? 32 : 64);
    const names = Object.keys(rest).sort();
    const text = `${names.map((name) => `${name}=${rest[name]}`).join('&')}&key=${sandbox.config.secret}`;
    const hash = type_ === 'MD5' ? createHash('md5') : createHmac('sha256', sandbox.config.secret);
    expect(sign).toBe(hash.update(text).digest('hex').toUpperCase());
  },
);

test.each(['mch_id', 'mchid', 'combine_mch_id'])('the merchant is known by %s, and answered by it', async (name) => {
  const { fields } = await post({ [name]: mch_id, out_trade_no: '2' });
  expect(fields).toMatchObject({ [name]: mch_id, prepay_id: 'wx2' });
});

test.each<[string, () => Promise<Received>, unknown]>([
  ['no sign', () => post(order({ sign: '' })), WRONG_SIGN],
  ['a sign of something else', () => post({ ...order(), sign: signed(order({ body: '' })) }), WRONG_SIGN],
  ['a sign by another key', () => post({ ...order(), sign: signed(order(), 'x'.repeat(32)) }), WRONG_SIGN],
  ['a sign in lower case', () => post({ ...order(), sign: signed(order()).toLowerCase() }), WRONG_SIGN],
  ['an unknown sign_type', () => post(order({ sign_type: 'SM3' })), WRONG_SIGN],
  [
    'an MD5 where the sign_type says otherwise',
    () => post({ ...order({ sign_type: 'HMAC-SHA256' }), sign: signed(order()) }),
    WRONG_SIGN,
  ],
  ['no merchant', () => post({ out_trade_no: '1' }), 'mch_id参数格式错误'],
  ['another merchant', () => post(order({ mch_id: '1' })), '商户号mch_id或sub_mch_id不存在'],
  [
    'another merchant before the right one',
    () => post({ mch_id: '1', mchid: '1900000109' }),
    '商户号mch_id或sub_mch_id不存在',
  ],
  ['no whole XML', () => send('POST', '/pay/unifiedorder', '<xml><mch_id>'), 'XML格式错误'],
  [
    'XML within a field',
    () => send('POST', '/pay/unifiedorder', `<xml><mch_id>${mch_id}</mch_id><a><b>1</b></a></xml>`),
    'XML格式错误',
  ],
])('%s is refused, unsigned', async (_, call, message) => {
  const handler = jest.fn();
  sandbox.on('post', 'v2/pay/unifiedorder', handler);
  expect(await call()).toMatchObject({ status: 200, fields: FAILED(message) });
  expect(sandbox.requests).toHaveLength(1);
  expect(handler).not.toHaveBeenCalled();
});

test('a refusal is written as WeChat Pay writes it', async () => {
  const { text } = await post(order({ sign: '0'.repeat(32) }));
  expect(text).toBe(
    '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[签名错误，请检查后再试]]></return_msg></xml>',
  );
});

test('a GET is signed in its query', async () => {
  const fields = { mch_id, 'a b': '1 +&=中', empty: '' };
  const query = new URLSearchParams({ ...fields, sign: signed(fields) });
  const { fields: answered } = await send('GET', `/risk/getcertficates?${query}`);
  expect(JSON.parse(String(answered.seen))).toEqual({ ...fields, sign: signed(fields) });
  expect(answered.sign).toBe(signed(answered));
  expect(await send('GET', `/risk/getcertficates?mch_id=${mch_id}&sign=X`)).toMatchObject({
    fields: FAILED(WRONG_SIGN),
  });
});

test('a handler is given the fields as text, the path as in the request line', async () => {
  const seen = jest.fn();
  sandbox.on('post', 'v2/shop/{what}', seen);
  await post({ mch_id, total_fee: '100', body: '商品', attach: '' }, '/shop/sale?a=1');
  const [{ path, variables, query, xml, json, files }] = seen.mock.calls[0];
  const sign = signed({ mch_id, total_fee: '100', body: '商品' });
  expect({ path, variables, xml, json, files, a: query.get('a') }).toEqual({
    ...{ path: '/shop/sale', variables: { what: 'sale' }, json: undefined, files: [], a: '1' },
    xml: { mch_id, total_fee: '100', body: '商品', attach: '', sign },
  });
});

test.each<[string, () => unknown, object, boolean]>([
  ['nothing', () => undefined, { return_code: 'SUCCESS', result_code: 'SUCCESS' }, true],
  ['numbers', () => ({ total_fee: 100, n: undefined, e: null }), { total_fee: '100', e: '' }, true],
  ['a nonce of its own', () => ({ nonce_str: 'mine', mch_id: '7' }), { nonce_str: 'mine', mch_id: '7' }, true],
  [
    'a fault',
    () => v2Fault('ORDERPAID', '该订单已支付'),
    { return_code: 'SUCCESS', result_code: 'FAIL', err_code: 'ORDERPAID', err_code_des: '该订单已支付' },
    true,
  ],
  [
    'a fault that is thrown',
    () => Promise.reject(v2Fault('NOAUTH', '商户无此接口权限')),
    { result_code: 'FAIL', err_code: 'NOAUTH', err_code_des: '商户无此接口权限' },
    true,
  ],
  ['a failure of the protocol', () => ({ return_code: 'FAIL', return_msg: 'no' }), FAILED('no'), false],
  [
    'an error',
    () => Promise.reject(new RangeError('out of ink')),
    { result_code: 'FAIL', err_code: 'SYSTEMERROR', err_code_des: expect.stringContaining('out of ink') },
    true,
  ],
  [
    'a list in a field',
    () => ({ coupons: ['a'] }),
    { err_code: 'SYSTEMERROR', err_code_des: expect.stringContaining('"coupons"') },
    true,
  ],
  ['text', () => 'x', { err_code: 'SYSTEMERROR', err_code_des: expect.stringContaining('string') }, true],
])('a handler that gives %s', async (_, handler, expected, isSigned) => {
  sandbox.on('post', 'v2/x', handler);
  const { status, fields } = await post(order(), '/x');
  expect(status).toBe(200);
  expect(fields).toMatchObject(expected);
  expect(fields.sign).toBe(isSigned ? signed(fields) : undefined);
});

test('a failure of the protocol has no field of our own', async () => {
  sandbox.on('post', 'v2/x', () => FAILED('no'));
  expect((await post(order(), '/x')).fields).toEqual(FAILED('no'));
});

test('a Response passes as it is', async () => {
  sandbox.on('post', 'v2/x', () => Response.json({ retcode: 0 }, { status: 201 }));
  expect(await post(order(), '/x')).toMatchObject({ status: 201, text: '{"retcode":0}', type: 'application/json' });
  sandbox.on('post', 'v2/x', () => Promise.reject(fault(502, 'X', 'y')));
  expect(await post(order(), '/x')).toMatchObject({ status: 502, text: '{"code":"X","message":"y"}' });
});

test('with { signed: false } fields go out without a sign', async () => {
  sandbox.on('post', 'v2/x', () => ({ payment_no: '1' }), { signed: false });
  const { fields } = await post(order(), '/x');
  expect(fields).toMatchObject({ payment_no: '1', nonce_str: expect.any(String) });
  expect(fields).not.toHaveProperty('sign');
});

test('v2 and APIv3 have paths of their own', async () => {
  sandbox.on('post', 'V2//a', () => ({ as: 'v2' }));
  sandbox.on('post', 'a', () => ({ as: 'v3' }));
  expect((await post(order(), '/a')).fields).toMatchObject({ as: 'v2' });
  const signedAsV3 = authorization(sandbox, 'POST', '/a', '{}');
  const headers = { accept: '*/*', 'user-agent': 'x', authorization: signedAsV3 };
  const response = await fetch(`${sandbox.url}a`, { method: 'POST', body: '{}', headers });
  expect(await response.json()).toEqual({ as: 'v3' });
  expect((await post(order(), '/v2/a')).fields).toMatchObject({ return_code: 'FAIL' });
});

test('an unknown path gets a failure that says how to teach it', async () => {
  const { status, fields } = await post(order(), '/shop/sale');
  expect(status).toBe(200);
  expect(fields.return_msg).toContain("sandbox.on('post', 'v2/shop/sale', handler)");
});

describe('misbehaviours', () => {
  const misbehaved = (how: Misbehaviour, more?: Fields) => {
    sandbox.misbehave(how);
    return post(order(more));
  };

  test.each<[Misbehaviour, Fields, number]>([
    [{ signature: 'wrong' }, {}, 32],
    [{ signature: 'probe' }, {}, 32],
    [{ signature: 'wrong' }, { sign_type: 'HMAC-SHA256' }, 64],
  ])('%j %j: well formed, but it does not fit', async (how, more, length) => {
    const { fields } = await misbehaved(how, more);
    expect(fields.sign).toMatch(new RegExp(`^[0-9A-F]{${length}}$`));
    expect(fields.sign).not.toBe(signed({ ...fields, ...more }));
    expect(fields).toMatchObject({ prepay_id: 'wx1' });
  });

  test('no sign', async () => {
    const { fields } = await misbehaved({ signature: 'none' });
    expect(fields).toMatchObject({ prepay_id: 'wx1' });
    expect(fields).not.toHaveProperty('sign');
  });

  test('another body, properly signed; one that is no XML, as it is', async () => {
    const { fields } = await misbehaved({ body: '<xml><return_code>SUCCESS</return_code><a>&lt;</a></xml>' });
    expect(fields).toEqual({ return_code: 'SUCCESS', a: '<', sign: signed(fields) });
    expect((await misbehaved({ body: '502 Bad Gateway' })).text).toBe('502 Bad Gateway');
  });

  test('a body changed after signing', async () => {
    const { fields, text } = await misbehaved({ tamper: '<xml><sign>X</sign></xml>' });
    expect({ fields, text }).toEqual({ fields: { sign: 'X' }, text: '<xml><sign>X</sign></xml>' });
  });

  test.each<Misbehaviour>([{ status: 502 }, { ignore: true, status: 502 }])('%j', async (how) => {
    const handler = jest.fn();
    sandbox.on('post', 'v2/pay/unifiedorder', handler);
    expect(await misbehaved(how)).toMatchObject({ status: 502, fields: FAILED(expect.any(String)) });
    expect(handler).toHaveBeenCalledTimes(how.ignore ? 0 : 1);
  });

  test('a connection that is reset', async () => {
    await expect(misbehaved({ reset: true })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
