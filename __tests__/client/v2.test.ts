import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { ApiError, Builder, type ClientConfig, ConfigurationError, SignatureError } from 'wechatpay-undici';
import { type Misbehaviour, Sandbox, v2Fault } from 'wechatpay-undici/sandbox';
import { Media } from '../../lib/upload/media';
import { loose, type Tree } from '../support/loose';
import { rejection } from '../support/rejection';

let sandbox: Sandbox;
type Names = 'v2' | 'v3' | 'pay' | 'unifiedorder' | 'certificates' | 'v2/pay' | 'v2/pay/unifiedorder';
let instance: Tree<Names>;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = build(sandbox.config);
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('post', 'v2/pay/unifiedorder', ({ xml }) => ({ prepay_id: `wx${xml.out_trade_no}` }));
});
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

const build = (config: ClientConfig) => loose<Names>(Builder.factory({ ...config, dispatcher: agent }));
const mch_id = '1900000109';
const path = 'v2/pay/unifiedorder';
const order = { mch_id, out_trade_no: '1', body: '<商品> & "中"', total_fee: 1 };
const sent = () => sandbox.requests.at(-1);

describe('calls', () => {
  test('in three styles and both verbs, v2 beside APIv3', async () => {
    const xml = order;
    sandbox.on('get', 'v3/certificates', () => ({ data: [] }));
    const answers = await Promise.all([
      instance.v2.pay.unifiedorder.post({ xml }).xml<{ prepay_id: string }>(),
      instance.v2.pay.unifiedorder.postAsync({ xml }).then((response) => response.xml()),
      instance.chain(path).post({ xml }).xml(),
      instance.chain('V2/pay/unifiedorder').postAsync({ xml }).xml(),
      instance[path].post({ xml }).xml(),
      instance['v2/pay'].unifiedorder.postAsync({ xml }).xml(),
    ]);
    expect(answers.map((answer) => Object(answer).prepay_id)).toEqual(Array(6).fill('wx1'));
    expect(await instance.v3.certificates.get().json()).toEqual({ data: [] });
    expect(sent()?.headers.authorization).toContain('WECHATPAY2-SHA256-RSA2048');
  });

  test('what is sent: the address without v2/, XML, no headers of APIv3', async () => {
    const response = await instance.v2.pay.unifiedorder.post({ xml: order });
    expect(sent()).toMatchObject({
      method: 'POST',
      target: '/pay/unifiedorder',
      headers: { accept: 'text/xml, text/plain, application/x-gzip', 'content-type': 'text/xml; charset=utf-8' },
      body: expect.stringMatching(
        /^<xml><mch_id>1900000109<\/mch_id><out_trade_no>1<\/out_trade_no><body><!\[CDATA\[<商品> & "中"\]\]><\/body><total_fee>1<\/total_fee><nonce_str>\w{32}<\/nonce_str><sign>[0-9A-F]{32}<\/sign><\/xml>$/,
      ),
    });
    expect(Object.keys(sent()?.headers ?? {})).not.toEqual(expect.arrayContaining(['authorization']));
    expect(sent()?.headers).not.toHaveProperty('wechatpay-serial');
    expect(response.requestId).toEqual(expect.any(String));
  });

  test('a name that XML cannot have goes as item, and is signed as that; two of them are refused', async () => {
    await instance[path].post({ xml: { mch_id, 'a b': 'x' } });
    expect(sent()).toMatchObject({ status: 200, body: expect.stringContaining('<item>x</item>') });
    const count = sandbox.requests.length;
    for (const xml of [
      { mch_id, 'a b': 'x', '1': 'y' },
      { mch_id, item: 'x', '': 'y' },
    ]) {
      expect(await rejection(instance[path].post({ xml }))).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        message: expect.stringContaining('several fields to write as "item"'),
      });
    }
    expect(sandbox.requests).toHaveLength(count);
  });

  test('no two requests have the same nonce', async () => {
    await Promise.all(Array.from({ length: 5 }, () => instance[path].post({ xml: order })));
    const nonces = sandbox.requests.map(({ body }) => /<nonce_str>(\w+)</.exec(body)?.[1]);
    expect(new Set(nonces).size).toBe(5);
  });

  test.each(['MD5', 'HMAC-SHA256'])('sign_type %s: the response comes in kind, and is verified', async (sign_type) => {
    const answer = await instance[path].post({ xml: { ...order, sign_type } }).xml<Record<string, string>>();
    expect(answer).toMatchObject({ return_code: 'SUCCESS', result_code: 'SUCCESS', mch_id, prepay_id: 'wx1' });
    expect(answer.sign).toHaveLength(sign_type === 'MD5' ? 32 : 64);
  });

  test('nonceless: no nonce_str; a nonce of the caller stays', async () => {
    await instance[path].post({ xml: order, nonceless: true });
    expect(sent()).toMatchObject({ status: 200, body: expect.not.stringContaining('nonce_str') });
    await instance[path].post({ xml: { ...order, nonce_str: 'MINE' } });
    expect(sent()?.body).toContain('<nonce_str>MINE</nonce_str>');
  });

  test('a GET, by query and by xml', async () => {
    sandbox.on('get', 'v2/test/web', ({ xml }) => ({ redirect_url: xml.return_appid }));
    const node = instance.chain('v2/test/web');
    for (const fields of [{ query: { mch_id, return_appid: 'a +&中' } }, { xml: { mch_id, return_appid: 'a +&中' } }]) {
      expect(await node.get({ ...fields, nonceless: true }).xml()).toMatchObject({ redirect_url: 'a +&中' });
      expect(sent()?.target).toMatch(
        /^\/test\/web\?mch_id=1900000109&return_appid=a%20%2B%26%E4%B8%AD&sign=[0-9A-F]{32}$/,
      );
      expect(sent()?.body).toBe('');
    }
    await node.get({ query: { mch_id } });
    expect(sent()?.target).toMatch(/\?mch_id=1900000109&nonce_str=\w{32}&sign=/);
  });

  test('a response without a sign is taken where it is to have none', async () => {
    sandbox.on('post', 'v2/mmpaymkttransfers/promotion/transfers', () => ({ payment_no: '7' }), { signed: false });
    const node = instance.chain('v2/mmpaymkttransfers/promotion/transfers');
    const options = { xml: { mchid: mch_id, amount: 1 }, security: false };
    expect(await node.post({ ...options, unsigned: true }).xml()).toMatchObject({ payment_no: '7', mchid: mch_id });
    expect(await rejection(node.post({ ...options, unsigned: false }))).toMatchObject({
      code: 'ERR_SIGNATURE_MISSING',
    });
  });

  test('getaccesstoken answers JSON', async () => {
    const token = { retcode: 0, retmsg: 'ok', access_token: 't' };
    sandbox.on('get', 'v2/appauth/getaccesstoken', () => Response.json(token));
    const query = { mch_id, appid: 'wx1', openid: 'o', code: 'c', grant_type: 'authorization_code' };
    const call = () => instance.chain('v2/appauth/getaccesstoken').get({ query, unsigned: true });
    expect(await call().json()).toEqual(token);
    sandbox.on('get', 'v2/appauth/getaccesstoken', () => Response.json({ retcode: -1, retmsg: 'invalid code' }));
    const error = await rejection(call());
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: '-1', message: 'invalid code', request: 'GET /appauth/getaccesstoken' });
    sandbox.on('get', 'v2/appauth/getaccesstoken', () => new Response('{'));
    expect(await rejection(call().json())).toMatchObject({ code: 'ERR_BODY_NOT_JSON' });
  });

  test('an upload is signed in its fields', async () => {
    sandbox.on('post', 'v2/secapi/mch/uploadmedia', ({ files }) => ({ media_id: files[0]?.md5 }));
    const bytes = Buffer.from('\x89PNG内容');
    const fields = ({ digest }: { digest: string }) => ({ mch_id, media_hash: digest, sign_type: 'HMAC-SHA256' });
    const body = await Media.from(bytes, { filename: '图.png', name: 'media', algorithm: 'md5', fields });
    const answer = await instance.chain('v2/secapi/mch/uploadmedia').post({ body, security: false }).xml();
    expect(answer).toMatchObject({ media_id: createHash('md5').update(bytes).digest('hex') });
    expect(sent()?.files).toMatchObject([{ name: 'media', filename: '图.png', size: bytes.length }]);
  });
});

