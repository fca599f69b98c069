import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from 'undici';
import { Builder, type Chain } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { rejection } from '../support/rejection';
import { type TlsFront, tlsFront } from '../support/tls-front';

const USER = 'user:p@ss word';
const CREDENTIALS = `Basic ${Buffer.from(USER).toString('base64')}`;
const mch_id = '1900000109';

let sandbox: Sandbox;
let front: TlsFront;
let proxy: Proxy;
const made: Dispatcher[] = [];

beforeAll(async () => {
  sandbox = await Sandbox.start();
  front = await tlsFront(sandbox);
  proxy = await startProxy();
});
beforeEach(() => {
  sandbox.reset();
  proxy.seen.length = 0;
  proxy.authorization = undefined;
  sandbox.on('post', 'v3/echo', ({ json }) => json);
  sandbox.on('post', 'v2/pay/echo', ({ xml }) => ({ echo: xml.a }));
});
afterEach(() => Promise.all(made.splice(0).map((dispatcher) => dispatcher.destroy())));
afterAll(async () => {
  await proxy.close();
  await front[Symbol.asyncDispose]();
  await sandbox.close();
});

/** A proxy that knows CONNECT, and writes down all that it sees in the clear. */
interface Proxy {
  readonly uri: string;
  /** Method, target and `Proxy-Authorization` of each request. */
  readonly seen: (string | undefined)[][];
  /** What it asks for; `undefined` for nothing. */
  authorization: string | undefined;
  close(): Promise<unknown>;
}

