import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Builder, type ClientConfig } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { createControl } from '../../../lib/sandbox/control/control';
import { createGuard } from '../../../lib/sandbox/control/guard';
import { fault } from '../../../lib/sandbox/wire/response';
import { send } from '../support';
import { control } from './support';

/** The one of all tests: it takes long to make its keys. */
let shared: Sandbox;
let sandbox: Sandbox;
beforeAll(async () => {
  shared = await Sandbox.start();
});
beforeEach(() => {
  shared.reset();
  sandbox = shared;
});
afterEach(() => (sandbox === shared ? undefined : sandbox.close()));
afterAll(() => shared.close());

/** A sandbox for one test alone, which does what a reset does not undo. */
async function startOwn(): Promise<void> {
  sandbox = await Sandbox.start();
}

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

/** A merchant's server. */
async function receiver(reply: RequestListener): Promise<string> {
  const server = createServer(reply).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function order(out_trade_no: string, mchid = sandbox.config.mchid) {
  const amount = { total: 1, currency: 'CNY' };
  const notify_url = 'http://127.0.0.1:9/notify';
  return { appid: 'wx8888888888888888', mchid, description: '茶', out_trade_no, notify_url, amount };
}

test('health', async () => {
  expect(await control(sandbox, 'GET /sandbox/health')).toMatchObject({ status: 200, json: { status: 'UP' } });
});

test('a client that is configured by the control API works', async () => {
  const { json } = await control(sandbox, 'GET /sandbox/config');
  expect(Object.keys(json)).toEqual([
    ...['mchid', 'serial', 'privateKey', 'certificate', 'publicKeyId', 'publicKey', 'apiv3Key', 'secret', 'baseUrl'],
  ]);
  const { publicKeyId, publicKey, certificate, ...config } = json;
  expect(certificate).toMatch(/^-----BEGIN CERTIFICATE-----/);
  const given: ClientConfig = { ...config, certs: { [publicKeyId]: publicKey } };
  const instance = Builder.factory(given);
  await instance.v3.pay.transactions.native.post({ json: order('ORDER-1') });
});

test('a test takes a merchant of its own', async () => {
  await startOwn();
  const created = await control(sandbox, 'POST /sandbox/merchants', {});
  expect(created.json).toMatchObject({ mchid: '1900000110', baseUrl: sandbox.url });
  const named = await control(sandbox, 'POST /sandbox/merchants', { mchid: '1230000109', secret: 'k'.repeat(32) });
  // What it brought along is not shown, and nor is where from: the sandbox does not know.
  expect(named.json).toMatchObject({ mchid: '1230000109', privateKey: expect.stringContaining('PRIVATE KEY') });
  expect(named.text).not.toContain('k'.repeat(32));
  expect((await control(sandbox, 'GET /sandbox/merchants')).json).toEqual([
    { mchid: '1900000109', serial: sandbox.config.serial },
    { mchid: '1900000110', serial: created.json.serial },
    { mchid: '1230000109', serial: named.json.serial },
  ]);
  expect((await control(sandbox, 'GET /sandbox/config?mchid=1900000110')).json).toEqual(created.json);
  expect(await control(sandbox, 'POST /sandbox/merchants', { mchid: '1230000109' })).toMatchObject({
    status: 409,
    json: { code: 'ALREADY_EXISTS', message: 'The sandbox already has the merchant 1230000109.' },
  });
  for (const [body, message] of [
    [{ mchid: 1 }, '"mchid" must be a string.'],
    [{ privateKey: 'x' }, 'The private key is not a PEM file of an RSA key, such as apiclient_key.pem.'],
    [{ key: 'x' }, 'Unknown member "key"; valid members: mchid, privateKey, certificate, apiv3Key, secret.'],
  ]) {
    const refused = { status: 400, json: { code: 'INVALID_REQUEST', message } };
    expect(await control(sandbox, 'POST /sandbox/merchants', body)).toMatchObject(refused);
  }
});

test('of keys that a merchant brought along only their files are shown', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const files = { privateKey: 'file:///keys/apiclient_key.pem' };
  await using own = await Sandbox.start({ merchant: { privateKey: pem, apiKey: 'v'.repeat(32), files } });
  const { text, json } = await control(own, 'GET /sandbox/config');
  expect(json).toMatchObject({ privateKey: 'file:///keys/apiclient_key.pem', secret: own.config.secret });
  expect(json).not.toHaveProperty('apiv3Key');
  expect(text).not.toContain('vvvv');
  expect(createPrivateKey(pem).equals(own.config.privateKey)).toBe(true);
});

