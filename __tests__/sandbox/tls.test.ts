import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity, connect, type DetailedPeerCertificate } from 'node:tls';
import { inspect, promisify } from 'node:util';
import { Agent, type Dispatcher, request as get, ProxyAgent } from 'undici';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { operations } from '../../lib/sandbox/catalogue';
import { WECHATPAY_HOSTS } from '../../lib/sandbox/tls/hosts';
import { rsaKeyPair, selfSigned } from '../support/keys';

const run = promisify(execFile);

let sandbox: Sandbox;
let ca: string;
let directory: string;
const dispatchers: Dispatcher[] = [];

beforeAll(async () => {
  sandbox = await Sandbox.start({ tls: true });
  ca = sandbox.ca ?? '';
  directory = mkdtempSync(join(tmpdir(), 'tls-'));
  writeFileSync(join(directory, 'ca.pem'), ca);
});
beforeEach(() => sandbox.reset());
afterEach(() => Promise.all(dispatchers.splice(0).map((dispatcher) => dispatcher.destroy())));
afterAll(async () => {
  await sandbox.close();
  rmSync(directory, { recursive: true });
});

function closing<T extends Dispatcher>(dispatcher: T): T {
  dispatchers.push(dispatcher);
  return dispatcher;
}

const port = () => Number(new URL(sandbox.url).port);
/** The address of the proxy, which most clients ask without TLS. */
const proxyUrl = () => `http://127.0.0.1:${port()}`;
const direct = () => closing(new Agent({ connect: { ca } }));
const proxied = (options: Partial<ProxyAgent.Options> = {}) =>
  closing(new ProxyAgent({ uri: proxyUrl(), requestTls: { ca }, ...options }));

const order = (out_trade_no: string) => ({
  ...{ appid: 'wx8888888888888888', mchid: sandbox.config.mchid, description: '茶', out_trade_no },
  ...{ notify_url: 'https://shop.example/notify', amount: { total: 1 } },
});

