import { inspect } from 'node:util';
import { Agent } from 'undici';
import {
  ApiError,
  BodyError,
  Builder,
  type Chain,
  type OutcomeQuery,
  SignatureError,
  TimeoutError,
  TransportError,
  WechatPayError,
} from 'wechatpay-undici';
import { type Misbehaviour, Sandbox } from 'wechatpay-undici/sandbox';
import { MCHID, responding, wechatPay } from '../support/wechatpay';

// After an error that leaves the outcome open, `error.query` asks WeChat Pay for it, through the same client.

type Fields = Record<string, unknown>;
type Options = Record<string, unknown>;

let sandbox: Sandbox;
let instance: Chain;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = Builder.factory({ ...sandbox.config, dispatcher: agent });
});
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

/** The error of a POST. */
async function failed(path: string, options: Options, client: Chain = instance): Promise<WechatPayError> {
  const error = await client
    .chain(path)
    .post(options)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  if (error instanceof WechatPayError) return error;
  throw new Error(`No error of ours: ${inspect(error)}`);
}

function pending(error: WechatPayError): OutcomeQuery {
  if (error.query) return error.query;
  throw new Error(`No query: ${error.message}`);
}

const REFUND = 'v3/refund/domestic/refunds';
const NUMBER = '1217752501201407033233368018';
const refund = { out_trade_no: 'ORDER-1', out_refund_no: NUMBER, amount: { refund: 1, total: 1, currency: 'CNY' } };

test('a refund whose connection is reset once it is accepted: the query gives its state', async () => {
  const refunds = new Map<string, Fields>();
  sandbox.on<Fields>('post', REFUND, ({ json }) => {
    const accepted = { out_refund_no: json.out_refund_no, status: 'PROCESSING' };
    refunds.set(String(json.out_refund_no), accepted);
    return accepted;
  });
  sandbox.on('get', `${REFUND}/{out_refund_no}`, ({ variables }) => refunds.get(variables.out_refund_no ?? ''));
  sandbox.misbehave({ reset: true });
  const error = await failed(REFUND, { json: refund });
  expect(error).toBeInstanceOf(TransportError);
  expect(error.message).toMatch(
    `WeChat Pay may or may not have processed it; query the outcome with "GET ${REFUND}/${NUMBER}" before retrying.`,
  );
  expect(String(error.stack)).toContain(error.message);
  const query = pending(error);
  expect([query.verb, query.path]).toEqual(['get', `${REFUND}/${NUMBER}`]);
  const response = query.ask();
  expect(await response.json()).toEqual({ out_refund_no: NUMBER, status: 'PROCESSING' });
  expect((await response).requestId).toEqual(expect.any(String));
  expect(await query.ask().json()).toMatchObject({ status: 'PROCESSING' });
});

const order = { appid: 'wx8888888888888888', mch_id: MCHID, out_trade_no: 'ORDER-1', total_fee: 1 };

test.each<[path: string, options: Options, verb: 'get' | 'post', template: string, asked: Fields]>([
  [
    'v2/secapi/pay/refund',
    { xml: { ...order, out_refund_no: 'R-1', refund_fee: 1 } },
    'post',
    'v2/pay/refundquery',
    { xml: { appid: order.appid, mch_id: MCHID, out_refund_no: 'R-1' } },
  ],
  [
    'v2/pay/micropay',
    { xml: { ...order, body: 'x', auth_code: '134567890123456789', sub_mch_id: '1900000110' } },
    'post',
    'v2/pay/orderquery',
    { xml: { appid: order.appid, mch_id: MCHID, out_trade_no: 'ORDER-1', sub_mch_id: '1900000110' } },
  ],
  [
    'v2/secapi/pay/profitsharing',
    {
      xml: {
        mch_id: MCHID,
        sign_type: 'HMAC-SHA256',
        transaction_id: '4200000001',
        out_order_no: 'S-1',
        receivers: '[]',
      },
    },
    'post',
    'v2/pay/profitsharingquery',
    { xml: { mch_id: MCHID, sign_type: 'HMAC-SHA256', transaction_id: '4200000001', out_order_no: 'S-1' } },
  ],
  [
    'v3/profitsharing/orders',
    { json: { transaction_id: '4200000001', out_order_no: 'S-1', sub_mchid: '1900000110' } },
    'get',
    'v3/profitsharing/orders/{out_order_no}',
    { variables: { out_order_no: 'S-1' }, query: { transaction_id: '4200000001', sub_mchid: '1900000110' } },
  ],
  [
    'v3/transfer/batches',
    { json: { out_batch_no: 'B-1', transfer_detail_list: [] } },
    'get',
    'v3/transfer/batches/out-batch-no/{out_batch_no}',
    { variables: { out_batch_no: 'B-1' }, query: { need_query_detail: 'false' } },
  ],
  [
    'v3/fund-app/mch-transfer/transfer-bills',
    { json: { out_bill_no: 'T-1', transfer_amount: 1 } },
    'get',
    'v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}',
    { variables: { out_bill_no: 'T-1' } },
  ],
  [
    'v3/pay/transactions/out-trade-no/A%2A1/close',
    { json: { mchid: MCHID } },
    'get',
    'v3/pay/transactions/out-trade-no/{out_trade_no}',
    { variables: { out_trade_no: 'A*1' }, query: { mchid: MCHID } },
  ],
  [
    'v3/papay/pay/transactions/apply',
    { json: { out_trade_no: 'ORDER-1' } },
    'get',
    'v3/pay/transactions/out-trade-no/{out_trade_no}',
    { variables: { out_trade_no: 'ORDER-1' }, query: { mchid: MCHID } },
  ],
])('%s', async (path, options, verb, template, asked) => {
  let received: { variables: Fields; query: URLSearchParams; xml: Fields } | undefined;
  sandbox.on('post', path, () => ({}));
  sandbox.on(verb, template, (request) => {
    received = request;
    return { state: 'DONE' };
  });
  sandbox.misbehave({ reset: true });
  const query = pending(await failed(path, options));
  const response = query.ask();
  const { state } = await (path.startsWith('v2/') ? response.xml<Fields>() : response.json<Fields>());
  expect(state).toBe('DONE');
  const { nonce_str: _nonce, sign: _sign, ...xml } = received?.xml ?? {};
  const sent = { variables: received?.variables, query: Object.fromEntries(received?.query ?? []), xml };
  expect(sent).toEqual({ variables: {}, query: {}, xml: {}, ...asked });
});

