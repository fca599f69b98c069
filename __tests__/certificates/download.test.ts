import { X509Certificate } from 'node:crypto';
import { Agent } from 'undici';
import { Builder, Certificates, Sensitive } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { certificatesPath } from '../../lib/certificates/response';
import { selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';
import {
  advance,
  announced,
  downloads,
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
    await using sandbox = await startWithCertificate();
    const serial = await sandbox.rotate();
    const { pay } = payer(withoutKeys(sandbox));
    for (let i = 0; i < 3; i++) expect(await pay()).toEqual({ code_url: 'weixin://' });
    expect(sandbox.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /v3/certificates',
      ...Array<string>(3).fill('POST /v3/pay/transactions/native'),
    ]);
    expect(sandbox.requests[0]?.headers).not.toHaveProperty('wechatpay-serial');
    expect(announced(sandbox)).toEqual([serial, serial, serial]);
  });

  test('downloads once for 100 first requests at a time', async () => {
    await using sandbox = await startWithCertificate();
    const { pay } = payer(withoutKeys(sandbox));
    const answers = await Promise.all(Array.from({ length: 100 }, pay));
    expect(answers).toHaveLength(100);
    expect(downloads(sandbox)).toBe(1);
  });

  test('encrypts by a downloaded certificate, and announces that very one', async () => {
    await using sandbox = await startWithCertificate();
    sandbox.on('post', 'v3/profitsharing/receivers/add', async ({ json }) => ({
      name: await sandbox.encrypt(await sandbox.decrypt((json as { name: string }).name)),
    }));
    const serial = await sandbox.rotate();
    const instance = Builder.factory(withoutKeys(sandbox));
    const json = { appid: 'wx1', type: 'MERCHANT_ID', account: '1', name: '张三', relation_type: 'STORE' } as const;
    const response = await instance.v3.profitsharing.receivers.add.post({ json }).json();
    expect(response).toMatchObject({ name: '张三' });
    expect(announced(sandbox)).toEqual([serial]);
    expect(downloads(sandbox)).toBe(1);
  });

  test('tells what to do where sensitive fields are encrypted by hand before anything was downloaded', async () => {
    await using sandbox = await startWithCertificate();
    const instance = Builder.factory(withoutKeys(sandbox));
    expect(() => Sensitive.of(instance)).toThrow(/await Certificates\.of\(instance\)\.refresh\(\)/);
    const [certificate] = await Certificates.of(instance).refresh();
    const sensitive = Sensitive.of(instance);
    expect(sensitive.serial).toBe(certificate?.serialNumber);
    expect(await sandbox.decrypt(await sensitive.encrypt('张三'))).toBe('张三');
  });

  test('fails, without sending, where the download fails; and tries again with the next request', async () => {
    await using sandbox = await startWithCertificate();
    const { pay } = payer(withoutKeys(sandbox));
    sandbox.misbehave({ status: 500 });
    expect(await rejection(pay())).toMatchObject({ name: 'ApiError', status: 500, request: 'GET /v3/certificates' });
    expect(announced(sandbox)).toEqual([]);
    expect(await pay()).toEqual({ code_url: 'weixin://' });
  });

  test('is told by its own timeout where the download takes too long', async () => {
    await using sandbox = await startWithCertificate();
    sandbox.misbehave({ delay: 2000 });
    const { pay } = payer({ ...withoutKeys(sandbox), timeout: 200 });
    expect(await rejection(pay())).toMatchObject({ name: 'TimeoutError' });
    expect(announced(sandbox)).toEqual([]);
  });
});

describe('refresh()', () => {
  test('downloads now, and gives the valid certificates, that with the longest validity first', async () => {
    await using sandbox = await startWithCertificate();
    const newest = await sandbox.rotate('certificate', { validFor: 9 * 365 * 24 * HOUR });
    const shortest = await sandbox.rotate('certificate', { validFor: HOUR });
    const certificates = Certificates.of(Builder.factory(withoutKeys(sandbox)));
    const found = await certificates.refresh();
    const serials = found.map(({ serialNumber }) => serialNumber);
    expect(serials).toHaveLength(3);
    expect([serials[0], serials[2]]).toEqual([newest, shortest]);
    expect(found.every((one) => one instanceof X509Certificate)).toBe(true);
    await Promise.all([certificates.refresh(), certificates.refresh()]);
    expect(downloads(sandbox)).toBe(2);
  });

  test('is not there for an instance without "apiv3Key", nor for one of v2', async () => {
    await using sandbox = await startWithCertificate();
    const { apiv3Key, ...config } = sandbox.config;
    const { mchid, secret } = config;
    for (const instance of [Builder.factory(config), Builder.factory({ mchid, secret, apiv3Key })]) {
      expect(() => Certificates.of(instance)).toThrow(/configure "serial", "privateKey" and "apiv3Key"/);
    }
    expect(() => Certificates.of({})).toThrow(/not created by Builder\.factory/);
  });

  test('tells merchants that have a public key alone what to do', async () => {
    await using sandbox = await Sandbox.start();
    const { instance, pay } = payer(withoutKeys(sandbox));
    for (const failed of [await rejection(Certificates.of(instance).refresh()), await rejection(pay())]) {
      expect(failed.name).toBe('ConfigurationError');
      expect(failed.message).toContain("certs: { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }");
      expect(failed.message).toContain('账户中心 → API安全');
      expect(failed.cause).toMatchObject({ name: 'ApiError', status: 404, code: 'RESOURCE_NOT_EXISTS' });
    }
  });
});

