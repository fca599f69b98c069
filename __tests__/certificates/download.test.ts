import { X509Certificate } from 'node:crypto';
import { Agent } from 'undici';
import { Builder, Certificates, Sensitive } from 'wechatpay-undici';
import { Simulator } from 'wechatpay-undici/simulator';
import { certificatesPath } from '../../lib/certificates/path';
import { selfSigned } from '../support/keys';
import {
  advance,
  announced,
  downloads,
  failureOf,
  HOUR,
  isDownload,
  MINUTE,
  payer,
  startWithCertificate,
  until,
  useMovingClock,
  withoutKeys,
} from './support';

useMovingClock();

describe('a client without a key of the platform', () => {
  test('downloads the certificate before its first request, announces it, and asks no more', async () => {
    await using simulator = await startWithCertificate();
    const serial = await simulator.rotate();
    const { pay } = payer(withoutKeys(simulator));
    for (let i = 0; i < 3; i++) expect(await pay()).toEqual({ code_url: 'weixin://' });
    expect(simulator.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /v3/certificates',
      ...Array<string>(3).fill('POST /v3/pay/transactions/native'),
    ]);
    expect(simulator.requests[0]?.headers).not.toHaveProperty('wechatpay-serial');
    expect(announced(simulator)).toEqual([serial, serial, serial]);
  });

  test('downloads once for 100 first requests at a time', async () => {
    await using simulator = await startWithCertificate();
    const { pay } = payer(withoutKeys(simulator));
    const answers = await Promise.all(Array.from({ length: 100 }, pay));
    expect(answers).toHaveLength(100);
    expect(downloads(simulator)).toBe(1);
  });

  test('encrypts by a downloaded certificate, and announces that very one', async () => {
    await using simulator = await startWithCertificate();
    simulator.on('post', 'v3/profitsharing/receivers/add', async ({ json }) => ({
      name: await simulator.encrypt(await simulator.decrypt((json as { name: string }).name)),
    }));
    const serial = await simulator.rotate();
    const instance = Builder.factory(withoutKeys(simulator));
    const json = { appid: 'wx1', type: 'MERCHANT_ID', account: '1', name: '张三', relation_type: 'STORE' } as const;
    const answer = await instance.v3.profitsharing.receivers.add.post({ json }).json();
    expect(answer).toMatchObject({ name: '张三' });
    expect(announced(simulator)).toEqual([serial]);
    expect(downloads(simulator)).toBe(1);
  });

  test('tells what to do where sensitive fields are encrypted by hand before anything was downloaded', async () => {
    await using simulator = await startWithCertificate();
    const instance = Builder.factory(withoutKeys(simulator));
    expect(() => Sensitive.of(instance)).toThrow(/await Certificates\.of\(instance\)\.refresh\(\)/);
    const [certificate] = await Certificates.of(instance).refresh();
    const sensitive = Sensitive.of(instance);
    expect(sensitive.serial).toBe(certificate?.serialNumber);
    expect(await simulator.decrypt(await sensitive.encrypt('张三'))).toBe('张三');
  });

  test('fails, without sending, where the download fails; and tries again with the next request', async () => {
    await using simulator = await startWithCertificate();
    const { pay } = payer(withoutKeys(simulator));
    simulator.misbehave({ status: 500 });
    expect(await failureOf(pay())).toMatchObject({ name: 'ApiError', status: 500, request: 'GET /v3/certificates' });
    expect(announced(simulator)).toEqual([]);
    expect(await pay()).toEqual({ code_url: 'weixin://' });
  });

  test('is told by its own timeout where the download takes too long', async () => {
    await using simulator = await startWithCertificate();
    simulator.misbehave({ delay: 2000 });
    const { pay } = payer({ ...withoutKeys(simulator), timeout: 200 });
    expect(await failureOf(pay())).toMatchObject({ name: 'TimeoutError' });
    expect(announced(simulator)).toEqual([]);
  });
});