test('notifications are listed with each attempt, sent, and sent again', async () => {
  const statuses = [204, 500, 200];
  const url = await receiver((_, response) => response.writeHead(statuses.shift() ?? 500).end('thanks'));
  const content = { out_trade_no: 'ORDER-1' };
  const sent = await control(sandbox, 'POST /sandbox/notifications', { name: 'TRANSACTION.SUCCESS', content, url });
  expect(sent.json).toMatchObject({ name: 'TRANSACTION.SUCCESS', url, delivered: true, attempts: [{ status: 204 }] });
  const list = async () => (await control(sandbox, 'GET /sandbox/notifications')).json;
  expect(await list()).toMatchObject([{ id: sent.json.id, content, attempts: [{ status: 204, accepted: true }] }]);

  const path = `POST /sandbox/notifications/${sent.json.id}/resend`;
  expect((await control(sandbox, path)).json).toMatchObject({ attempts: [{}, { status: 500 }], delivered: true });
  expect(await control(sandbox, path, { wait: false })).toMatchObject({ status: 204 });
  while ((await list())[0].attempts.length < 3) await setTimeout(2);
  expect(await list()).toMatchObject([{ attempts: [{ status: 204 }, { status: 500 }, { status: 200 }] }]);

  expect((await control(sandbox, 'GET /sandbox/notifications?mchid=1900000109')).json).toHaveLength(1);
  expect(await control(sandbox, 'POST /sandbox/notifications/none/resend')).toMatchObject({
    status: 404,
    json: { code: 'RESOURCE_NOT_EXISTS', message: 'There is no notification with the id none.' },
  });
  for (const [body, message] of [
    [{}, /needs a name/],
    [{ name: 'A', content: [], url }, /must be an object/],
    [{ name: 'A', content: {}, url: 'nowhere' }, /absolute http or https URL/],
    [{ name: 'A', content: {}, url, tea: 1 }, /Unknown option "tea"/],
  ] as const) {
    const { status, json } = await control(sandbox, 'POST /sandbox/notifications', body);
    expect([status, json.message]).toEqual([400, expect.stringMatching(message)]);
  }
});

test('a notification that is sent again while its schedule runs is delivered once it is accepted', async () => {
  const statuses = [500, 204];
  const url = await receiver((_, response) => response.writeHead(statuses.shift() ?? 418).end());
  sandbox.clock.freeze();
  const { json } = await control(sandbox, 'POST /sandbox/notifications', { name: 'TEA.SERVED', content: {}, url });
  expect(json).not.toHaveProperty('delivered');
  await control(sandbox, `POST /sandbox/notifications/${json.id}/resend`);
  await sandbox.clock.advance({ days: 2 });
  expect(sandbox.notifications).toMatchObject([{ delivered: true, attempts: [{ status: 500 }, { status: 204 }] }]);
});

test('a probe goes first, and is no attempt of the schedule', async () => {
  const statuses = [401, 500, 204];
  const url = await receiver((_, response) => response.writeHead(statuses.shift() ?? 418).end());
  sandbox.clock.freeze();
  const body = { name: 'TEA.SERVED', content: {}, url, probe: true };
  const { json } = await control(sandbox, 'POST /sandbox/notifications', body);
  expect(json.attempts).toMatchObject([
    { probe: true, status: 401 },
    { probe: false, status: 500 },
  ]);
  await sandbox.clock.advance({ seconds: 15 });
  expect(sandbox.notifications).toMatchObject([{ delivered: true, attempts: [{}, {}, { status: 204 }] }]);
});

