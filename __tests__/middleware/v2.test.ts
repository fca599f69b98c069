import { Readable } from 'node:stream';
import { Agent, type Dispatcher, fetch, interceptors, request } from 'undici';
import { Sandbox, v2Fault } from 'wechatpay-undici/sandbox';
import { type Interceptor, v2Signer, v2Verifier } from '../../lib/middleware';
import { rejection } from '../support/rejection';

let sandbox: Sandbox;
let agent: Agent;
let dispatcher: Dispatcher;
let url: string;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  url = `${sandbox.url}pay/x`;
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('post', 'v2/pay/x', ({ xml }) => ({ got: xml.a }));
  sandbox.on('get', 'v2/pay/x', ({ xml }) => ({ got: xml.a }));
  agent = new Agent();
  dispatcher = agent.compose(v2Verifier(sandbox.config), v2Signer(sandbox.config));
});
afterEach(() => agent.destroy());
afterAll(() => sandbox.close());

const mch_id = '1900000109';
const body = `<xml><mch_id>${mch_id}</mch_id><a><![CDATA[<中>]]></a></xml>`;
const post = (options: object = {}) => request(url, { method: 'POST', body, dispatcher, ...options });

test.each<[string, Dispatcher.DispatchOptions['body']]>([
  ['text', body],
  ['a Buffer', Buffer.from(body)],
  ['a Uint8Array', new TextEncoder().encode(body)],
  ['a stream', Readable.from([Buffer.from(body.slice(0, 50)), Buffer.from(body.slice(50))])],
  ['a Blob', new Blob([body]) as never],
])('%s as a body of undici.request', async (_, given) => {
  const { statusCode, body: answer } = await post({ body: given });
  expect(statusCode).toBe(200);
  expect(await answer.text()).toContain('<got><![CDATA[<中>]]></got>');
  expect(sandbox.requests[0]?.body).toMatch(
    /^<xml><mch_id>1900000109<\/mch_id><a><!\[CDATA\[<中>\]\]><\/a><nonce_str>/,
  );
});

test('fetch', async () => {
  const response = await fetch(url, { method: 'POST', body, dispatcher });
  expect(await response.text()).toContain('<got><![CDATA[<中>]]></got>');
  sandbox.misbehave({ signature: 'wrong' });
  await expect(fetch(url, { method: 'POST', body, dispatcher })).rejects.toMatchObject({
    cause: { code: 'ERR_SIGNATURE_WRONG' },
  });
});

test('a query that undici joins only later', async () => {
  const answer = await request(url, { query: { mch_id, a: 'x y' }, dispatcher });
  expect(await answer.body.text()).toContain('<got><![CDATA[x y]]></got>');
  expect(sandbox.requests[0]?.target).toMatch(
    /^\/pay\/x\?mch_id=1900000109&a=x%20y&nonce_str=\w{32}&sign=[0-9A-F]{32}$/,
  );
});

