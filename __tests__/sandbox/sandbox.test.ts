import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { Agent, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { request as undiciRequest } from 'undici';
import * as exported from 'wechatpay-undici/sandbox';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { useSandbox } from '../support/sandbox';
import { authorization, isSigned, SEND, send, USE, used } from './support';

let sandbox: Sandbox;
useSandbox((started) => {
  sandbox = started;
});

test('the module exports what it should', () => {
  expect(Object.keys(exported).sort()).toEqual(['Sandbox', 'fault', 'v2Fault']);
});

describe('config', () => {
  test('is what Builder.factory takes', () => {
    const { config } = sandbox;
    expect(Object.keys(config).sort()).toEqual([
      'apiv3Key',
      'baseUrl',
      'certs',
      'mchid',
      'privateKey',
      'secret',
      'serial',
    ]);
    expect(config.mchid).toMatch(/^\d{10}$/);
    expect(config.serial).toMatch(/^[0-9A-F]{40}$/);
    expect(config.privateKey).toMatchObject({
      type: 'private',
      asymmetricKeyType: 'rsa',
      asymmetricKeyDetails: { modulusLength: 2048 },
    });
    expect(Object.keys(config.certs)).toEqual([expect.stringMatching(/^PUB_KEY_ID_\d{28}$/)]);
    expect(Object.values(config.certs)[0]).toMatchObject({
      type: 'public',
      asymmetricKeyDetails: { modulusLength: 2048 },
    });
    expect(config.secret).toMatch(/^[0-9a-f]{32}$/);
    expect(config.apiv3Key).toMatch(/^[0-9a-f]{32}$/);
    expect(config.baseUrl).toBe(sandbox.url);
    expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  });

  test('has other keys and another id at each start', async () => {
    await using other = await Sandbox.start();
    const [mine, theirs] = [sandbox.config, other.config];
    expect(createPublicKey(mine.privateKey).equals(createPublicKey(theirs.privateKey))).toBe(false);
    expect(Object.keys(mine.certs)).not.toEqual(Object.keys(theirs.certs));
    expect(mine.serial).not.toBe(theirs.serial);
    expect(mine.secret).not.toBe(theirs.secret);
  });

  test('has the public key of the platform, not of the merchant', () => {
    const [platform] = Object.values(sandbox.config.certs);
    expect(platform?.equals(createPublicKey(sandbox.config.privateKey))).toBe(false);
  });
});

test('no private key and no secret shows when a sandbox is printed', async () => {
  await send(sandbox, USE, { json: used });
  const pem = sandbox.config.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { d, p } = createPrivateKey(pem).export({ format: 'jwk' });
  const texts = [
    inspect(sandbox, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
    inspect(sandbox.config, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
    JSON.stringify(sandbox),
    JSON.stringify(sandbox.config),
    JSON.stringify(sandbox.requests),
    String(sandbox),
  ];
  for (const text of texts) {
    const { secret, apiv3Key } = sandbox.config;
    for (const hidden of [pem.split('\n')[1], d, p, secret, apiv3Key]) expect(text).not.toContain(hidden);
    expect(text).not.toContain('PRIVATE KEY-----');
  }
});

test('it responds with the headers of WeChat Pay, by the real clock', async () => {
  await using other = await Sandbox.start();
  await other.clock.advance({ days: 30 });
  const response = await send(other, USE, { json: used });
  expect(response.headers).toMatchObject({
    'content-type': expect.stringContaining('application/json'),
    'wechatpay-timestamp': expect.stringMatching(/^\d{10}$/),
    'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
  });
  const { date, 'wechatpay-timestamp': timestamp } = response.headers;
  for (const time of [Date.parse(String(date)), Number(timestamp) * 1000]) {
    expect(Math.abs(time - Date.now())).toBeLessThan(86_400_000);
  }
  expect(response.rawHeaders).toEqual(
    expect.arrayContaining([
      'Wechatpay-Serial',
      'Wechatpay-Timestamp',
      'Wechatpay-Nonce',
      'Wechatpay-Signature',
      'Request-ID',
    ]),
  );
  expect(isSigned(other, response)).toBe(true);
});

test('no two responses have the same nonce or Request-ID', async () => {
  const responses = await Promise.all(Array.from({ length: 10 }, () => send(sandbox, USE, { json: used })));
  for (const name of ['wechatpay-nonce', 'request-id']) {
    expect(new Set(responses.map(({ headers }) => headers[name])).size).toBe(10);
  }
});

describe('requests', () => {
  test('are kept as they arrived, with the status of their response', async () => {
    await send(sandbox, '/v3/x?a=%20', { headers: { 'x-mine': '1' } });
    await send(sandbox, USE, { json: used });
    await send(sandbox, USE, { json: used, authorization: { mchid: '1' } });
    expect(sandbox.requests).toMatchObject([
      { method: 'GET', target: '/v3/x?a=%20', headers: { 'x-mine': '1' }, body: '', status: 404 },
      { method: 'POST', target: USE, body: JSON.stringify(used), status: 200 },
      { method: 'POST', target: USE, status: 401 },
    ]);
  });

  test('have no status while they are under way', async () => {
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    sandbox.on('get', 'v3/slow', async () => {
      expect(sandbox.requests.at(-1)).toMatchObject({ target: '/v3/slow', status: undefined });
      await gate;
      return 1;
    });
    const pending = send(sandbox, '/v3/slow');
    go();
    expect((await pending).json).toBe(1);
    expect(sandbox.requests.at(-1)).toMatchObject({ status: 200 });
  });

  test('are the last 1,000', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const shot = (i: number) => send(sandbox, `/v3/${i}`, { agent, headers: { authorization: undefined } });
    await Promise.all(Array.from({ length: 1005 }, (_, i) => shot(i)));
    await shot(9999);
    expect(sandbox.requests).toHaveLength(1000);
    expect(sandbox.requests.at(-1)).toMatchObject({ target: '/v3/9999', status: 401 });
    agent.destroy();
  });
});

test('reset() forgets handlers, misbehaviours, requests and coupons', async () => {
  sandbox.on('post', 'v3/marketing/busifavor/coupons/use', () => 'mine');
  await send(sandbox, SEND, { json: { openid: 'o', appid: 'a', stock_id: '100088', out_request_no: 'r' } });
  expect(sandbox.coupons.size).toBe(2);
  sandbox.misbehave({ status: 500 }, Number.POSITIVE_INFINITY);
  sandbox.reset();
  expect(sandbox.requests).toEqual([]);
  expect([...sandbox.coupons.keys()]).toEqual(['sxxe34343434']);
  expect(await send(sandbox, USE, { json: used })).toMatchObject({ status: 200, json: { stock_id: '100088' } });
});

test('200 requests at the same time over 8 connections each get their own response, signed', async () => {
  sandbox.on('post', 'v3/echo/{id}', async ({ variables, json }) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    return { ...variables, json };
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const responses = await Promise.all(
    Array.from({ length: 200 }, (_, i) => send(sandbox, `/v3/echo/${i}`, { json: i, agent })),
  );
  for (const [i, response] of responses.entries()) {
    expect(response.json).toEqual({ id: String(i), json: i });
    expect(isSigned(sandbox, response)).toBe(true);
  }
  agent.destroy();
});

test('requests that are sent ahead of their responses are responded to in order', async () => {
  sandbox.on('get', 'v3/slow', () => new Promise((resolve) => setTimeout(resolve, 50, 'slow')));
  sandbox.on('get', 'v3/fast', () => 'fast');
  sandbox.misbehave(({ target }) => (target === '/v3/fast?last' ? { reset: 'body' } : undefined));
  const targets = ['/v3/slow', '/v3/fast', '/v3/fast?last'];
  const { hostname, port } = new URL(sandbox.url);
  const bytes = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname);
    for (const target of targets) {
      const header = authorization(sandbox, 'GET', target, '');
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nUser-Agent: x\r\nAuthorization: ${header}\r\n\r\n`,
      );
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    socket.on('error', () => {}).on('close', () => resolve(text));
  });
  expect(bytes.match(/HTTP\/1\.1 200|"slow"|"fast"|"fa$/g)).toEqual([
    'HTTP/1.1 200',
    '"slow"',
    'HTTP/1.1 200',
    '"fast"',
    'HTTP/1.1 200',
    '"fa',
  ]);
  expect(sandbox.requests.map(({ target, status }) => [target, status])).toEqual(
    targets.map((target) => [target, 200]),
  );
});

test('undici talks to it', async () => {
  const { statusCode, body } = await undiciRequest(new URL(USE, sandbox.url), {
    method: 'POST',
    body: JSON.stringify(used),
    headers: {
      accept: 'application/json',
      'user-agent': 'x',
      'content-type': 'application/json',
      authorization: authorization(sandbox, 'POST', USE, JSON.stringify(used)),
    },
  });
  expect(statusCode).toBe(200);
  expect(await body.json()).toHaveProperty('wechatpay_use_time');
});

test('a client that goes away in the middle of its request harms nobody', async () => {
  const { hostname, port } = new URL(sandbox.url);
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST ${USE} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`, () => socket.destroy());
    });
    socket.on('close', () => resolve());
  });
  expect(await send(sandbox, USE, { json: used })).toMatchObject({ status: 200 });
  expect(sandbox.requests).toHaveLength(1);
});