describe('which errors have one', () => {
  const post = (how: Misbehaviour, options: Options = {}) => {
    sandbox.on('post', REFUND, () => ({ out_refund_no: NUMBER }));
    sandbox.misbehave(how);
    return failed(REFUND, { json: refund, ...options });
  };
  const named = `with "GET ${REFUND}/${NUMBER}" before retrying.`;

  test.each<[string, Misbehaviour, Options, new (...args: never[]) => WechatPayError]>([
    ['a timeout', { delay: Infinity }, { timeout: 100 }, TimeoutError],
    ['a connection that is closed', { close: true }, {}, TransportError],
    ['a body that breaks off', { truncate: true }, {}, TransportError],
    ['a wrong signature', { signature: 'wrong' }, {}, SignatureError],
    ['a probe', { signature: 'probe' }, {}, SignatureError],
    ['an unknown key', { serial: 'PUB_KEY_ID_0' }, {}, SignatureError],
    ['the response to another request', { body: '{"out_refund_no":"OTHER"}' }, {}, SignatureError],
    ['a response that is too large', { body: `"${'x'.repeat(11 * 1024 * 1024)}"` }, {}, BodyError],
    ['a status of a gateway', { status: 502, body: '<html>' }, {}, ApiError],
    ['SYSTEM_ERROR', { status: 500, body: '{"code":"SYSTEM_ERROR","message":"系统异常，请稍后重试"}' }, {}, ApiError],
    ['BANK_ERROR', { status: 400, body: '{"code":"BANK_ERROR","message":"银行系统异常。"}' }, {}, ApiError],
  ])('%s: named in the message too', async (_name, how, options, kind) => {
    const error = await post(how, options);
    expect(error).toBeInstanceOf(kind);
    expect(pending(error).path).toBe(`${REFUND}/${NUMBER}`);
    expect(error.message.endsWith(named)).toBe(true);
    expect(error.message.match(/query the outcome/gi)).toHaveLength(1);
    expect(error.message).not.toMatch(/。\./);
    expect(String(error.stack)).toContain(error.message);
  });

  test('a refusal that is not signed has one, and keeps its message; one that is signed has none', async () => {
    const body = '{"code":"NOT_ENOUGH","message":"余额不足"}';
    const unsigned = await post({ status: 403, body, signature: 'none' });
    expect(pending(unsigned).path).toBe(`${REFUND}/${NUMBER}`);
    const signed = await post({ status: 403, body });
    expect(signed).toMatchObject({ verified: true });
    expect(signed).not.toHaveProperty('query');
    expect([unsigned.message, signed.message]).toEqual(['余额不足', '余额不足']);
  });

  test('a signed refusal of a repeat says nothing of the attempt before it', async () => {
    const client = Builder.factory({ ...sandbox.config, dispatcher: agent, retry: { attempts: 2, delay: 0 } });
    sandbox.on('post', REFUND, () => ({}));
    sandbox.misbehave({ reset: true });
    sandbox.misbehave({ status: 403, body: '{"code":"NOT_ENOUGH","message":"余额不足"}' });
    const error = await failed(REFUND, { json: refund }, client);
    expect(error).toMatchObject({ code: 'NOT_ENOUGH', verified: true, attempts: 2 });
    expect(pending(error).path).toBe(`${REFUND}/${NUMBER}`);
  });

  test.each<[string, string, Options]>([
    ['nobody there', REFUND, { json: refund, baseUrl: 'http://127.0.0.1:1/' }],
    ['an option that is wrong', REFUND, { json: refund, timeout: -1 }],
    ['a foreign host', `https://evil.example/${REFUND}`, { json: refund }],
    ['v2: a sign_type that is none', 'v2/secapi/pay/refund', { xml: { ...order, out_refund_no: 'R', sign_type: 'X' } }],
  ])('none where nothing was sent: %s', async (_name, path, options) => {
    const error = await failed(path, options);
    expect(error).not.toHaveProperty('query');
    expect(error.message).not.toMatch(/outcome/);
  });

  test.each<[string, string, Options]>([
    ['no number in the request', REFUND, { json: { amount: {} } }],
    ['a number that is none', REFUND, { json: { out_refund_no: '\ud800' } }],
    ['a number that is a greater one than JSON holds', REFUND, { body: '{"out_refund_no":12177525012014070332}' }],
    ['a body that is not JSON', REFUND, { body: '{"out_refund_no":' }],
    ['an operation without one', 'v3/marketing/favor/callbacks', { json: {} }],
    ['a path that nobody knows', 'v3/x', { json: refund }],
  ])('none for %s, and the message is as it was', async (_name, path, options) => {
    sandbox.misbehave({ reset: true });
    const error = await failed(path, options);
    expect(error).toBeInstanceOf(TransportError);
    expect(error).not.toHaveProperty('query');
    expect(error.message).toMatch(/query the outcome before retrying\.$/);
  });

  test('a GET has none', async () => {
    sandbox.misbehave({ reset: true });
    const error: unknown = await instance
      .chain(`${REFUND}/{out_refund_no}`)
      .get({ out_refund_no: NUMBER })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TransportError);
    expect(error).not.toHaveProperty('query');
  });

  test('the reason of an abort is the caller’s, and stays as it is', async () => {
    const controller = new AbortController();
    const reason = new TransportError('mine');
    sandbox.on('post', REFUND, () => {
      controller.abort(reason);
      return {};
    });
    const error = await failed(REFUND, { json: refund, signal: controller.signal });
    expect(error).toBe(reason);
    expect(error).not.toHaveProperty('query');
    expect(error.message).toBe('mine');
  });
});

