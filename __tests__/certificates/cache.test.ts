import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder, type CertificateCache } from 'wechatpay-undici';
import {
  advance,
  announced,
  downloads,
  HOUR,
  payer,
  startWithCertificate,
  until,
  useMovingClock,
  withoutKeys,
} from './support';

useMovingClock();

let warnings: { message: unknown; code?: string }[];
beforeEach(() => {
  warnings = [];
  jest.spyOn(process, 'emitWarning').mockImplementation((message: unknown, options: unknown) => {
    warnings.push({ message, ...Object(options) });
  });
});

/** A cache in a fresh file. */
async function fileCache() {
  const path = join(await mkdtemp(join(tmpdir(), 'wechatpay-')), 'certificates.json');
  const cache: CertificateCache = {
    read: () => readFile(path, 'utf8').catch(() => undefined),
    write: (text) => writeFile(path, text),
  };
  return { path, cache };
}

test('one download serves all instances that share a cache, one after the other', async () => {
  await using sandbox = await startWithCertificate();
  const { cache } = await fileCache();
  for (let i = 0; i < 3; i++) await payer({ ...withoutKeys(sandbox), certificateCache: cache }).pay();
  expect(downloads(sandbox)).toBe(1);
  expect(new Set(announced(sandbox)).size).toBe(1);
  expect(warnings).toEqual([]);
});

test('what another process has downloaded of a new certificate is found there', async () => {
  await using sandbox = await startWithCertificate();
  const { cache } = await fileCache();
  const [one, other] = [0, 1].map(() => payer({ ...withoutKeys(sandbox), certificateCache: cache }));
  await one?.pay();
  await other?.pay();
  await sandbox.rotate();
  await one?.pay();
  await other?.pay();
  expect(downloads(sandbox)).toBe(2);
});

test('certificates that are about to expire, or have, are downloaded anew', async () => {
  await using sandbox = await startWithCertificate(20 * HOUR);
  const { cache } = await fileCache();
  const config = { ...withoutKeys(sandbox), certificateCache: cache };
  await payer(config).pay();
  advance(9 * HOUR);
  await payer(config).pay();
  await until(() => downloads(sandbox) === 2);
  advance(12 * HOUR);
  const serial = await sandbox.rotate();
  await payer(config).pay();
  expect(downloads(sandbox)).toBe(3);
  expect(warnings).toEqual([]);
  expect(announced(sandbox).at(-1)).toBe(serial);
});

test('what is kept holds no key in plain text', async () => {
  await using sandbox = await startWithCertificate();
  const { path, cache } = await fileCache();
  await payer({ ...withoutKeys(sandbox), certificateCache: cache }).pay();
  const text = await readFile(path, 'utf8');
  expect(JSON.parse(text).data).toHaveLength(1);
  expect(text).not.toContain('BEGIN');
  expect(text).not.toContain(sandbox.config.apiv3Key);
});

describe('a cache that is of no use', () => {
  test.each([
    ['garbage', () => 'garbage', 'ERR_BODY_NOT_JSON'],
    ['no list', () => '{}', 'ERR_BODY_NOT_JSON'],
    ['the list of another merchant', (theirs: string) => theirs, 'ERR_CONFIGURATION'],
    ['a list cut short', (theirs: string) => theirs.slice(0, -9), 'ERR_BODY_NOT_JSON'],
  ])('since it holds %s, is told of, and overwritten', async (_, spoil, code) => {
    await using sandbox = await startWithCertificate();
    await using other = await startWithCertificate();
    const { path, cache } = await fileCache();
    await payer({ ...withoutKeys(other), certificateCache: cache }).pay();
    await writeFile(path, spoil(await readFile(path, 'utf8')));
    const config = { ...withoutKeys(sandbox), certificateCache: cache };
    await payer(config).pay();
    expect(warnings).toMatchObject([
      { code: 'WECHATPAY_CERTIFICATE_CACHE', message: expect.stringContaining(`unusable data (${code})`) },
    ]);
    await payer(config).pay();
    expect(downloads(sandbox)).toBe(1);
  });

  test("since a bit of it has been flipped, puts no key in the place of the platform's", async () => {
    await using sandbox = await startWithCertificate();
    const { path, cache } = await fileCache();
    const config = { ...withoutKeys(sandbox), certificateCache: cache };
    await payer(config).pay();
    const list = JSON.parse(await readFile(path, 'utf8'));
    const { encrypt_certificate } = list.data[0];
    const bytes = Buffer.from(encrypt_certificate.ciphertext, 'base64');
    bytes[900] = (bytes[900] ?? 0) ^ 1;
    encrypt_certificate.ciphertext = bytes.toString('base64');
    await writeFile(path, JSON.stringify(list));
    await payer(config).pay();
    expect(downloads(sandbox)).toBe(2);
  });

  test.each([
    ['fails', () => Promise.reject(Object.assign(new Error('redis://user:password@host'), { code: 'ECONNREFUSED' }))],
    [
      'throws',
      () => {
        throw Object.assign(new Error('redis://user:password@host'), { code: 'ECONNREFUSED' });
      },
    ],
  ])('since it %s, is told of without its words, and done without', async (_, method) => {
    await using sandbox = await startWithCertificate();
    const certificateCache = { read: method, write: method };
    const { pay } = payer({ ...withoutKeys(sandbox), certificateCache });
    await pay();
    expect(warnings.map(({ message }) => String(message).replace(/;.*/, ''))).toEqual([
      '"certificateCache": read() failed (ECONNREFUSED)',
      '"certificateCache": write() failed (ECONNREFUSED)',
    ]);
  });

  test('since it never answers, is waited for a while only', async () => {
    await using sandbox = await startWithCertificate();
    const never = () => new Promise<never>(() => {});
    const { pay } = payer({ ...withoutKeys(sandbox), certificateCache: { read: never, write: () => undefined } });
    await pay();
    expect(warnings).toMatchObject([{ message: expect.stringContaining('read() failed (ERR_TIMEOUT)') }]);
  });

  test('since it has no such methods, is refused at once', () => {
    const config = { mchid: '1', secret: 'x'.repeat(32), certificateCache: { read: () => undefined } };
    expect(() => Builder.factory(config as never)).toThrow(
      /"certificateCache" must have the methods "read" and "write"/,
    );
  });
});