async function startProxy(): Promise<Proxy> {
  const tunnels = new Set<Duplex>();
  const server: Server = createServer((request, response) => {
    proxy.seen.push([request.method, request.url]);
    response.writeHead(405).end();
  });
  server.on('connect', ({ method, url = '', headers }, client: Duplex) => {
    proxy.seen.push([method, url, headers['proxy-authorization']]);
    if (proxy.authorization !== undefined && headers['proxy-authorization'] !== proxy.authorization) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${url}`);
    const target = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      tunnels.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => tunnels.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    seen: [],
    authorization: undefined,
    close() {
      for (const socket of tunnels) socket.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function kept<One extends Dispatcher>(dispatcher: One): One {
  made.push(dispatcher);
  return dispatcher;
}

const through = (dispatcher: Dispatcher, baseUrl = front.url, ...baseUrls: string[]): Chain =>
  Builder.factory({ ...sandbox.config, baseUrl, baseUrls, dispatcher: kept(dispatcher) });
const requestTls = () => ({ ca: front.ca });
const json = { name: '商品', id: '1' };
const echo = (instance: Chain, options: object = {}) => instance.chain('v3/echo').post({ json, ...options });
const host = (url: string) => new URL(url).host;

describe('through a proxy', () => {
  test.each<[string, () => Dispatcher]>([
    ['ProxyAgent', () => new ProxyAgent({ uri: proxy.uri, requestTls: requestTls() })],
    ['EnvHttpProxyAgent', () => new EnvHttpProxyAgent({ httpsProxy: proxy.uri, requestTls: requestTls() })],
    [
      'EnvHttpProxyAgent by the environment',
      () => {
        const before = { ...process.env };
        Object.assign(process.env, { https_proxy: proxy.uri, no_proxy: '' });
        try {
          return new EnvHttpProxyAgent({ requestTls: requestTls() });
        } finally {
          process.env = before;
        }
      },
    ],
  ])('%s: signed and verified end to end, the proxy sees only CONNECT', async (_, dispatcher) => {
    const instance = through(dispatcher());
    expect(await echo(instance).json()).toEqual(json);
    expect(
      await instance
        .chain('v2/pay/echo')
        .post({ xml: { mch_id, a: '<中>' } })
        .xml(),
    ).toMatchObject({ echo: '<中>' });
    sandbox.misbehave({ signature: 'wrong' });
    expect(await rejection(echo(instance))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
    expect(sandbox.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(proxy.seen.map((request) => request.join(' ').trim()))).toEqual(
      new Set([`CONNECT ${host(front.url)}`]),
    );
  });

  test('a host in no_proxy is reached without it', async () => {
    const options = { httpsProxy: proxy.uri, noProxy: '127.0.0.1', connect: { ca: front.ca } };
    expect(await echo(through(new EnvHttpProxyAgent(options))).json()).toEqual(json);
    expect(proxy.seen).toEqual([]);
  });

  test.each<[string, () => ProxyAgent.Options]>([
    ['in its URI', () => ({ uri: proxy.uri.replace('//', `//${USER.split(':').map(encodeURIComponent).join(':')}@`) })],
    ['as a token', () => ({ uri: proxy.uri, token: CREDENTIALS })],
  ])('that asks for a password, given %s', async (_, options) => {
    proxy.authorization = CREDENTIALS;
    const instance = through(new ProxyAgent({ ...options(), requestTls: requestTls() }));
    expect(await echo(instance).json()).toEqual(json);
    expect(proxy.seen).toEqual([['CONNECT', host(front.url), CREDENTIALS]]);
    expect(JSON.stringify(sandbox.requests)).not.toContain(CREDENTIALS);
    expect(sandbox.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('that refuses the password: a TransportError, nothing sent', async () => {
    proxy.authorization = CREDENTIALS;
    const instance = through(new ProxyAgent({ uri: proxy.uri, requestTls: requestTls() }));
    const error = await rejection(echo(instance));
    expect(error).toMatchObject({ name: 'TransportError', message: expect.stringContaining('407') });
    expect(sandbox.requests).toEqual([]);
  });

  test('that is not there: a TransportError', async () => {
    const instance = through(new ProxyAgent({ uri: 'http://127.0.0.1:1/', requestTls: requestTls() }));
    expect(await rejection(echo(instance))).toMatchObject({ name: 'TransportError' });
  });

  test("the platform's own certificate is still checked", async () => {
    const instance = through(new ProxyAgent({ uri: proxy.uri }));
    expect(await rejection(echo(instance))).toMatchObject({ name: 'TransportError' });
    expect(sandbox.requests).toEqual([]);
  });
});

describe('base URL', () => {
  const plain = (...baseUrls: [string, ...string[]]): Chain => through(new Agent(), ...baseUrls);

  test.each<[string, string, string]>([
    ['', 'v3/echo', '/v3/echo'],
    ['hk/', 'hk/v3/echo', '/hk/v3/echo'],
    ['global/v3/../', 'global/v3/echo', '/global/v3/echo'],
  ])('%p of an instance and of a call', async (path, handler, target) => {
    sandbox.on('post', handler, ({ json }) => json);
    await echo(plain(sandbox.url + path));
    await echo(plain(sandbox.url), { baseUrl: sandbox.url + path });
    await echo(plain(sandbox.url), { baseUrl: new URL(path, sandbox.url) });
    expect(sandbox.requests).toMatchObject(Array(3).fill({ target, status: 200 }));
  });

  test('of a call goes before that of the instance, with v2 as well', async () => {
    await using other = await Sandbox.start();
    const instance = plain(sandbox.url, other.url);
    sandbox.on('post', 'v2/hk/pay/echo', () => ({ at: 'hk' }));
    const xml = { mch_id };
    const answer = await instance
      .chain('v2/pay/echo')
      .post({ xml, baseUrl: `${sandbox.url}hk/` })
      .xml();
    expect(answer).toMatchObject({ at: 'hk' });
    expect(sandbox.requests[0]?.target).toBe('/hk/pay/echo');
    // The other platform knows another merchant: what matters is that it was asked, with a signature.
    expect(await rejection(echo(instance, { baseUrl: other.url }))).toMatchObject({ status: 401 });
    expect(other.requests).toMatchObject([{ target: '/v3/echo', headers: { authorization: expect.any(String) } }]);
    expect(sandbox.requests).toHaveLength(1);
  });

  test('another host than these gets nothing', async () => {
    await using other = await Sandbox.start();
    const instance = plain(sandbox.url);
    const error = await rejection(instance.chain(`${other.url}v3/echo`).post({ json }));
    expect(error).toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('neither signed nor sent'),
    });
    expect(other.requests).toEqual([]);
    expect(await instance.chain(`${sandbox.url}v3/echo`).post({ json }).json()).toEqual(json);
  });
});
