import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fault, type Sandbox, v2Fault } from 'wechatpay-undici/sandbox';
import { useSandbox } from '../../support/sandbox';
import { afterwards, environment, file, wxpay } from '../support';

let sandbox: Sandbox;
let env: Record<string, string>;
afterwards();

useSandbox((started) => {
  sandbox = started;
  env = environment(sandbox);
});

const NATIVE = 'v3/pay/transactions/native';
const order = { appid: 'wx8888888888888888', out_trade_no: 'ORDER-1', description: '茶', amount: { total: 1 } };

describe('paths', () => {
  test.each([
    ['v3.something.outTradeNo._out_trade_no_', ['-v', 'out_trade_no=AbC/1'], '/v3/something/out-trade-no/AbC%2F1'],
    ['v3/something/{id}', ['--variable', 'id=1', '-q', 'a=1', '-q', 'a=2&3'], '/v3/something/1?a=1&a=2%263'],
    ['v3/something/outTradeNo', [], '/v3/something/outTradeNo'],
    ['v3/something/4200AbC', ['-q', 'a=b=c'], '/v3/something/4200AbC?a=b%3Dc'],
  ])('%s %j', async (path, options, target) => {
    sandbox.on('get', 'v3/something/{id}', () => ({ ok: true }));
    sandbox.on('get', 'v3/something/out-trade-no/{id}', () => ({ ok: true }));
    expect(await wxpay(['request', 'get', path, ...options], { env })).toEqual({
      code: 0,
      stdout: '{\n  "ok": true\n}\n',
      stderr: '',
    });
    expect(sandbox.requests.map((request) => [request.target, request.status])).toEqual([[target, 200]]);
  });

  test('a verb in any case', async () => {
    sandbox.on('get', 'v3/something', () => ({ ok: true }));
    expect((await wxpay(['request', 'GET', 'v3.something'], { env })).code).toBe(0);
  });
});

describe('bodies', () => {
  const text = JSON.stringify(order);
  test.each([
    ['as an argument', () => [text], ''],
    ['from a file', () => [`@${file('order.json', text)}`], ''],
    ['from the standard input', () => ['-'], text],
  ])('JSON %s', async (_, args, stdin) => {
    sandbox.on('post', NATIVE, ({ json }) => ({ received: json }));
    const { code, stdout } = await wxpay(['request', 'post', NATIVE, ...args()], { env, stdin });
    expect({ code, answer: JSON.parse(stdout) }).toEqual({ code: 0, answer: { received: order } });
    expect(sandbox.requests[0]?.body).toBe(text);
  });

  test.each([
    ['XML', '<xml><out_trade_no>ORDER-1</out_trade_no><body><![CDATA[a<b]]></body><mch_id>1900000109</mch_id></xml>'],
    ['JSON', '{"out_trade_no":"ORDER-1","body":"a<b","mch_id":"1900000109"}'],
  ])('v2 takes %s', async (_, body) => {
    sandbox.on('post', 'v2/pay/orderquery', ({ xml }) => ({ received: `${xml.out_trade_no} ${xml.body}` }));
    const { code, stdout, stderr } = await wxpay(['request', 'post', 'v2.pay.orderquery', '-'], { env, stdin: body });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^<xml>.*<received>(?:<!\[CDATA\[)?ORDER-1 a<b.*<\/xml>\n$/s);
    const json = await wxpay(['request', 'post', 'v2/pay/orderquery', body, '--json'], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 200, body: { received: 'ORDER-1 a<b' } });
  });

  test.each([
    ['', 'it is empty'],
    ['{"a":', 'an error at'],
    ["{'a':1}", 'an error at position 1'],
    ['<xml/>', 'is an APIv3 path, which takes JSON'],
    ['@/nowhere/order.json', '/nowhere/order.json cannot be read (ENOENT)'],
  ])('%j is refused', async (body, message) => {
    const { code, stdout, stderr } = await wxpay(['request', 'post', NATIVE, body], { env });
    expect({ code, stdout, requests: sandbox.requests }).toEqual({ code: 2, stdout: '', requests: [] });
    expect(stderr).toContain(message);
  });

  test('nothing is waited for on a terminal', async () => {
    const { code, stderr } = await wxpay(['request', 'post', NATIVE, '-'], {
      env: { ...env, TERM: 'dumb' },
      isTTY: true,
    });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'wxpay: stdin is a terminal; pipe the body in.\n',
    });
  });
});