test('a month with refunds and addresses that fail ends in the right states, and nothing runs after close()', async () => {
  let calls = 0;
  const url = await receiver((_, response) => {
    calls += 1;
    response.writeHead(500).end();
  });
  const month = await Sandbox.start();
  month.clock.freeze();
  const { v3 } = Builder.factory(month.config);
  const numbers = Array.from({ length: 20 }, (_, i) => `ORDER-${i}`);
  for (const number of numbers) {
    await v3.pay.transactions.native.post({ json: { ...order(number), notify_url: url } });
    await month.pay(number);
    const amount = { refund: 1, total: 1, currency: 'CNY' };
    const json = { out_trade_no: number, out_refund_no: number, notify_url: url, amount };
    await v3.refund.domestic.refunds.post({ json });
  }
  await month.clock.advance({ days: 31 });
  const refund = v3.refund.domestic.refunds.chain('{out_refund_no}');
  for (const out_refund_no of numbers)
    expect(await refund.get({ out_refund_no }).json()).toMatchObject({ status: 'SUCCESS' });
  expect(month.notifications).toHaveLength(40);
  for (const { attempts, delivered } of month.notifications) {
    expect([attempts.length, delivered]).toEqual([16, false]);
    const times = attempts.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }
  expect(calls).toBe(40 * 16);
  await v3.pay.transactions.native.post({ json: { ...order('ORDER-LAST'), notify_url: url } });
  await month.pay('ORDER-LAST');
  await month.close();
  await month.clock.advance({ days: 31 });
  expect(calls).toBe(40 * 16 + 1);
});

describe('requests', () => {
  const last = async () => (await control(sandbox, 'GET /sandbox/requests')).json.at(-1);
  const names = ({ checks }: { checks: { check: string; ok: boolean }[] }) =>
    checks.map(({ check, ok }) => (ok ? check : `not ${check}`));

  test('have a verdict of every check, and the string to sign', async () => {
    await send(sandbox, '/v3/pay/transactions/native', { json: order('ORDER-1') });
    const record = await last();
    expect(record).toMatchObject({ status: 200, protocol: 'v3', mchid: '1900000109' });
    const [, timestamp] = /timestamp="(\d+)"/.exec(record.headers.authorization) ?? [];
    const [, nonce] = /nonce_str="(\w+)"/.exec(record.headers.authorization) ?? [];
    expect(record.toSign).toBe(`POST\n/v3/pay/transactions/native\n${timestamp}\n${nonce}\n${record.body}\n`);
    expect(names(record)).toEqual([
      ...['headers', 'authorization', 'merchant', 'serial', 'timestamp', 'signature', 'nonce', 'parameters'],
    ]);
    expect(record.milliseconds).toBeGreaterThanOrEqual(0);
    expect(Math.abs(record.time - Date.now())).toBeLessThan(60_000);
    // The control API itself is not among them.
    expect(sandbox.requests).toHaveLength(1);
  });

  test.each([
    [{ headers: { accept: undefined } }, ['not headers']],
    [{ headers: { authorization: 'Bearer x' } }, ['headers', 'not authorization']],
    [{ authorization: { signature: undefined } }, ['headers', 'not authorization']],
    [{ authorization: { mchid: '1' } }, ['headers', 'authorization', 'not merchant']],
    [{ authorization: { serial_no: '1' } }, ['headers', 'authorization', 'merchant', 'not serial']],
    [{ timestamp: 1 }, ['headers', 'authorization', 'merchant', 'serial', 'not timestamp']],
    [
      { authorization: { signature: 'AAAA' } },
      ['headers', 'authorization', 'merchant', 'serial', 'timestamp', 'not signature'],
    ],
    [
      { method: 'POST', body: 'no JSON' },
      [...['headers', 'authorization', 'merchant', 'serial', 'timestamp', 'signature', 'nonce'], 'not parameters'],
    ],
  ])('%j', async (options, expected) => {
    sandbox.on('post', 'v3/tea', () => ({}));
    sandbox.on('get', 'v3/tea', () => ({}));
    await send(sandbox, '/v3/tea', options);
    expect(names(await last())).toEqual(expected);
  });

  test('a replay', async () => {
    sandbox.on('get', 'v3/tea', () => ({}));
    await send(sandbox, '/v3/tea');
    const { authorization } = sandbox.requests[0]?.headers ?? {};
    await send(sandbox, '/v3/tea', { headers: { authorization } });
    expect(names(await last()).at(-1)).toBe('not nonce');
  });

  test('of v2 without the APIv2 key', async () => {
    const instance = Builder.factory(sandbox.config);
    sandbox.on('post', 'v2/pay/orderquery', () => ({}));
    const xml = { appid: 'wx8888888888888888', mch_id: sandbox.config.mchid, transaction_id: '42', out_trade_no: '' };
    await instance.v2.pay.orderquery.post({ xml });
    const record = await last();
    expect(record).toMatchObject({ protocol: 'v2', mchid: '1900000109' });
    expect(names(record)).toEqual(['fields', 'merchant', 'signature', 'parameters']);
    expect(record.toSign).toMatch(
      /^appid=wx8888888888888888&mch_id=1900000109&nonce_str=\w+(&sign_type=[\w-]+)?&transaction_id=42&key=…$/,
    );
    const { text } = await control(sandbox, 'GET /sandbox/requests');
    for (const key of [sandbox.config.secret, sandbox.config.apiv3Key]) expect(text).not.toContain(key);
    const wrong = '<xml><mch_id>1900000109</mch_id><sign>0</sign></xml>';
    await send(sandbox, '/pay/orderquery', { body: wrong, headers: { authorization: undefined } });
    expect(names(await last())).toEqual(['fields', 'merchant', 'not signature']);
  });

  test('of one merchant', async () => {
    await startOwn();
    const other = await sandbox.addMerchant();
    const instance = Builder.factory(other);
    await instance.v3.pay.transactions.native.post({ json: order('ORDER-1', other.mchid) });
    await send(sandbox, '/v3/pay/transactions/native', { json: order('ORDER-1') });
    const { json } = await control(sandbox, `GET /sandbox/requests?mchid=${other.mchid}`);
    expect(json.map(({ mchid }: { mchid: string }) => mchid)).toEqual([other.mchid]);
  });
});