describe('start', () => {
  test('takes a port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(Sandbox.start({ port })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(String(port)),
      cause: { code: 'EADDRINUSE' },
    });
    await new Promise((resolve) => server.close(resolve));
    await using other = await Sandbox.start({ port });
    expect(other.url).toBe(`http://127.0.0.1:${port}/`);
  });

  test('refuses a port that is none', async () => {
    await expect(Sandbox.start({ port: 65536 })).rejects.toMatchObject({ name: 'ConfigurationError' });
  });
});

describe('close', () => {
  test('leaves nothing that keeps the process alive', async () => {
    const fixture = join(__dirname, 'leaves-nothing.fixture.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['-r', 'esbuild-register', fixture], {
      timeout: 15_000,
    });
    expect(JSON.parse(stdout)).toEqual(['ECONNRESET', 'ECONNRESET']);
  }, 20_000);

  const sockets = () => process.getActiveResourcesInfo().filter((name) => /^TCP(Server|Socket)Wrap$/.test(name)).length;

  test('ends idle connections at once and leaves nothing behind', async () => {
    const before = sockets();
    const other = await Sandbox.start();
    const agent = new Agent({ keepAlive: true });
    await send(other, USE, { json: used, agent });
    expect(sockets()).toBeGreaterThan(before);
    await Promise.all([other.close(), other.close()]);
    await other.close();
    agent.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sockets()).toBeLessThanOrEqual(before);
    await expect(send(other, USE, { json: used })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('ends requests that are under way, also one that is delayed for ever', async () => {
    const before = sockets();
    const other = await Sandbox.start();
    other.on('get', 'v3/never', () => new Promise(() => {}));
    other.misbehave(({ target }) => (target === '/v3/late' ? { delay: Number.POSITIVE_INFINITY } : undefined));
    const pending = [send(other, '/v3/never'), send(other, '/v3/late')].map((promise) =>
      promise.catch((error) => error.code),
    );
    while (other.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await other.close();
    expect(await Promise.all(pending)).toEqual(['ECONNRESET', 'ECONNRESET']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sockets()).toBeLessThanOrEqual(before);
  });

  test('is what `await using` does', async () => {
    let url = '';
    {
      await using other = await Sandbox.start();
      url = other.url;
      expect(await send(other, USE, { json: used })).toMatchObject({ status: 200 });
    }
    await expect(fetch(url)).rejects.toThrow();
  });
});