describe('answers', () => {
  test('--json has status and Request-ID beside the body', async () => {
    sandbox.on('get', 'v3/something', () => ({ ok: '是' }));
    const { stdout } = await wxpay(['request', 'get', 'v3/something', '--json'], { env });
    expect(JSON.parse(stdout)).toEqual({ status: 200, requestId: expect.stringMatching(/\w{8}/), body: { ok: '是' } });
  });

  test('without content', async () => {
    sandbox.on('post', `v3/pay/transactions/out-trade-no/{out_trade_no}/close`, () => undefined);
    const args = ['request', 'post', 'v3/pay/transactions/out-trade-no/ORDER-1/close', '{"mchid":"1900000109"}'];
    const { code, stdout, stderr } = await wxpay(args, { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^wxpay: done: status 204, no content\. Request-ID \S+\n$/);
    const json = await wxpay([...args, '--json'], { env });
    expect(JSON.parse(json.stdout)).toEqual({ status: 204, requestId: expect.any(String) });
  });

  test('files stream through, byte for byte', async () => {
    const bill = `交易时间,金额\r\n${'`2026-11-22,`1.00\r\n'.repeat(5000)}`;
    sandbox.on('get', 'v3/billdownload/file', () => new Response(bill), { signed: false });
    const { code, stdout } = await wxpay(['request', 'get', 'v3/billdownload/file', '-q', 'token=x'], { env });
    expect(code).toBe(0);
    expect(stdout).toBe(bill);
    sandbox.on('get', 'v3/billdownload/file', () => new Response(Buffer.of(0x1f, 0x8b, 0xff)), { signed: false });
    const json = await wxpay(['request', 'get', 'v3/billdownload/file', '-q', 'token=x', '--json'], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 200, base64: 'H4v/' });
  });

  test('sensitive fields are encrypted, and those of the response decrypted', async () => {
    sandbox.on<{ name: string }>('post', 'v3/profitsharing/receivers/add', async ({ json }) => ({
      name: await sandbox.encrypt(await sandbox.decrypt(json.name)),
    }));
    const body = JSON.stringify({
      ...order,
      type: 'PERSONAL_OPENID',
      account: 'a',
      relation_type: 'USER',
      name: '张三',
    });
    const { stdout } = await wxpay(['request', 'post', 'v3/profitsharing/receivers/add', body], { env });
    expect(JSON.parse(stdout)).toEqual({ name: '张三' });
    expect(sandbox.requests[0]?.body).not.toContain('张三');
  });

  test('what WeChat Pay refuses', async () => {
    sandbox.on('get', 'v3/something', () => fault(404, 'ORDER_NOT_EXIST', '订单不存在'));
    const { code, stdout, stderr } = await wxpay(['request', 'get', 'v3/something'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^wxpay: ORDER_NOT_EXIST: 订单不存在\n {2}status: 404\n {2}Request-ID: \S+\n/);
    const json = await wxpay(['request', 'get', 'v3/something', '--json'], { env });
    expect({ code: json.code, stdout: json.stdout }).toEqual({ code: 1, stdout: '' });
    expect(JSON.parse(json.stderr)).toEqual({
      error: {
        name: 'ApiError',
        ...{ code: 'ORDER_NOT_EXIST', message: '订单不存在', status: 404 },
        ...{ requestId: expect.any(String), request: 'GET /v3/something' },
      },
    });
  });

  test('the field that WeChat Pay objects to is named, its value is not', async () => {
    const detail = { field: '/name', value: '张三', issue: 'too short', location: 'body' };
    sandbox.on('post', 'v3/something', () =>
      Response.json({ code: 'PARAM_ERROR', message: '参数错误', detail }, { status: 400 }),
    );
    const { stderr } = await wxpay(['request', 'post', 'v3/something', '{}'], { env });
    expect(stderr).toMatch(/ {2}field: \/name\n {2}issue: too short\n/);
    expect(stderr).not.toContain('张三');
  });

  test('what v2 refuses', async () => {
    sandbox.on('post', 'v2/pay/orderquery', () => v2Fault('ORDERNOTEXIST', '此交易订单号不存在'));
    const body = '{"mch_id":"1900000109","out_trade_no":"1"}';
    const { code, stderr } = await wxpay(['request', 'post', 'v2/pay/orderquery', body], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^wxpay: ORDERNOTEXIST: 此交易订单号不存在\n/);
  });

  test('a response that cannot be trusted is not shown', async () => {
    sandbox.on('get', 'v3/something', () => ({ forged: true }));
    sandbox.misbehave({ signature: 'wrong' });
    const { code, stdout, stderr } = await wxpay(['request', 'get', 'v3/something'], { env });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^wxpay: ERR_SIGNATURE_WRONG: The signature does not match/);
  });

  test('an outcome that is unknown: the query that tells it', async () => {
    const path = 'v3/refund/domestic/refunds';
    const args = ['request', 'post', path, '{"out_refund_no":"R-1"}'];
    sandbox.on('post', path, () => ({}));
    sandbox.misbehave({ reset: true }, 2);
    const { code, stderr } = await wxpay(args, { env });
    expect(code).toBe(5);
    expect(stderr).toContain(`query the outcome with "GET ${path}/R-1" before retrying.`);
    expect(stderr).toContain(`\n  query: get ${path}/R-1\n`);
    const { stderr: text } = await wxpay([...args, '--json'], { env });
    expect(JSON.parse(text).error).toMatchObject({ code: 'ERR_TRANSPORT', query: `get ${path}/R-1` });
  });

  test('nobody responds', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const args = ['request', 'get', 'v3/something', '-u', `http://127.0.0.1:${port}/`];
    const { code, stderr } = await wxpay(args, { env });
    expect(code).toBe(5);
    expect(stderr).toMatch(/^wxpay: GET \/v3\/something: .*ECONNREFUSED.*Nothing was sent/);
  });

  test('colours on a terminal alone, and not with NO_COLOR', async () => {
    const args = ['request', 'get', 'v3/nothing'];
    const red = '\u001b[31m';
    expect((await wxpay(args, { env, isTTY: true })).stderr).toContain(red);
    expect((await wxpay(args, { env: { ...env, NO_COLOR: '1' }, isTTY: true })).stderr).not.toContain('\u001b');
    expect((await wxpay(args, { env })).stderr).not.toContain('\u001b');
  });
});