describe('faults', () => {
  const status = async (target = '/v3/tea') => (await send(sandbox, target)).status;
  beforeEach(() => {
    for (const path of ['v3/tea', 'v3/cups']) sandbox.on('get', path, () => ({}));
  });

  test('so many times, always, and never again', async () => {
    expect(await control(sandbox, 'POST /sandbox/faults', { status: 503, times: 2 })).toMatchObject({ status: 204 });
    expect([await status(), await status(), await status()]).toEqual([503, 503, 200]);
    await control(sandbox, 'POST /sandbox/faults', { status: 502, times: 'always' });
    expect([await status(), await status(), await status()]).toEqual([502, 502, 502]);
    expect(await control(sandbox, 'DELETE /sandbox/faults')).toMatchObject({ status: 204 });
    expect(await status()).toBe(200);
  });

  test('of one path and method', async () => {
    await control(sandbox, 'POST /sandbox/faults', { status: 503, path: 'v3/cups', method: 'GET' });
    await control(sandbox, 'POST /sandbox/faults', { status: 503, path: '/v3/tea', method: 'POST' });
    expect([await status(), await status('/v3/cups?a=b'), await status('/v3/cups')]).toEqual([200, 503, 200]);
  });

  test.each([
    [{ tea: 1 }, /Unknown misbehaviour "tea"/],
    [{ status: 99 }, /from 200 to 599/],
    [{ status: 99, path: 'v3/tea' }, /from 200 to 599/],
    [{ times: 0 }, /at least 1/],
    [{ times: 'often' }, /at least 1/],
    [{ path: 1 }, /"path" must be a string/],
  ])('%j is none', async (body, message) => {
    const { status: code, json } = await control(sandbox, 'POST /sandbox/faults', body);
    expect([code, json.code, json.message]).toEqual([400, 'INVALID_REQUEST', expect.stringMatching(message)]);
    expect(await status()).toBe(200);
  });
});