describe('failed responses', () => {
  test('of the operation: an ApiError with all codes', async () => {
    sandbox.on('post', path, () => v2Fault('ORDERPAID', '该订单已支付'));
    const error = await rejection(instance[path].post({ xml: order }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      ...{ code: 'ORDERPAID', message: '该订单已支付', status: 200, request: 'POST /pay/unifiedorder' },
      ...{ return_code: 'SUCCESS', result_code: 'FAIL', err_code: 'ORDERPAID', err_code_des: '该订单已支付' },
      requestId: expect.stringMatching(/^[0-9A-F]+-0$/),
      body: expect.stringContaining('<err_code><![CDATA[ORDERPAID]]></err_code>'),
    });
    expect((error as ApiError).headers.get('content-type')).toBe('text/plain');
  });

  test.each<[string, object, object]>([
    [
      'of the protocol',
      { return_code: 'FAIL', return_msg: 'appid不存在' },
      { code: 'FAIL', message: 'appid不存在', return_code: 'FAIL', result_code: undefined },
    ],
    [
      'of the operation without a code',
      { result_code: 'FAIL', return_msg: 'no' },
      { code: 'FAIL', message: 'no', result_code: 'FAIL', err_code: undefined },
    ],
    [
      'by the other spelling',
      { result_code: 'FAIL', error_code: 'PARAM_ERROR', error_code_des: '参数错误' },
      { code: 'PARAM_ERROR', message: '参数错误' },
    ],
    ['that does not say SUCCESS', { return_code: 'success' }, { code: 'success', return_code: 'success' }],
    [
      'of another status',
      { return_code: '' },
      { code: 'HTTP_200', return_code: '', message: expect.stringContaining('failed') },
    ],
  ])('%s', async (_, fields, expected) => {
    sandbox.on('post', path, () => fields);
    expect(await rejection(instance[path].post({ xml: order }))).toMatchObject({ name: 'ApiError', ...expected });
  });

  test('a failure is told before its signature is looked at', async () => {
    sandbox.on('post', path, () => v2Fault('NOAUTH', '商户无此接口权限'));
    sandbox.misbehave({ signature: 'none' });
    expect(await rejection(instance[path].post({ xml: order }))).toMatchObject({ code: 'NOAUTH' });
  });

  test("the platform's own refusal of a sign", async () => {
    const client = build({ ...sandbox.config, secret: 'x'.repeat(32) });
    const error = await rejection(client[path].post({ xml: order }));
    expect(error).toMatchObject({ code: 'FAIL', message: '签名错误，请检查后再试', return_code: 'FAIL' });
  });

  test.each([404, 502])('status %i', async (status) => {
    sandbox.misbehave({ status });
    expect(await rejection(instance[path].post({ xml: order }))).toMatchObject({ name: 'ApiError', status });
  });
});