describe('what a stranger may have written does nothing to a terminal', () => {
  /** Sets the clipboard, clears the screen, and writes a line of its own. */
  const HOSTILE = 'x\u001b]52;c;cm0=\u0007\u001b[2J\u009b1;1H\r\nwxpay: all is well\u202e';
  const SHOWN = 'x\\u001b]52;c;cm0=\\u0007\\u001b[2J\\u009b1;1H\\u000d\\u000awxpay: all is well\\u202e';
  const CONTROLS = /(?!\n|\r\n)\p{Cc}|\u202e/u;
  const args = ['request', 'get', 'v3/something'];
  const refuse = () => {
    const body = JSON.stringify({ code: HOSTILE, message: HOSTILE, detail: { field: HOSTILE, issue: HOSTILE } });
    sandbox.misbehave({ status: 403, body });
  };

  test('in a refusal', async () => {
    refuse();
    const { code, stderr } = await wxpay(args, { env });
    expect(code).toBe(1);
    expect(stderr).not.toMatch(CONTROLS);
    expect(stderr.split('\n')[0]).toBe(`wxpay: ${SHOWN}: ${SHOWN}`);
    expect(stderr).toContain(`  field: ${SHOWN}\n`);
  });

  test('in a refusal as JSON, which says the same', async () => {
    refuse();
    const { stderr } = await wxpay([...args, '--json'], { env });
    expect(stderr).not.toMatch(CONTROLS);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: HOSTILE, field: HOSTILE } });
  });

  test('in JSON', async () => {
    sandbox.on('get', 'v3/something', () => ({ name: HOSTILE }));
    const { stdout } = await wxpay(args, { env });
    expect(stdout).not.toMatch(CONTROLS);
    expect(JSON.parse(stdout)).toEqual({ name: HOSTILE });
  });

  test('in a file, which is unsigned; elsewhere than on a terminal its bytes are as they were', async () => {
    sandbox.on('get', 'v3/billdownload/file', () => new Response(`茶${HOSTILE}`), { signed: false });
    const bill = ['request', 'get', 'v3/billdownload/file', '-q', 'token=x'];
    const { stdout } = await wxpay(bill, { env: { ...env, NO_COLOR: '1' }, isTTY: true });
    expect(stdout).toBe(`茶${SHOWN.replace('\\u000d\\u000a', '\r\n')}`);
    expect((await wxpay(bill, { env })).stdout).toBe(`茶${HOSTILE}`);
  });
});