test('keys are rotated, to a certificate and back', async () => {
  const { json } = await control(sandbox, 'POST /sandbox/keys/rotate', { to: 'certificate' });
  sandbox.on('get', 'v3/tea', () => ({}));
  expect((await send(sandbox, '/v3/tea')).headers['wechatpay-serial']).toBe(json.serial);
  const back = await control(sandbox, 'POST /sandbox/keys/rotate', { to: 'public-key' });
  expect(back.json).toEqual({ serial: Object.keys(sandbox.config.certs)[0] });
  expect((await control(sandbox, 'POST /sandbox/keys/rotate', { to: 'tea' })).json.message).toBe(
    '"to" must be certificate or public-key; found "tea".',
  );
});

test('the clock is frozen, set, advanced and resumed', async () => {
  await startOwn();
  const frozen = (await control(sandbox, 'POST /sandbox/clock', { freeze: true })).json;
  expect(frozen.frozen).toBe(true);
  expect((await control(sandbox, 'GET /sandbox/clock')).json).toEqual(frozen);
  const advanced = await control(sandbox, 'POST /sandbox/clock', { advance: { hours: 1, minutes: 30 } });
  expect(Date.parse(advanced.json.now) - Date.parse(frozen.now)).toBe(90 * 60_000);
  const set = await control(sandbox, 'POST /sandbox/clock', { set: '2126-01-31T08:00:00+08:00' });
  expect(set.json).toEqual({ now: '2126-01-31T00:00:00.000Z', frozen: true });
  const both = await control(sandbox, 'POST /sandbox/clock', { set: '2126-02-01T00:00:00Z', advance: { days: 1 } });
  expect(both.json.now).toBe('2126-02-02T00:00:00.000Z');
  expect((await control(sandbox, 'POST /sandbox/clock', { resume: true })).json.frozen).toBe(false);
  for (const [body, message] of [
    [{ set: '2000-01-01T00:00:00Z' }, /cannot go back/],
    [{ set: 'tomorrow' }, /must be a time/],
    [{ set: 5 }, /must be a time/],
    [{ advance: 5 }, /must be a duration/],
    [{ advance: { weeks: 1 } }, /Unknown unit "weeks"/],
    [{ freeze: true, resume: true }, /only one/],
    [{ stop: true }, /Unknown member "stop"/],
  ] as const) {
    const { status, json } = await control(sandbox, 'POST /sandbox/clock', body);
    expect([status, json.message]).toEqual([400, expect.stringMatching(message)]);
  }
});

test('with { wait: false } a server that does one thing at a time can advance the clock and be notified', async () => {
  let replies = 0;
  let busy: Promise<unknown> = Promise.resolve();
  const url = await receiver(async (_, response) => {
    await busy;
    response.writeHead(replies++ === 0 ? 500 : 204).end();
  });
  await control(sandbox, 'POST /sandbox/notifications', { name: 'TEA.SERVED', content: {}, url });
  busy = control(sandbox, 'POST /sandbox/clock', { advance: { minutes: 1 }, wait: false });
  expect(await busy).toMatchObject({ status: 200 });
  while (sandbox.notifications[0]?.delivered !== true) await setTimeout(2);
});

test('reset: all of it, or what belongs to one merchant', async () => {
  await startOwn();
  const other = await sandbox.addMerchant();
  const place = (config: typeof other) =>
    Builder.factory(config).v3.pay.transactions.native.post({ json: order('ORDER-1', config.mchid) });
  const exists = async (config: typeof other) => {
    const query = { mchid: config.mchid };
    const path = 'v3/pay/transactions/out-trade-no/{out_trade_no}';
    return Builder.factory(config)
      .chain(path)
      .get({ out_trade_no: 'ORDER-1', query })
      .then(
        () => true,
        () => false,
      );
  };
  await Promise.all([place(sandbox.config), place(other)]);
  expect(await control(sandbox, `POST /sandbox/reset?mchid=${other.mchid}`)).toMatchObject({ status: 204, text: '' });
  expect([await exists(sandbox.config), await exists(other)]).toEqual([true, false]);
  await control(sandbox, 'POST /sandbox/reset');
  expect(await exists(sandbox.config)).toBe(false);
});