/** The API key of the merchant as a file would have it. */
const key = () => sandbox.config.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('a client', () => {
  test('that changes the base URL and trusts the authority is served with TLS', async () => {
    expect(sandbox.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    const instance = Builder.factory({ ...sandbox.config, dispatcher: direct() });
    const response = await instance.v3.pay.transactions.native.post({ json: order('DIRECT') });
    expect(await response.json()).toEqual({ code_url: expect.stringMatching(/^weixin:/) });
  });

  test('that trusts only what everyone trusts is not', async () => {
    const instance = Builder.factory(sandbox.config);
    await expect(instance.v3.pay.transactions.native.post({ json: order('DISTRUST') })).rejects.toThrow();
    expect(sandbox.requests).toEqual([]);
  });

  test.each([
    ['without TLS', () => proxied()],
    ['with TLS', () => proxied({ uri: sandbox.url, proxyTls: { ca } })],
  ])('that cannot change its base URL uses it as a proxy, asked %s', async (_, dispatcher) => {
    const { baseUrl, ...unmodified } = sandbox.config;
    const instance = Builder.factory({ ...unmodified, dispatcher: dispatcher() });
    const response = await instance.v3.pay.transactions.native.post({ json: order('PROXIED') });
    expect(await response.json()).toEqual({ code_url: expect.stringMatching(/^weixin:/) });
    expect(sandbox.requests).toMatchObject([{ headers: { host: 'api.mch.weixin.qq.com' }, status: 200 }]);
  });

  test('in a process of its own needs the environment only', async () => {
    const program = `
      const { EnvHttpProxyAgent, request } = require('undici');
      request('https://apihk.mch.weixin.qq.com/v3/ping', { dispatcher: new EnvHttpProxyAgent() })
        .then(({ statusCode }) => { console.log(statusCode); process.exit(); });`;
    const env = { ...process.env, HTTPS_PROXY: proxyUrl(), NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') };
    const { stdout } = await run(process.execPath, ['-e', program], { env });
    // It is not signed.
    expect(stdout).toMatch(/^40\d\n$/);
    expect(sandbox.requests).toMatchObject([{ target: '/v3/ping', headers: { host: 'apihk.mch.weixin.qq.com' } }]);
  });

  test('such as curl needs the environment only', async () => {
    const found = await run('curl', ['--version']).catch(() => undefined);
    // Not every machine has it.
    if (!found) return;
    const env = { PATH: process.env.PATH, HTTPS_PROXY: proxyUrl(), SSL_CERT_FILE: join(directory, 'ca.pem') };
    const { stdout } = await run('curl', ['-sS', 'https://api.wechatpay.cn/v3/ping', '-w', ' %{http_code}'], { env });
    expect(stdout).toMatch(/^\{"code":"SIGN_ERROR".* 401$/);
  });

  test('is sent to the address that it knows for its files', async () => {
    const files = async (config: Parameters<typeof Builder.factory>[0]) => {
      const instance = Builder.factory(config);
      const query = { bill_date: yesterday() };
      const response = await instance.v3.bill.tradebill.get({ query });
      return (await response.json()).download_url;
    };
    sandbox.clock.freeze();
    const { baseUrl, ...unmodified } = sandbox.config;
    const instance = Builder.factory({ ...sandbox.config, dispatcher: direct() });
    await instance.v3.pay.transactions.native.post({ json: order('BILLED') });
    await sandbox.pay('BILLED').catch(() => {});
    await sandbox.clock.advance({ days: 2 });
    expect(await files({ ...sandbox.config, dispatcher: direct() })).toMatch(`${sandbox.url}v3/`);
    expect(await files({ ...unmodified, dispatcher: proxied() })).toMatch('https://api.mch.weixin.qq.com/v3/');
  });
});

/** The day of what was just paid, two days ago in Beijing by the time of business. */
function yesterday(): string {
  return new Date(sandbox.clock.now() + 8 * 3_600_000 - 2 * 86_400_000).toISOString().slice(0, 10);
}

describe('the authority', () => {
  test.each([...WECHATPAY_HOSTS, '127.0.0.1', 'localhost', '::1'])('certifies %s', async (name) => {
    const socket = connect({ host: '127.0.0.1', port: port(), ca, checkServerIdentity: () => undefined });
    await new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(0)).once('error', reject));
    const certificate = socket.getPeerCertificate(true);
    socket.destroy();
    expect(socket.authorized).toBe(true);
    expect(checkServerIdentity(name, certificate)).toBeUndefined();
    expect(checkServerIdentity('example.com', certificate)).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    // The server does not present it, since the client has it: it comes from there.
    const issuer: DetailedPeerCertificate = certificate.issuerCertificate;
    expect(issuer.fingerprint256).toBe(new X509Certificate(ca).fingerprint256);
  });

  test('certifies the names that it is allowed to be asked by', async () => {
    await using named = await Sandbox.start({ tls: true, allowHosts: ['shop.test:8787', 'sandbox', '[fe80::1]:9'] });
    const socket = connect({ port: Number(new URL(named.url).port), ca: named.ca, servername: 'shop.test' });
    await new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(0)).once('error', reject));
    for (const name of ['sandbox', 'fe80::1']) {
      expect(checkServerIdentity(name, socket.getPeerCertificate())).toBeUndefined();
    }
    socket.destroy();
  });

  test('knows every host of the facts', () => {
    const hosts = operations
      .all()
      .flatMap(({ fact: { base_uri, url } }) =>
        [base_uri, url].flatMap((address) => (address === undefined ? [] : new URL(address).host)),
      );
    expect(hosts.length).toBeGreaterThan(0);
    expect(WECHATPAY_HOSTS).toEqual(expect.arrayContaining([...new Set(hosts)]));
  });

  test('is as strict verifiers want it', async () => {
    const socket = connect({ port: port(), ca, servername: 'api.mch.weixin.qq.com' });
    await new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(0)).once('error', reject));
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    const leaf = new X509Certificate(raw);
    const authority = new X509Certificate(ca);
    expect([authority.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
    writeFileSync(join(directory, 'leaf.pem'), leaf.toString());
    const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem'];
    const checked = await run('openssl', args, { cwd: directory }).catch((error) => error);
    // Not every machine has it.
    if (checked.code !== 'ENOENT') expect(checked.stdout).toBe('leaf.pem: OK\n');
  });

  test('stays the same over a restart with a journal, and over a reset; without one it is new', async () => {
    const journal = join(directory, 'journal.jsonl');
    const start = async () => {
      await using started = await Sandbox.start({ tls: true, journal });
      started.reset();
      return started.ca;
    };
    const first = await start();
    expect(await start()).toBe(first);
    expect(first).not.toBe(ca);
    // Where there is a journal, TLS may begin later, and end.
    await (await Sandbox.start({ journal })).close();
    expect(await start()).toBe(first);
  });

  test('keeps its keys to itself', async () => {
    const journal = join(directory, 'keys.jsonl');
    await using started = await Sandbox.start({ tls: true, journal });
    const kept = /"tls-authority".*?-----BEGIN PRIVATE KEY-----\\n(.{64})/.exec(readFileSync(journal, 'utf8'));
    const [, secret = ''] = kept ?? [];
    expect(secret).toHaveLength(64);
    const { config } = started;
    const agent = closing(new Agent({ connect: { ca: started.ca } }));
    const shown = await get(`${started.url}sandbox/config`, { dispatcher: agent });
    const texts = [inspect(started, { depth: 9 }), inspect(config, { depth: 9 }), JSON.stringify(config)];
    for (const text of [...texts, await shown.body.text(), started.ca]) expect(text).not.toContain(secret);
  });

  test('is not there without TLS', async () => {
    await using plain = await Sandbox.start();
    expect(plain.ca).toBeUndefined();
    expect(plain.url).toMatch(/^http:/);
  });
});

