import { Builder, Notifications } from 'wechatpay-undici';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { rejection } from '../support/rejection';
import {
  advance,
  announced,
  downloads,
  isDownload,
  MINUTE,
  payer,
  startWithCertificate,
  useMovingClock,
  withoutKeys,
} from './support';

useMovingClock();

/** Pays over and over, several at a time, until it is told to stop; gives how many were paid. */
function underLoad(pay: () => Promise<unknown>, parallel = 8) {
  let goes = true;
  const worker = async () => {
    let count = 0;
    for (; goes; count++) await pay();
    return count;
  };
  const workers = Promise.all(Array.from({ length: parallel }, worker));
  // Looked at in the end; until then it must not end the process.
  workers.catch(() => {});
  return async () => {
    goes = false;
    return (await workers).reduce((sum, count) => sum + count, 0);
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

test('certificates that change under load lose no request, and are downloaded once each', async () => {
  await using sandbox = await startWithCertificate();
  // The sandbox keeps the last 1,000 requests, and there are more.
  let count = 0;
  sandbox.misbehave((one) => {
    if (isDownload(one)) count++;
    return undefined;
  }, Number.POSITIVE_INFINITY);
  const { pay } = payer(withoutKeys(sandbox));
  const stop = underLoad(pay);
  for (let i = 0; i < 4; i++) {
    while (count <= i) await pause();
    await sandbox.rotate();
  }
  while (count < 5) await pause();
  expect(await stop()).toBeGreaterThan(100);
  expect(count).toBe(5);
});

test('sensitive fields are encrypted by a key that is announced with them, while certificates change', async () => {
  await using sandbox = await startWithCertificate();
  const keys = new Map<unknown, number>();
  sandbox.on('post', 'v3/profitsharing/receivers/add', async ({ json, headers }) => {
    const serial = headers['wechatpay-serial'];
    keys.set(serial, (keys.get(serial) ?? 0) + 1);
    return { name: await sandbox.encrypt(await sandbox.decrypt((json as { name: string }).name)) };
  });
  const instance = Builder.factory(withoutKeys(sandbox));
  const json = { appid: 'wx1', type: 'MERCHANT_ID', account: '1', name: '张三', relation_type: 'STORE' } as const;
  const stop = underLoad(async () => {
    const { name } = await instance.v3.profitsharing.receivers.add.post({ json }).json();
    if (name !== '张三') throw new Error('another key');
  });
  for (let i = 0; i < 2; i++) {
    while (keys.size <= i) await pause();
    await sandbox.rotate('certificate', { validFor: (10 + i) * 365 * 86_400_000 });
  }
  while (keys.size < 3) await pause();
  await stop();
  expect(keys.size).toBe(3);
});

describe('the grey switch', () => {
  test.each([
    ['from certificates to the public key', true],
    ['from the public key to certificates', false],
  ])('%s, under load: with both kinds side by side no request is lost', async (_, fromCertificates) => {
    await using sandbox = await startWithCertificate();
    if (!fromCertificates) await sandbox.rotate('public-key');
    const { pay } = payer(sandbox.config);
    const stop = underLoad(pay);
    for (let i = 0; i < 6; i++) {
      await pause();
      await sandbox.rotate((i % 2 === 0) === fromCertificates ? 'public-key' : 'certificate');
    }
    await pause();
    expect(await stop()).toBeGreaterThan(50);
    expect(new Set(announced(sandbox))).toEqual(new Set(Object.keys(sandbox.config.certs)));
  });

  test('an instance that downloads, without the public key, says which id is missing', async () => {
    await using sandbox = await startWithCertificate();
    const { pay } = payer(withoutKeys(sandbox));
    await pay();
    const id = await sandbox.rotate('public-key');
    const failed = await rejection(pay());
    expect(failed).toMatchObject({ code: 'ERR_SIGNATURE_SERIAL', serial: id });
    expect(failed.message).toContain(`Add that key to "certs"`);
  });
});

describe('serial numbers that nobody knows', () => {
  const UNKNOWN = '5000000000000000000000000000000000000000';

  test('in responses are looked for at most once a minute', async () => {
    await using sandbox = await startWithCertificate();
    const { pay } = payer(withoutKeys(sandbox));
    await pay();
    sandbox.misbehave((one) => (isDownload(one) ? undefined : { serial: UNKNOWN }), Number.POSITIVE_INFINITY);
    for (const expected of [2, 3]) {
      const failures = await Promise.all(Array.from({ length: 5 }, () => rejection(pay())));
      for (const { code } of [...failures, await rejection(pay())]) expect(code).toBe('ERR_SIGNATURE_SERIAL');
      expect(downloads(sandbox)).toBe(expected);
      advance(MINUTE - 1000);
      expect((await rejection(pay())).code).toBe('ERR_SIGNATURE_SERIAL');
      expect(downloads(sandbox)).toBe(expected);
      advance(2000);
    }
  });

  test('the error names the serial number and those at hand, and has the failure of the download as its cause', async () => {
    await using sandbox = await startWithCertificate();
    const { pay } = payer(withoutKeys(sandbox));
    await pay();
    sandbox.misbehave((one) => (isDownload(one) ? { status: 500 } : { serial: UNKNOWN }), 2);
    const failed = await rejection(pay());
    expect(failed).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_SERIAL', serial: UNKNOWN });
    expect(failed.message).toContain(String(announced(sandbox)[0]));
    expect(failed.cause).toMatchObject({ name: 'ApiError', status: 500 });
  });
});

/** A notification as the platform signs it: answers and notifications are signed alike. */
async function signedBy(sandbox: Sandbox, headers: Record<string, string> = {}) {
  sandbox.on('get', 'v3/anything', () => ({ id: 'EV-1', event_type: 'TEST', resource: { a: 1 } }));
  const response = await Builder.factory(sandbox.config).chain('v3/anything').get();
  return { headers: { ...Object.fromEntries(response.headers), ...headers }, body: await response.text() };
}

describe('notifications', () => {
  test('signed by a certificate that is not held have it downloaded', async () => {
    await using sandbox = await startWithCertificate();
    const instance = Builder.factory(withoutKeys(sandbox));
    const notifications = Notifications.of(instance);
    for (let i = 0; i < 2; i++) {
      const sent = await signedBy(sandbox);
      const before = downloads(sandbox);
      const parsed = await Promise.all(Array.from({ length: 10 }, () => notifications.parse(sent)));
      expect(parsed[0]).toMatchObject({ event_type: 'TEST', resource: { a: 1 } });
      expect(downloads(sandbox) - before).toBe(1);
      await sandbox.rotate();
    }
  });

  test('that are forged cause one download a minute at most', async () => {
    await using sandbox = await startWithCertificate();
    const instance = Builder.factory(withoutKeys(sandbox));
    const notifications = Notifications.of(instance);
    const sent = await signedBy(sandbox);
    await notifications.parse(sent);
    const before = downloads(sandbox);
    for (let i = 0; i < 20; i++) {
      const forged = { ...sent, headers: { ...sent.headers, 'wechatpay-serial': `5${i}`.padEnd(40, '0') } };
      expect((await rejection(notifications.parse(forged))).code).toBe('ERR_SIGNATURE_SERIAL');
    }
    expect(downloads(sandbox) - before).toBe(1);
    expect(await notifications.parse(sent)).toMatchObject({ event_type: 'TEST' });
  });

  test.each([
    ['of another time', { 'wechatpay-timestamp': '1500000000' }, 'ERR_SIGNATURE_CLOCK'],
    ['without a signature', { 'wechatpay-signature': '' }, 'ERR_SIGNATURE_MISSING'],
    ['without a nonce', { 'wechatpay-nonce': '' }, 'ERR_SIGNATURE_MISSING'],
  ])('%s cause none', async (_, headers, code) => {
    await using sandbox = await startWithCertificate();
    const notifications = Notifications.of(Builder.factory(withoutKeys(sandbox)));
    const sent = await signedBy(sandbox, { 'wechatpay-serial': '5000', ...headers });
    const before = downloads(sandbox);
    expect((await rejection(notifications.parse(sent))).code).toBe(code);
    expect(downloads(sandbox)).toBe(before);
  });
});
