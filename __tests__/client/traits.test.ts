import { Agent, type Dispatcher } from 'undici';
import { Builder, Hash } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { rsaKeyPair } from '../support/keys';

const { privateKey } = rsaKeyPair();
const { publicKey } = rsaKeyPair(2048, 'other');
const secret = 'x'.repeat(32);
const config = {
  mchid: '1900000109',
  serial: 'ABC',
  privateKey,
  certs: { PUB_KEY_ID_1: publicKey },
  secret,
};

/** Where requests go: nothing is sent. */
function recording(change: object = {}) {
  const sent: string[] = [];
  const agent = new Agent();
  const dispatcher = agent.compose(() => (options, handler) => {
    sent.push(`${options.method} ${String(options.origin)}${options.path}`);
    handler.onResponseError?.({} as Dispatcher.DispatchController, new Error('recorded'));
    return true;
  });
  return { sent, instance: Builder.factory({ ...config, dispatcher, ...change }) };
}

describe('the root of the API', () => {
  test.each<[string, object, object, string]>([
    ['v3/refunds/id/1', {}, {}, 'https://api.mch.weixin.qq.com/hk/v3/refunds/id/1'],
    ['v3/global/refunds/id/1', {}, {}, 'https://apihk.mch.weixin.qq.com/v3/global/refunds/id/1'],
    ['v3/pay/transactions/id/1', {}, {}, 'https://api.mch.weixin.qq.com/v3/pay/transactions/id/1'],
    [
      'v3/refunds/id/1',
      { baseUrl: 'https://apius.mch.weixin.qq.com/' },
      {},
      'https://apius.mch.weixin.qq.com/v3/refunds/id/1',
    ],
    [
      'v3/refunds/id/1',
      {},
      { baseUrl: 'https://api2.mch.weixin.qq.com/hk/' },
      'https://api2.mch.weixin.qq.com/hk/v3/refunds/id/1',
    ],
  ])('%s, configuration %j, options %j', async (path, change, options, expected) => {
    const { sent, instance } = recording(change);
    await expect(instance.chain(path).get({ ...options })).rejects.toThrow('recorded');
    expect(sent).toEqual([`GET ${expected}`]);
  });
});

describe('the certificate of the merchant', () => {
  test('is asked for where the operation needs it; an explicit option wins', async () => {
    const { sent, instance } = recording();
    const refund = instance.chain('v2/secapi/pay/refund' as string);
    const xml = { mch_id: config.mchid };
    await expect(refund.post({ xml })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('"merchant"'),
    });
    await expect(refund.post({ xml, security: false })).rejects.toThrow('recorded');
    expect(sent).toEqual(['POST https://api.mch.weixin.qq.com/secapi/pay/refund']);
  });
});

test('a page for the browser is not called: its signed address is the response', async () => {
  const { sent, instance } = recording();
  const query = { appid: 'wx1', mch_id: config.mchid, return_web: '1', notify_url: 'https://x.example/?a=1' };
  const response = await instance.chain('v2/papay/entrustweb' as string).get({ query });
  const url = new URL(await response.clone().text());
  expect(response.headers.get('location')).toBe(url.href);
  expect(url.origin + url.pathname).toBe('https://api.weixin.qq.com/papay/entrustweb');
  expect(url.hash).toBe('#wechat_redirect');
  const { sign, ...fields } = Object.fromEntries(url.searchParams);
  expect(fields).toMatchObject(query);
  expect(sign).toBe(Hash.sign('MD5', fields, secret));
  expect(sent).toEqual([]);
});

describe('against a platform', () => {
  let sandbox: Sandbox;
  let agent: Agent;
  beforeAll(async () => {
    sandbox = await Sandbox.start();
    agent = new Agent();
  });
  afterAll(async () => {
    await agent.destroy();
    await sandbox.close();
  });

  test('a bill streams unsigned by itself; an explicit option wins', async () => {
    const instance = Builder.factory({ ...sandbox.config, dispatcher: agent });
    sandbox.on('get', 'v3/billdownload/file', () => new Response('a,b', { headers: { 'content-type': 'text/plain' } }));
    sandbox.misbehave({ signature: 'none' }, 3);
    const download = instance.v3.billdownload.file;
    expect(await download.get({ query: { token: 'x' } }).text()).toBe('a,b');
    expect(await instance.chain(`${sandbox.url}v3/billdownload/file?token=x`).get().text()).toBe('a,b');
    await expect(download.get({ query: { token: 'x' }, download: false })).rejects.toMatchObject({
      name: 'SignatureError',
    });
  });
});