describe('refresh()', () => {
  test('downloads now, and gives the valid certificates, that with the longest validity first', async () => {
    await using simulator = await startWithCertificate();
    const newest = await simulator.rotate('certificate', { validFor: 9 * 365 * 24 * HOUR });
    const shortest = await simulator.rotate('certificate', { validFor: HOUR });
    const certificates = Certificates.of(Builder.factory(withoutKeys(simulator)));
    const found = await certificates.refresh();
    const serials = found.map(({ serialNumber }) => serialNumber);
    expect(serials).toHaveLength(3);
    expect([serials[0], serials[2]]).toEqual([newest, shortest]);
    expect(found.every((one) => one instanceof X509Certificate)).toBe(true);
    await Promise.all([certificates.refresh(), certificates.refresh()]);
    expect(downloads(simulator)).toBe(2);
  });

  test('is not there for an instance without "apiv3Key", nor for one of v2', async () => {
    await using simulator = await startWithCertificate();
    const { apiv3Key, ...config } = simulator.config;
    const { mchid, secret } = config;
    for (const instance of [Builder.factory(config), Builder.factory({ mchid, secret, apiv3Key })]) {
      expect(() => Certificates.of(instance)).toThrow(/needs "serial", "privateKey" and "apiv3Key"/);
    }
    expect(() => Certificates.of({})).toThrow(/not built by Builder\.factory/);
  });

  test('tells merchants that have a public key alone what to do', async () => {
    await using simulator = await Simulator.start();
    const { instance, pay } = payer(withoutKeys(simulator));
    for (const failed of [await failureOf(Certificates.of(instance).refresh()), await failureOf(pay())]) {
      expect(failed.name).toBe('ConfigurationError');
      expect(failed.message).toContain("certs: { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }");
      expect(failed.message).toContain('账户中心 → API安全');
      expect(failed.cause).toMatchObject({ name: 'ApiError', status: 404, code: 'RESOURCE_NOT_EXISTS' });
    }
  });
});

describe('nothing is downloaded', () => {
  test.each([
    ['by a client with certs alone', ({ apiv3Key: _, ...config }: Simulator['config']) => config],
    ['by a client with certs and apiv3Key', (config: Simulator['config']) => config],
  ])('%s', async (_, pick) => {
    await using simulator = await Simulator.start();
    simulator.on('post', 'v3/pay/transactions/native', () => ({}));
    const { pay } = payer(pick(simulator.config));
    await Promise.all([pay(), pay()]);
    expect(announced(simulator)).toEqual(Array(2).fill(Object.keys(simulator.config.certs)[0]));
    expect(downloads(simulator)).toBe(0);
  });

  test('by a client for v2 alone', async () => {
    await using simulator = await startWithCertificate();
    simulator.on('post', 'v2/pay/orderquery', () => ({ trade_state: 'SUCCESS' }));
    const { mchid, secret, apiv3Key, baseUrl } = simulator.config;
    const instance = Builder.factory({ mchid, secret, apiv3Key, baseUrl });
    const xml = { appid: 'wx1', mch_id: mchid, transaction_id: '1', out_trade_no: '1' };
    expect(await instance.v2.pay.orderquery.post({ xml }).xml()).toMatchObject({ trade_state: 'SUCCESS' });
    expect(downloads(simulator)).toBe(0);
  });
});