describe('the sign of a response', () => {
  test.each<[Misbehaviour, string]>([
    [{ signature: 'wrong' }, 'ERR_SIGNATURE_WRONG'],
    [{ signature: 'none' }, 'ERR_SIGNATURE_MISSING'],
    [{ tamper: '<xml><return_code>SUCCESS</return_code><sign></sign></xml>' }, 'ERR_SIGNATURE_MISSING'],
    [{ tamper: '<xml><return_code>SUCCESS</return_code><sign>0</sign></xml>' }, 'ERR_SIGNATURE_WRONG'],
    [{ tamper: '<xml><return_code>SUCCESS</return_code><sign>a</sign><sign>b</sign></xml>' }, 'ERR_SIGNATURE_WRONG'],
  ])('%j is a SignatureError', async (how, code) => {
    for (const sign_type of ['MD5', 'HMAC-SHA256']) {
      sandbox.misbehave(how);
      const error = await rejection(instance[path].post({ xml: { ...order, sign_type } }));
      expect(error).toBeInstanceOf(SignatureError);
      expect(error).toMatchObject({ code });
    }
  });

  test('a field more, a field less, a field changed', async () => {
    for (const [from, to] of [
      ['</xml>', '<total_fee>1</total_fee></xml>'],
      ['<return_msg><![CDATA[OK]]></return_msg>', ''],
      ['[wx1]', '[wx2]'],
    ] as const) {
      let text = '';
      sandbox.on('post', path, () => ({ prepay_id: 'wx1' }));
      text = await instance[path].post({ xml: order }).text();
      sandbox.misbehave({ tamper: text.replace(from, to) });
      expect(await rejection(instance[path].post({ xml: order }))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
      sandbox.misbehave({ tamper: text });
      expect(await instance[path].post({ xml: order }).text()).toBe(text);
    }
  });

  test.each<[string, string]>([
    ['no XML', 'ok'],
    ['a DTD', '<!DOCTYPE xml [<!ENTITY a "b">]><xml><return_code>SUCCESS</return_code></xml>'],
    ['XML that is cut off', '<xml><return_code>SUCCESS</return_code>'],
  ])('%s is a BodyError', async (_, tamper) => {
    sandbox.misbehave({ tamper });
    const error = await rejection(instance[path].post({ xml: order }));
    expect(error).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_NOT_XML' });
  });
});

describe('downloads', () => {
  const BILL = '交易时间,公众账号ID\r\n`2026-11-23,`wx1\r\n';
  const xml = { mch_id, bill_date: '20261123', bill_type: 'ALL' };

  test('a bill streams, unsigned; a refusal in its place is an error', async () => {
    sandbox.on('post', 'v2/pay/downloadbill', () => new Response(BILL), { signed: false });
    const call = () => instance.chain('v2/pay/downloadbill').post({ xml, download: true });
    expect(await call().text()).toBe(BILL);
    sandbox.on('post', 'v2/pay/downloadbill', () => ({
      ...{ return_code: 'FAIL', return_msg: 'No Bill Exist', error_code: '20002' },
    }));
    expect(await rejection(call())).toMatchObject({ code: '20002', message: 'No Bill Exist', return_code: 'FAIL' });
  });
});

describe('configurations', () => {
  const { privateKey: _, ...v2Only } = { privateKey: undefined, mchid: mch_id, secret: 'x'.repeat(32) };

  test('for v2 alone needs no RSA keys', async () => {
    const { mchid, secret, baseUrl } = sandbox.config;
    const client = build({ mchid, secret, baseUrl });
    expect(await client[path].post({ xml: order }).xml()).toMatchObject({ prepay_id: 'wx1' });
  });

  test.each<[string, () => ClientConfig, string, string]>([
    [
      'APIv3 without its keys',
      () => ({ mchid: mch_id, secret: sandbox.config.secret, baseUrl: sandbox.url }),
      ...(['v3/certificates', 'v3 requests require "serial", "privateKey", and "certs" or "apiv3Key"'] as const),
    ],
    [
      'v2 without its key',
      () => {
        const { secret: _, ...config } = sandbox.config;
        return config;
      },
      ...([path, 'v2 requests require "secret"'] as const),
    ],
  ])('%s: an error, nothing sent', async (_, config, target, message) => {
    const error = await rejection(
      Builder.factory({ ...config(), dispatcher: agent })
        .chain(target)
        .post(target === path ? { xml: order } : { json: order }),
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
    expect(sandbox.requests).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['too short', { secret: 'x'.repeat(31) }, '32 characters; found 31 characters'],
    ['too long', { secret: 'x'.repeat(33) }, 'found 33 characters'],
    ['no text', { secret: Buffer.alloc(32) }, 'found a object'],
    ['empty', { secret: '' }, 'found 0 characters'],
    ['beside half of APIv3', { serial: 'ABC' }, '"privateKey" is undefined'],
  ])('a secret that is %s', (_name, change, message) => {
    expect(() => Builder.factory({ ...v2Only, ...change } as ClientConfig)).toThrow(message);
  });
});

describe('nothing shows the APIv2 key', () => {
  const shown = (value: unknown) =>
    [
      inspect(value, { depth: Infinity, showHidden: true }),
      inspect(value, { depth: Infinity, showProxy: true }),
      JSON.stringify(value),
      String(value),
      inspect((value as Error)?.cause, { depth: Infinity, showHidden: true }),
    ].join('\n');

  test('instance, promise, response, errors', async () => {
    const { secret } = sandbox.config;
    expect(shown({ secret })).toContain(secret);
    const promise = instance[path].post({ xml: order });
    const values: unknown[] = [instance, instance.v2.pay, promise, await promise];
    const ways: Misbehaviour[] = [{ signature: 'wrong' }, { signature: 'none' }, { status: 500 }, { reset: true }];
    for (const how of [...ways, { tamper: 'x' }]) {
      sandbox.misbehave(how);
      values.push(await rejection(instance[path].post({ xml: order })));
    }
    values.push(await rejection(instance[path].post({ xml: { ...order, a: [secret] as never } })));
    values.push(await rejection(instance[path].post({ xml: { ...order, mch_id: '1' } })));
    for (const value of values) expect(shown(value)).not.toContain(secret);
  });

  test.each<[string, (secret: string) => object]>([
    ['a key that is too long', (secret) => ({ secret: `${secret}${secret}` })],
    ['a key as merchant id', (secret) => ({ mchid: ` ${secret}`, secret })],
    ['a key in another place', (secret) => ({ mchid: '1', secret, timeout: secret })],
  ])('%s', (_, config) => {
    const { secret } = sandbox.config;
    let error: unknown;
    try {
      Builder.factory(config(secret) as ClientConfig);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: 'ConfigurationError' });
    expect(shown(error)).not.toContain(secret);
  });
});