describe('the proxy', () => {
  /** Asks for a tunnel; gives the status and what the proxy says. */
  function tunnel(target: string): Promise<{ status: number | undefined; text: string }> {
    return new Promise((resolve, reject) => {
      const asking = request({ port: port(), method: 'CONNECT', path: target, agent: false });
      asking.once('error', reject).once('connect', (response, socket: Socket, head) => {
        const done = (text: string) => resolve({ status: response.statusCode, text });
        if (response.statusCode === 200) {
          socket.destroy();
          return done('');
        }
        let text = head.toString();
        socket.on('data', (chunk: Buffer) => (text += chunk.toString())).once('end', () => done(text));
      });
      asking.end();
    });
  }

  test.each(['api.mch.weixin.qq.com:443', 'API2.mch.weixin.qq.com:443', 'pay.wechatpay.cn:443'])(
    'connects %s',
    async (target) => expect(await tunnel(target)).toEqual({ status: 200, text: '' }),
  );

  test('connects its own address, which clients may ask for through it', async () => {
    expect(await tunnel(`127.0.0.1:${port()}`)).toEqual({ status: 200, text: '' });
    expect(await tunnel(`[::1]:${port()}`)).toEqual({ status: 200, text: '' });
  });

  test.each([
    'example.com:443',
    'api.mch.weixin.qq.com.example.com:443',
    'weixin.qq.com:443',
    'api.mch.weixin.qq.com:22',
    'api.mch.weixin.qq.com',
    '127.0.0.1:22',
    '169.254.169.254:80',
  ])('refuses %s and says why', async (target) => {
    const { status, text } = await tunnel(target);
    expect(status).toBe(403);
    expect(text).toContain(`"${target}" is not one of them: api.mch.weixin.qq.com, `);
  });

  test('forwards nothing without TLS', async () => {
    const outgoing = request({ port: port(), path: 'http://example.com/', agent: false });
    const status = new Promise((resolve, reject) => {
      outgoing.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject);
    });
    outgoing.end();
    expect(await status).toBe(400);
    expect(sandbox.requests).toEqual([]);
  });

  test('does not show the control API by the name of WeChat Pay', async () => {
    const { statusCode, body } = await get('https://api.mch.weixin.qq.com/sandbox/config', { dispatcher: proxied() });
    await body.dump();
    expect(statusCode).toBe(403);
    const own = await get(`${sandbox.url}sandbox/health`, { dispatcher: direct() });
    expect(await own.body.json()).toEqual({ status: 'UP' });
  });

  test('bears connections that break off', async () => {
    for (const bytes of ['', 'x', Buffer.of(0x16, 3, 1), 'CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\n\r\n']) {
      const socket = connectTcp(port(), '127.0.0.1');
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      if (bytes.length > 0) await new Promise<unknown>((resolve) => socket.write(bytes, resolve));
      socket.resetAndDestroy();
    }
    expect((await tunnel('api.mch.weixin.qq.com:443')).status).toBe(200);
  });

  test('ends with the sandbox, tunnels included', async () => {
    const other = await Sandbox.start({ tls: true });
    const socket = connectTcp(Number(new URL(other.url).port), '127.0.0.1');
    socket.write('CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: api.mch.weixin.qq.com:443\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const ended = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    await other.close();
    await ended;
  });
});