test('what was sent counts, whatever has become of the object since', async () => {
  const json = { ...refund };
  sandbox.misbehave({ reset: true });
  const failing = failed(REFUND, { json });
  json.out_refund_no = 'ANOTHER';
  expect(pending(await failing).path).toBe(`${REFUND}/${NUMBER}`);
});

test('a number is written into the path as one segment', async () => {
  sandbox.misbehave({ reset: true });
  const error = await failed(REFUND, { json: { out_refund_no: 'a/../b?c=1"\n$&' } });
  expect(pending(error).path).toBe(`${REFUND}/a%2F..%2Fb%3Fc%3D1%22%0A%24%26`);
  expect(error.message).toContain(`"GET ${REFUND}/a%2F..%2Fb%3Fc%3D1%22%0A%24%26"`);
  sandbox.misbehave({ reset: true });
  await expect(pending(await failed(REFUND, { json: { out_refund_no: '..' } })).ask()).rejects.toThrow('path segment');
});

test('printed, it is its verb and path, and nothing of the request, the client or its keys', async () => {
  const secret = '身份证110101199003071234';
  sandbox.misbehave({ reset: true });
  const error = await failed(REFUND, {
    json: { ...refund, reason: secret, sub_mchid: '1900000110' },
    query: { secret },
    headers: { 'X-Secret': encodeURIComponent(secret) },
  });
  const query = pending(error);
  expect(JSON.parse(JSON.stringify(query))).toEqual({ verb: 'get', path: `${REFUND}/${NUMBER}` });
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    code: 'ERR_TRANSPORT',
    query: { verb: 'get', path: `${REFUND}/${NUMBER}` },
  });
  expect(inspect(query, { breakLength: Infinity })).toBe(`PendingQuery { verb: 'get', path: '${REFUND}/${NUMBER}' }`);
  const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true, showProxy: true });
  for (const hidden of [secret, encodeURIComponent(secret), '1900000110', sandbox.config.secret, 'amount', 'ask']) {
    expect(shown).not.toContain(hidden);
  }
});

describe('to another root', () => {
  const { running, build, url } = wechatPay();

  test('a call with a root of its own is asked for there', async () => {
    running.respond = (response) => response.socket?.resetAndDestroy();
    const error = await failed(REFUND, { json: refund, baseUrl: url() }, build());
    const asked: (string | undefined)[] = [];
    running.respond = (response, request, body) => {
      asked.push(request.url);
      return responding(200, '{"status":"SUCCESS"}')(response, request, body);
    };
    expect(await pending(error).ask().json()).toEqual({ status: 'SUCCESS' });
    expect(asked).toEqual([`/${REFUND}/${NUMBER}`]);
  });
});