describe('nothing is downloaded', () => {
  test.each([
    ['by a client with certs alone', ({ apiv3Key: _, ...config }: Sandbox['config']) => config],
    ['by a client with certs and apiv3Key', (config: Sandbox['config']) => config],
  ])('%s', async (_, pick) => {
    await using sandbox = await Sandbox.start();
    sandbox.on('post', 'v3/pay/transactions/native', () => ({}));
    const { pay } = payer(pick(sandbox.config));
    await Promise.all([pay(), pay()]);
    expect(announced(sandbox)).toEqual(Array(2).fill(Object.keys(sandbox.config.certs)[0]));
    expect(downloads(sandbox)).toBe(0);
  });

  test('by a client for v2 alone', async () => {
    await using sandbox = await startWithCertificate();
    sandbox.on('post', 'v2/pay/orderquery', () => ({ trade_state: 'SUCCESS' }));
    const { mchid, secret, apiv3Key, baseUrl } = sandbox.config;
    const instance = Builder.factory({ mchid, secret, apiv3Key, baseUrl });
    const xml = { appid: 'wx1', mch_id: mchid, transaction_id: '1', out_trade_no: '1' };
    expect(await instance.v2.pay.orderquery.post({ xml }).xml()).toMatchObject({ trade_state: 'SUCCESS' });
    expect(downloads(sandbox)).toBe(0);
  });
});

describe('before the newest certificate expires', () => {
  test('the next one is asked for from 12 hours before, beside the requests', async () => {
    await using sandbox = await startWithCertificate(20 * HOUR);
    const { pay } = payer(withoutKeys(sandbox));
    await pay();
    advance(8 * HOUR - MINUTE);
    await pay();
    expect(downloads(sandbox)).toBe(1);
    advance(2 * MINUTE);
    await Promise.all(Array.from({ length: 20 }, pay));
    await until(() => downloads(sandbox) === 2);
    // There is no newer one yet: it is not asked for with each request.
    await Promise.all(Array.from({ length: 20 }, pay));
    advance(59 * MINUTE);
    await pay();
    expect(downloads(sandbox)).toBe(2);
    advance(2 * MINUTE);
    await pay();
    await until(() => downloads(sandbox) === 3);
  });

  test('requests go on with the old one where that fails, which is tried again a minute later', async () => {
    await using sandbox = await startWithCertificate(20 * HOUR);
    const { pay } = payer(withoutKeys(sandbox));
    await pay();
    const [serial] = announced(sandbox);
    sandbox.misbehave((request) => (isDownload(request) ? { status: 500 } : undefined), Number.POSITIVE_INFINITY);
    advance(9 * HOUR);
    for (const tries of [2, 3, 4]) {
      await Promise.all(Array.from({ length: 5 }, pay));
      await until(() => downloads(sandbox) === tries);
      await pay();
      advance(MINUTE + 1000);
    }
    expect(downloads(sandbox)).toBe(4);
    expect(new Set(announced(sandbox))).toEqual(new Set([serial]));
  });

  test('an idle process that comes back after it has expired downloads first', async () => {
    await using sandbox = await startWithCertificate(20 * HOUR);
    const { pay } = payer(withoutKeys(sandbox));
    await pay();
    advance(30 * HOUR);
    const next = await sandbox.rotate();
    await Promise.all([pay(), pay()]);
    expect(announced(sandbox).slice(1)).toEqual([next, next]);
    expect(downloads(sandbox)).toBe(2);
  });

  test('an expired certificate verifies nothing any more', async () => {
    await using sandbox = await startWithCertificate(20 * HOUR);
    const { pay } = payer({ ...sandbox.config });
    await pay();
    expect(downloads(sandbox)).toBe(1);
    advance(21 * HOUR);
    const failed = await rejection(pay());
    expect(failed).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_SERIAL' });
    expect(failed.cause).toMatchObject({ name: 'ConfigurationError' });
  });
});

test('of configured certificates only those that are valid are announced', async () => {
  await using sandbox = await startWithCertificate();
  const serial = '5ABC';
  const expired = selfSigned({ serial, notBefore: new Date(0), notAfter: new Date(Date.now() - HOUR) });
  const { pay } = payer({ ...withoutKeys(sandbox), certs: { [serial]: expired } });
  await pay();
  const [{ serialNumber } = { serialNumber: '' }] = await Certificates.of(
    Builder.factory(withoutKeys(sandbox)),
  ).refresh();
  expect(announced(sandbox)).toEqual([serialNumber]);
});

test('a configured certificate is used until a newer one turns up', async () => {
  await using sandbox = await startWithCertificate();
  const [certificate] = await Certificates.of(Builder.factory(withoutKeys(sandbox))).refresh();
  const first = String(certificate?.serialNumber);
  const { pay } = payer({ ...withoutKeys(sandbox), certs: { [first]: String(certificate) } });
  await pay();
  expect(downloads(sandbox)).toBe(1);
  const second = await sandbox.rotate('certificate', { validFor: 9 * 365 * 24 * HOUR });
  await pay();
  await pay();
  expect(announced(sandbox)).toEqual([first, first, second]);
  expect(downloads(sandbox)).toBe(2);
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
    await using sandbox = await startWithCertificate();
    const toSandbox = new Agent().compose(
      (dispatch) => (options, handler) => dispatch({ ...options, origin: sandbox.url }, handler),
    );
    const baseUrl = 'https://apihk.mch.weixin.qq.com/';
    const { pay } = payer({ ...withoutKeys(sandbox), baseUrl, dispatcher: toSandbox });
    await pay();
    expect(sandbox.requests.map(({ target }) => target)).toEqual([
      '/v3/global/certificates',
      '/v3/pay/transactions/native',
    ]);
  });
});