describe('the merchant certificate', () => {
  const refund = {
    ...{ appid: 'wx8888888888888888', mch_id: '1900000109', transaction_id: '4200000000000000000000000001' },
    ...{ out_trade_no: 'NONE', out_refund_no: 'R1', total_fee: 1, refund_fee: 1 },
  };
  const send = (merchant: { cert: string; key: string }, dispatcher: Dispatcher = direct()) => {
    const instance = Builder.factory({ ...sandbox.config, dispatcher, merchant: { ...merchant, ca } });
    return instance.v2.secapi.pay.refund.post({ xml: refund });
  };
  const checks = () => sandbox.requests[0]?.checks.filter(({ check }) => check === 'certificate');

  test('is accepted where it is that of who signs', async () => {
    // The operation is carried out: there is no such order.
    await expect(send({ cert: sandbox.certificate, key: key() })).rejects.toMatchObject({ code: 'ORDERNOTEXIST' });
    expect(checks()).toEqual([{ check: 'certificate', ok: true }]);
  });

  test('is seen through the proxy, too', async () => {
    const { baseUrl, ...unmodified } = sandbox.config;
    const dispatcher = proxied({ requestTls: { ca, cert: sandbox.certificate, key: key() } });
    const instance = Builder.factory({ ...unmodified, merchant: { dispatcher } });
    const sent = instance.v2.secapi.pay.refund.post({ xml: refund });
    await expect(sent).rejects.toMatchObject({ code: 'ORDERNOTEXIST' });
  });

  test('is refused where it is another', async () => {
    const pair = rsaKeyPair();
    const cert = selfSigned({ subject: sandbox.config.mchid });
    const theirs = { cert, key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    await expect(send(theirs)).rejects.toThrow(/证书验证失败: the client presented another certificate/);
    expect(checks()).toEqual([{ check: 'certificate', ok: false }]);
  });

  test('is refused where it is that of another merchant', async () => {
    const other = await sandbox.addMerchant();
    const shown = await get(`${sandbox.url}sandbox/config?mchid=${other.mchid}`, { dispatcher: direct() });
    const { certificate, privateKey } = Object(await shown.body.json());
    await expect(send({ cert: certificate, key: privateKey })).rejects.toThrow('证书验证失败');
  });

  test.each(['by what the sandbox does', 'by a handler'])('is demanded of an operation processed %s', async (by) => {
    if (by === 'by a handler') sandbox.on('post', 'v2/secapi/pay/refund', () => ({ refund_id: '1' }));
    const without = direct();
    const instance = Builder.factory({ ...sandbox.config, merchant: { dispatcher: without } });
    const sent = instance.v2.secapi.pay.refund.post({ xml: refund });
    await expect(sent).rejects.toThrow(/证书验证失败: the client presented no certificate.*1900000109/);
    expect(checks()).toEqual([{ check: 'certificate', ok: false }]);
  });

  test('is not asked for by other operations, nor without TLS', async () => {
    const { appid, mch_id, transaction_id, out_trade_no } = refund;
    const query = { xml: { appid, mch_id, transaction_id, out_trade_no } };
    const instance = Builder.factory({ ...sandbox.config, dispatcher: direct() });
    await expect(instance.v2.pay.orderquery.post(query)).rejects.toMatchObject({ code: 'ORDERNOTEXIST' });
    expect(checks()).toEqual([]);
    await using plain = await Sandbox.start();
    const merchant = { dispatcher: closing(new Agent()) };
    const sent = Builder.factory({ ...plain.config, merchant }).v2.secapi.pay.refund.post({ xml: refund });
    await expect(sent).rejects.toMatchObject({ code: 'ORDERNOTEXIST' });
  });
});

test.each([
  ['reset', { reset: true }],
  ['reset in the body', { reset: 'body' }],
  ['close', { close: true }],
  ['truncate', { truncate: true }],
] as const)('what goes wrong on purpose goes wrong with TLS: %s', async (_, how) => {
  const code = async (dispatcher: Dispatcher, url: string) => {
    sandbox.misbehave(how);
    return get(url, { dispatcher })
      .then(({ body }) => body.text())
      .catch((error) => error.code);
  };
  const expected = /^(?:ECONNRESET|UND_ERR_SOCKET)$/;
  expect(await code(direct(), `${sandbox.url}v3/ping`)).toMatch(expected);
  expect(await code(proxied(), 'https://api.mch.weixin.qq.com/v3/ping')).toMatch(expected);
});