test('fields in the place of a body, also where the request is repeated; a body goes before them', async () => {
  const fields = { mch_id, a: '<中>', b: '' };
  const options = { origin: sandbox.url.slice(0, -1), path: '/pay/x', method: 'POST' as const };
  for (const more of [{ fields }, { fields: Object.freeze(fields), body: null }, { fields: { a: 'no' }, body }]) {
    const answer = await dispatcher.request({ ...options, ...more });
    expect(await answer.body.text()).toContain('<got><![CDATA[<中>]]></got>');
  }
  const twice = dispatcher.compose(v2Signer(sandbox.config));
  expect(await (await twice.request({ ...options, ...{ fields } })).body.text()).toContain('<![CDATA[<中>]]>');
  expect(sandbox.requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const nonces = sandbox.requests.map(
    (one) => /<nonce_str>(\w{32})<\/nonce_str><sign>\w{32}<\/sign><\/xml>$/.exec(one.body)?.[1],
  );
  expect(new Set(nonces).size).toBe(4);
  for (const wrong of [{ mch_id: '1' }, { mch_id, a: ['1'] }, { mch_id, a: '\u0000' }, {}]) {
    const error = await rejection(dispatcher.request({ ...options, ...{ fields: wrong } }));
    expect(error).toMatchObject({ name: 'InvalidArgumentError' });
  }
  expect(sandbox.requests).toHaveLength(4);
});

test.each<[string, string]>([
  ['no XML', 'a=b'],
  ['XML that is cut off', '<xml><mch_id>'],
  ['no merchant', '<xml><a>1</a></xml>'],
  ['another merchant', '<xml><mch_id>1</mch_id></xml>'],
  ['a list', `<xml><mch_id>${mch_id}</mch_id><a>1</a><a>2</a></xml>`],
  ['nothing', ''],
])('%s as a body is refused before anything is sent', async (_, given) => {
  expect(await rejection(post({ body: given }))).toMatchObject({
    name: expect.stringMatching(/^(BodyError|InvalidArgumentError)$/),
  });
  expect(sandbox.requests).toEqual([]);
});

test('a host that is neither of WeChat Pay nor configured gets no signature', async () => {
  await using elsewhere = await Sandbox.start();
  const error = await rejection(request(`${elsewhere.url}pay/x`, { method: 'POST', body, dispatcher }));
  expect(error).toMatchObject({ message: expect.stringMatching(/^签名错误，请检查后再试/) });
  expect(elsewhere.requests).toMatchObject([{ body }]);
});

test('the response: a failure, a wrong sign, none', async () => {
  sandbox.on('post', 'v2/pay/x', () => v2Fault('NOTENOUGH', '余额不足'));
  const error = await rejection(post());
  expect(error).toMatchObject({ name: 'ApiError', code: 'NOTENOUGH', request: 'POST /pay/x' });
  sandbox.on('post', 'v2/pay/x', () => ({}));
  sandbox.misbehave({ signature: 'wrong' });
  expect(await rejection(post())).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_WRONG' });
  sandbox.misbehave({ signature: 'none' }, 2);
  expect(await rejection(post())).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_MISSING' });
  const answer = await post({ unsigned: true });
  expect(await answer.body.text()).toContain('SUCCESS');
});

test('an operation that needs no sign: one that is there and wrong is refused all the same', async () => {
  // Where WeChat Pay begins to sign such a response, nobody can change it and keep the sign.
  sandbox.misbehave({ signature: 'wrong' });
  expect(await rejection(post({ unsigned: true }))).toMatchObject({
    name: 'SignatureError',
    code: 'ERR_SIGNATURE_WRONG',
  });
  const answer = await post({ unsigned: true });
  expect(await answer.body.text()).toContain('<sign>');
});

const TYPED = `x&mch_id=${mch_id}&nonce_str=n&out_trade_no=BIG&return_code=SUCCESS&total_fee=1000000&zz=1`;

test('a response of which another could be made is refused', async () => {
  const order = { out_trade_no: 'CHEAP', total_fee: '1', trade_state: 'NOTPAY' };
  sandbox.on('post', 'v2/pay/x', () => ({ ...order, mch_id, attach: TYPED }));
  expect(await rejection(post())).toMatchObject({
    name: 'SignatureError',
    code: 'ERR_SIGNATURE_AMBIGUOUS',
    message: expect.stringContaining('"attach"'),
  });
  sandbox.on('post', 'v2/pay/x', () => ({ ...order, mch_id, attach: 'uid=1&openid=o1' }));
  expect(await (await post()).body.text()).toContain('uid=1&openid=o1');
});

test.each<[string, () => Promise<unknown>]>([
  ['a body', () => post({ body: `<xml><mch_id>${mch_id}</mch_id><attach><![CDATA[${TYPED}]]></attach></xml>` })],
  ['a query', () => request(url, { query: { mch_id, contract_display_account: TYPED }, dispatcher })],
])('a request whose signature would be good for another is not sent: %s', async (_, send) => {
  expect(await rejection(send())).toMatchObject({
    name: 'InvalidArgumentError',
    message: expect.stringMatching(/^The field "(attach|contract_display_account)" contains "&\w+="/),
  });
  expect(sandbox.requests).toEqual([]);
});

test.each<[string, object, RegExp]>([
  ['nonceless', { nonceless: true }, /<\/a><sign>/],
  ['with a nonce', { nonceless: false }, /<\/a><nonce_str>\w{32}<\/nonce_str><sign>/],
])('%s', async (_, options, expected) => {
  const answer = await post(options);
  await answer.body.dump();
  expect(sandbox.requests[0]).toMatchObject({ status: 200, body: expect.stringMatching(expected) });
});

test('with download: true the response streams through', async () => {
  sandbox.on('post', 'v2/pay/x', () => new Response('`a,`b'), { signed: false });
  const answer = await post({ download: true });
  expect(await answer.body.text()).toBe('`a,`b');
});

test('a response of another status passes, unverified', async () => {
  sandbox.misbehave({ status: 502, body: 'Bad Gateway' });
  const { statusCode, body: answer } = await post();
  expect([statusCode, await answer.text()]).toEqual([502, 'Bad Gateway']);
});

test('a retry is signed afresh', async () => {
  const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1, methods: ['POST'] }));
  sandbox.misbehave({ status: 503 });
  sandbox.misbehave({ reset: true });
  const answer = await post({ dispatcher: retrying });
  expect(await answer.body.text()).toContain('<got>');
  const signs = sandbox.requests.map(({ body }) => /<sign>(\w+)/.exec(body)?.[1]);
  expect(new Set(signs).size).toBe(3);
});

test('a retry does not repeat what has a wrong sign', async () => {
  const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1, methods: ['POST'] }));
  sandbox.misbehave({ signature: 'wrong' }, 2);
  expect(await rejection(post({ dispatcher: retrying }))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
  expect(sandbox.requests).toHaveLength(1);
});

test('an abort while signing sends nothing', async () => {
  const controller = new AbortController();
  const sending = post({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(sending).rejects.toThrow('enough');
  expect(sandbox.requests).toEqual([]);
});

test('a base URL that is none', () => {
  const make = (): Interceptor => v2Signer({ ...sandbox.config, baseUrl: 'x' });
  expect(make).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
});