describe('--dry-run', () => {
  test('masks the credentials of a query', async () => {
    const members = ['secret', 'code', 'access_token', 'refresh_token', 'token', 'js_code', 'auth_code', 'ticket'];
    const query = [...members, 'bank_code'].flatMap((name) => ['-q', `${name}=S3CRET`]);
    const { stdout } = await wxpay(['request', 'get', 'v3/something', ...query, '-n'], { env });
    expect(stdout.split('\n')[0]?.split('?')[1]).toBe(
      [...members.map((name) => `${name}=…`), 'bank_code=S3CRET'].join('&'),
    );
  });

  test('shows the request, and sends nothing', async () => {
    const { code, stdout, stderr } = await wxpay(['request', 'post', NATIVE, JSON.stringify(order), '-n'], { env });
    expect({ code, stderr, requests: sandbox.requests }).toEqual({ code: 0, stderr: '', requests: [] });
    expect(stdout.split('\n')[0]).toBe(`POST ${sandbox.url}${NATIVE}`);
    expect(stdout).toMatch(
      /\nauthorization: WECHATPAY2-SHA256-RSA2048 mchid="1900000109",serial_no="\w+",timestamp="\d+",nonce_str="\w+",signature="…"\n/,
    );
    expect(stdout).toContain(`\nwechatpay-serial: ${env.WECHATPAY_PUBLIC_KEY_ID}\n`);
    expect(stdout.endsWith(`\n\n${JSON.stringify(order)}\n`)).toBe(true);
    const json = await wxpay(['request', 'post', NATIVE, JSON.stringify(order), '-n', '--json'], { env });
    expect(JSON.parse(json.stdout)).toEqual({
      method: 'POST',
      url: `${sandbox.url}${NATIVE}`,
      headers: expect.objectContaining({ authorization: expect.stringContaining('signature="…"') }),
      body: JSON.stringify(order),
    });
  });

  test('sends nothing either where certificates would be downloaded', async () => {
    const { WECHATPAY_PUBLIC_KEY, WECHATPAY_PUBLIC_KEY_ID, ...rest } = env;
    const { code, stdout } = await wxpay(['request', 'get', 'v3/something', '--dry-run'], { env: rest });
    expect({ code, requests: sandbox.requests }).toEqual({ code: 0, requests: [] });
    expect(stdout).toContain('wechatpay-serial: (serial number of the newest platform certificate)');
  });

  test('encrypts sensitive fields', async () => {
    const body = JSON.stringify({ type: 'PERSONAL_OPENID', account: 'a', relation_type: 'USER', name: '张三' });
    const { stdout } = await wxpay(['request', 'post', 'v3/profitsharing/receivers/add', body, '-n'], { env });
    expect(stdout).toMatch(/"name":"[\w+/]{342}==?"/);
    expect(sandbox.requests).toEqual([]);
  });

  test('of v2, with the sign masked', async () => {
    const xml = { mch_id: '1900000109', out_trade_no: 'ORDER-1' };
    const { code, stdout } = await wxpay(['request', 'post', 'v2/pay/orderquery', JSON.stringify(xml), '-n'], { env });
    expect({ code, requests: sandbox.requests }).toEqual({ code: 0, requests: [] });
    expect(stdout).toMatch(/<nonce_str>\w+<\/nonce_str>.*<sign>…<\/sign>/);
    const page = ['request', 'get', 'v2/papay/entrustweb', '-q', 'mch_id=1900000109', '-q', 'plan_id=1', '-n'];
    expect((await wxpay(page, { env })).stdout).toMatch(/^GET http.*\/papay\/entrustweb\?.*[?&]sign=…/);
  });

  test('what cannot be built is an error all the same', async () => {
    const args = ['request', 'get', 'https://elsewhere.example/v3/certificates', '-n'];
    const { code, stdout, stderr } = await wxpay(args, { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('https://elsewhere.example is neither a WeChat Pay host nor');
  });
});

describe('mistakes', () => {
  test.each([
    [
      ['request', 'v3/certificates', 'get'],
      '"v3/certificates" is not a verb; use one of get, post, put, patch, delete. The verb goes before the path',
    ],
    [['request', 'fetch', 'v3/certificates'], '"fetch" is not a verb'],
    [['request', 'get', 'certificates'], '"certificates" is not a path; write v3/pay'],
    [['request', 'get', 'v3..certificates'], 'is not a path'],
    [['request', 'get', 'v3.a._id_'], 'variables without a value; add --variable id=…'],
    [['request', 'get', 'v3/a/{id}', '-v', 'ID=1'], 'has no variable "ID": it has id'],
    [['request', 'get', 'v3/a/{id}', '-v', 'id'], '"id" is not a name and value; write --variable name=value'],
    [['request', 'get', 'v3/a', '-q', 'a'], 'write --query name=value'],
    [['request', 'get'], "missing required argument 'path'"],
    [['request', 'get', 'v3/a', '--qurey', 'a=1'], "unknown option '--qurey'\n(Did you mean --query?)"],
    [['request', 'get', 'v3/a', '{}', '{}'], 'too many arguments'],
    [
      ['request', 'get', 'v3/a', '-u', 'api.mch.weixin.qq.com'],
      'WECHATPAY_BASE_URL (or --base-url) must be an absolute URL',
      3,
    ],
  ])('%j', async (args, message, code = 2) => {
    const printed = await wxpay(args, { env });
    expect(printed).toMatchObject({ code, stdout: '' });
    expect(printed.stderr).toContain(message);
    expect(sandbox.requests).toEqual([]);
  });
});