describe('the dispatch', () => {
  test.each([
    ['GET /sandbox/tea', undefined, 404, 'RESOURCE_NOT_EXISTS'],
    ['GET /sandbox/', undefined, 404, 'RESOURCE_NOT_EXISTS'],
    ['GET /sandbox', undefined, 404, 'RESOURCE_NOT_EXISTS'],
    ['POST /sandbox/health', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['GET /sandbox/health?mchid=1', undefined, 404, 'RESOURCE_NOT_EXISTS'],
    ['GET /sandbox/health?protocol=v4', undefined, 400, 'PARAM_ERROR'],
    ['POST /sandbox/reset', '{', 400, 'PARAM_ERROR'],
    ['POST /sandbox/reset', '[]', 400, 'PARAM_ERROR'],
    ['POST /sandbox/reset', 'null', 400, 'PARAM_ERROR'],
  ])('%s %j', async (call, body, status, code) => {
    const reply = await control(sandbox, call, body);
    expect(reply).toMatchObject({ status, json: { code, message: expect.any(String) } });
    expect(Object.keys(reply.json)).toEqual(['code', 'message']);
    expect(reply.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(reply.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('405 names what the path takes', async () => {
    expect((await control(sandbox, 'PUT /sandbox/clock', {})).headers.allow).toBe('GET, POST');
  });

  test('paths that only look like it are the platform’s', async () => {
    expect((await send(sandbox, '/sandboxes')).status).toBe(404);
    expect(sandbox.requests).toHaveLength(1);
  });

  describe('rows of products', () => {
    /** Who has which number. */
    const numbers: Record<string, string[]> = { A: ['one', 'both/ü'], B: ['two', 'both/ü'] };
    const called: string[] = [];
    const dispatch = createControl(
      {
        guard: createGuard({ port: 80 }),
        // Whose they are is all that the dispatch asks.
        identities: { all: () => ['A', 'B'].map((id) => ({ kind: 'merchant', id })) } as never,
        store: { commit() {} } as never,
        merchant: 'A',
      },
      [],
      [
        ['get', 'sandbox/things', ({ mchid }) => numbers[mchid]],
        ['get', 'sandbox/pages', ({ mchid }) => ({ pages: numbers[mchid], of: mchid })],
        [
          'get',
          'sandbox/things/{no}',
          ({ mchid, variables: { no = '' } }) => {
            if (numbers[mchid]?.includes(no)) return { mchid, no };
            throw fault(404, 'RESOURCE_NOT_EXISTS', 'none');
          },
        ],
        ['post', 'sandbox/things/{no}/use', ({ mchid, json }) => void called.push(`${mchid} ${JSON.stringify(json)}`)],
        ['post', 'sandbox/other/{no}', ({ mchid }) => void called.push(mchid)],
      ],
    );
    const call = async (line: string, json = '') => {
      const [method = '', target = ''] = line.split(' ');
      const headers = { host: 'localhost' };
      const { status, body } = await dispatch({ method, target, headers, body: Buffer.from(json), form: undefined });
      return [status, body.toString() && JSON.parse(body.toString())];
    };
    beforeEach(() => void called.splice(0));

    test('a number is that of the merchant who has it', async () => {
      expect(await call('GET /sandbox/things/two')).toEqual([200, { mchid: 'B', no: 'two' }]);
      expect(await call('POST /sandbox/things/two/use', '{"a":1}')).toEqual([204, '']);
      expect(called).toEqual(['B {"a":1}']);
    });

    test('one that several have is refused unless the query tells', async () => {
      const refused = [409, { code: 'AMBIGUOUS', message: expect.stringContaining('Several merchants (A, B)') }];
      expect(await call('POST /sandbox/things/both%2F%C3%BC/use')).toEqual(refused);
      expect(called).toEqual([]);
      await call('POST /sandbox/things/both%2F%C3%BC/use?mchid=B');
      expect(called).toEqual(['B {}']);
    });

    test('one that nobody has is that of the first', async () => {
      expect((await call('GET /sandbox/things/none'))[0]).toBe(404);
      await call('POST /sandbox/other/two');
      expect(called).toEqual(['A']);
    });

    test('lists are of all merchants', async () => {
      expect(await call('GET /sandbox/things')).toEqual([200, ['one', 'both/ü', 'two', 'both/ü']]);
      expect(await call('GET /sandbox/things?mchid=B')).toEqual([200, ['two', 'both/ü']]);
      expect(await call('GET /sandbox/pages')).toEqual([200, { pages: ['one', 'both/ü', 'two', 'both/ü'], of: 'B' }]);
    });
  });
});

describe('who may ask', () => {
  const port = () => new URL(sandbox.url).port;

  test.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])('the sandbox goes by the name %s', async (name) => {
    const host = `${name}:${port()}`;
    expect((await control(sandbox, 'GET /sandbox/config', undefined, { host })).status).toBe(200);
    const origin = `http://${host}`;
    expect((await control(sandbox, 'POST /sandbox/reset', {}, { host, origin })).status).toBe(204);
  });

  test.each(['/', '/?a=b', '/sandbox/config', '/sandbox/health', '/sandbox/none'])(
    'a name that was made to lead here sees nothing of %s',
    async (path) => {
      for (const host of [`evil.example:${port()}`, 'evil.example', '127.0.0.1', `127.0.0.1.evil.example:${port()}`]) {
        const { status, json } = await control(sandbox, `GET ${path}`, undefined, { host });
        expect([status, json.code]).toEqual([403, 'NO_AUTH']);
      }
    },
  );

  test.each([
    'https://evil.example',
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'http://127.0.0.1',
    'file://',
    'http://localhost.evil.example',
    '',
  ])('a page of %p can neither read nor change anything', async (origin) => {
    sandbox.clock.freeze();
    const { status, headers } = await control(sandbox, 'POST /sandbox/clock', { resume: true }, { origin });
    expect([status, sandbox.clock.isFrozen]).toEqual([403, true]);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect((await control(sandbox, 'GET /sandbox/config', undefined, { origin })).status).toBe(403);
    expect((await control(sandbox, 'OPTIONS /sandbox/clock', undefined, { origin })).status).toBe(403);
  });

  test('names that are allowed', async () => {
    await using open = await Sandbox.start({ allowHosts: ['sandbox', 'shop.test:8787'] });
    const ask = async (headers: Record<string, string>) =>
      (await control(open, 'GET /sandbox/health', undefined, headers)).status;
    expect(await ask({ host: 'sandbox' })).toBe(200);
    expect(await ask({ host: 'Sandbox:9000', origin: 'http://sandbox:9000' })).toBe(200);
    expect(await ask({ host: 'sandbox:9000', origin: 'http://sandbox:9001' })).toBe(403);
    expect(await ask({ host: 'shop.test:8787', origin: 'http://shop.test:8787' })).toBe(200);
    expect(await ask({ host: 'shop.test:8788' })).toBe(403);
    await expect(Sandbox.start({ allowHosts: ['http://shop.test'] })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: '"http://shop.test" is not a valid host; expected a name such as shop.test or shop.test:8787.',
    });
  });

  test('what it listens on is a name of its own, a wildcard is none', async () => {
    await using any = await Sandbox.start({ host: '0.0.0.0' });
    expect(any.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const host = `0.0.0.0:${new URL(any.url).port}`;
    expect((await control(any, 'GET /sandbox/health', undefined, { host })).status).toBe(403);
    await using named = await Sandbox.start({ host: 'localhost' });
    expect(named.url).toMatch(/^http:\/\/localhost:\d+\/$/);
    expect((await control(named, 'GET /sandbox/health')).status).toBe(200);
    await using other = await Sandbox.start({ host: '127.0.0.2' });
    expect(await control(other, 'GET /sandbox/health')).toMatchObject({ status: 200 });
  });

  test('the platform itself is asked by any name: its clients sign', async () => {
    sandbox.on('get', 'v3/tea', () => ({}));
    const headers = { host: 'api.mch.weixin.qq.com', origin: 'https://shop.example' };
    expect((await send(sandbox, '/v3/tea', { headers })).status).toBe(200);
  });
});

describe('events', () => {
  /** Listens; gives what has come. */
  async function listen(query = '') {
    const outgoing = request(new URL(`sandbox/events${query}`, sandbox.url), { agent: false }).end();
    const [incoming] = await once(outgoing, 'response');
    let text = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    incoming.on('error', () => {});
    outgoing.on('error', () => {});
    const events = () =>
      [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, event, data = '']) => [event, JSON.parse(data)]);
    return { headers: incoming.headers, events, text: () => text, end: () => outgoing.destroy() };
  }

  test('say what changed and what was asked, and hold no values', async () => {
    const stream = await listen();
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await send(sandbox, '/v3/pay/transactions/native', { json: order('ORDER-1') });
    while (stream.events().length < 2) await setTimeout(2);
    expect(stream.events()).toEqual([
      ['change', { changes: [{ table: 'orders', key: '1900000109/v3/ORDER-1' }] }],
      ['request', { method: 'POST', target: '/v3/pay/transactions/native', mchid: '1900000109', status: 200 }],
    ]);
    sandbox.reset();
    while (stream.events().length < 3) await setTimeout(2);
    expect(stream.events()[2]?.[1].changes).toContainEqual({
      ...{ table: 'orders', key: '1900000109/v3/ORDER-1' },
      deleted: true,
    });
    stream.end();
  });

  test('of one merchant, and none of keys', async () => {
    await startOwn();
    const [all, one] = [await listen(), await listen('?mchid=1900000109')];
    const other = await sandbox.addMerchant();
    await sandbox.rotate();
    await Builder.factory(other).v3.pay.transactions.native.post({ json: order('ORDER-2', other.mchid) });
    await send(sandbox, '/v3/pay/transactions/native', { json: order('ORDER-3') });
    while (!one.text().includes('"status"')) await setTimeout(2);
    while (!all.text().includes('ORDER-3')) await setTimeout(2);
    expect(one.text()).not.toContain(other.mchid);
    expect(all.text()).toContain(`${other.mchid}/v3/ORDER-2`);
    expect(all.text()).not.toMatch(/identities|platform|PRIVATE|tasks/);
    for (const stream of [all, one]) stream.end();
  });

  test('cost nothing when nobody listens any more', async () => {
    const spy = jest.spyOn(JSON, 'stringify');
    const streams = await Promise.all(Array.from({ length: 20 }, () => listen()));
    await sandbox.rotate('public-key');
    await sandbox.clock.advance({ seconds: 1 });
    while (streams.some((stream) => !stream.text().includes('"clock"'))) await setTimeout(2);
    for (const stream of streams) stream.end();
    const told = async () => {
      spy.mockClear();
      sandbox.reset();
      await setImmediate();
      return spy.mock.calls.length;
    };
    while ((await told()) > 0) await setTimeout(2);
    spy.mockRestore();
  });

  test('end with the sandbox', async () => {
    await startOwn();
    const stream = await listen();
    while (!stream.text().includes('connected')) await setTimeout(2);
    await sandbox.close();
  });
});

test('keys and secrets of others are in no response of the control API', async () => {
  const { text } = await control(sandbox, 'GET /sandbox/merchants');
  for (const path of ['merchants', 'notifications', 'requests', 'clock', 'health']) {
    const shown = (await control(sandbox, `GET /sandbox/${path}`)).text + text;
    for (const secret of [sandbox.config.secret, sandbox.config.apiv3Key, 'PRIVATE KEY']) {
      expect(shown).not.toContain(secret);
    }
  }
});