describe('before the newest certificate expires', () => {
  test('the next one is asked for from 12 hours before, beside the requests', async () => {
    await using simulator = await startWithCertificate(20 * HOUR);
    const { pay } = payer(withoutKeys(simulator));
    await pay();
    advance(8 * HOUR - MINUTE);
    await pay();
    expect(downloads(simulator)).toBe(1);
    advance(2 * MINUTE);
    await Promise.all(Array.from({ length: 20 }, pay));
    await until(() => downloads(simulator) === 2);
    // There is no newer one yet: it is not asked for with each request.
    await Promise.all(Array.from({ length: 20 }, pay));
    advance(59 * MINUTE);
    await pay();
    expect(downloads(simulator)).toBe(2);
    advance(2 * MINUTE);
    await pay();
    await until(() => downloads(simulator) === 3);
  });

  test('requests go on with the old one where that fails, which is tried again a minute later', async () => {
    await using simulator = await startWithCertificate(20 * HOUR);
    const { pay } = payer(withoutKeys(simulator));
    await pay();
    const [serial] = announced(simulator);
    simulator.misbehave((request) => (isDownload(request) ? { status: 500 } : undefined), Number.POSITIVE_INFINITY);
    advance(9 * HOUR);
    for (const tries of [2, 3, 4]) {
      await Promise.all(Array.from({ length: 5 }, pay));
      await until(() => downloads(simulator) === tries);
      await pay();
      advance(MINUTE + 1000);
    }
    expect(downloads(simulator)).toBe(4);
    expect(new Set(announced(simulator))).toEqual(new Set([serial]));
  });

  test('an idle process that comes back after it has expired downloads first', async () => {
    await using simulator = await startWithCertificate(20 * HOUR);
    const { pay } = payer(withoutKeys(simulator));
    await pay();
    advance(30 * HOUR);
    const next = await simulator.rotate();
    await Promise.all([pay(), pay()]);
    expect(announced(simulator).slice(1)).toEqual([next, next]);
    expect(downloads(simulator)).toBe(2);
  });

  test('an expired certificate verifies nothing any more', async () => {
    await using simulator = await startWithCertificate(20 * HOUR);
    const { pay } = payer({ ...simulator.config });
    await pay();
    expect(downloads(simulator)).toBe(1);
    advance(21 * HOUR);
    const failed = await failureOf(pay());
    expect(failed).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_SERIAL' });
    expect(failed.cause).toMatchObject({ name: 'ConfigurationError' });
  });
});

test('of configured certificates only those that are valid are announced', async () => {
  await using simulator = await startWithCertificate();
  const serial = '5ABC';
  const expired = selfSigned({ serial, notBefore: new Date(0), notAfter: new Date(Date.now() - HOUR) });
  const { pay } = payer({ ...withoutKeys(simulator), certs: { [serial]: expired } });
  await pay();
  const [{ serialNumber } = { serialNumber: '' }] = await Certificates.of(
    Builder.factory(withoutKeys(simulator)),
  ).refresh();
  expect(announced(simulator)).toEqual([serialNumber]);
});

test('a configured certificate is used until a newer one turns up', async () => {
  await using simulator = await startWithCertificate();
  const [certificate] = await Certificates.of(Builder.factory(withoutKeys(simulator))).refresh();
  const first = String(certificate?.serialNumber);
  const { pay } = payer({ ...withoutKeys(simulator), certs: { [first]: String(certificate) } });
  await pay();
  expect(downloads(simulator)).toBe(1);
  const second = await simulator.rotate('certificate', { validFor: 9 * 365 * 24 * HOUR });
  await pay();
  await pay();
  expect(announced(simulator)).toEqual([first, first, second]);
  expect(downloads(simulator)).toBe(2);
});

describe('overseas', () => {
  test.each([
    [undefined, 'v3/certificates'],
    ['https://api.mch.weixin.qq.com/', 'v3/certificates'],
    ['https://api.mch.weixin.qq.com/hk/', 'v3/certificates'],
    ['https://proxy.example/apihk.mch.weixin.qq.com/', 'v3/certificates'],
    ['https://apihk.mch.weixin.qq.com/', 'v3/global/certificates'],
    ['https://apius.mch.weixin.qq.com/', 'v3/global/certificates'],
    ['https://apieu.mch.weixin.qq.com/', 'v3/global/certificates'],
  ])('%s: %s', (baseUrl, path) => {
    expect(certificatesPath(baseUrl === undefined ? undefined : new URL(baseUrl))).toBe(path);
  });

  test('they are downloaded from there', async () => {
    await using simulator = await startWithCertificate();
    const toSimulator = new Agent().compose(
      (dispatch) => (options, handler) => dispatch({ ...options, origin: simulator.url }, handler),
    );
    const baseUrl = 'https://apihk.mch.weixin.qq.com/';
    const { pay } = payer({ ...withoutKeys(simulator), baseUrl, dispatcher: toSimulator });
    await pay();
    expect(simulator.requests.map(({ target }) => target)).toEqual([
      '/v3/global/certificates',
      '/v3/pay/transactions/native',
    ]);
  });
});
