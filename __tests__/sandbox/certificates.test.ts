import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { AesGcm, Rsa } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { isSigned, SEND, send } from './support';

const NOW = Date.parse('2026-11-22T12:00:00.500Z');
const DAY = 86_400_000;

let now = NOW;
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  now = NOW;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  sandbox.reset();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => sandbox.close());

interface List {
  data: {
    serial_no: string;
    effective_time: string;
    expire_time: string;
    encrypt_certificate: { algorithm: string; nonce: string; associated_data: string; ciphertext: string };
  }[];
}

/** The list, as a merchant reads it. */
async function list(path = '/v3/certificates', headers = {}) {
  const answer = await send(sandbox, path, { method: 'GET', timestamp: Math.floor(now / 1000), headers });
  const { data = [] } = answer.json as Partial<List>;
  const { apiv3Key } = sandbox.config;
  const certificates = data.map(async ({ encrypt_certificate: { ciphertext, nonce, associated_data } }) => {
    return new X509Certificate(await AesGcm.decrypt(ciphertext, apiv3Key, nonce, associated_data));
  });
  return { answer, data, certificates: await Promise.all(certificates) };
}

/** An operation that takes a sensitive field. */
const SENSITIVE = '/v3/gov/subsidy/zhejiang/qualifications/query';

const publicKeyId = () => Object.keys(sandbox.config.certs)[0];

test('a platform that has none responds as WeChat Pay does', async () => {
  const { answer } = await list();
  expect(answer).toMatchObject({ status: 404, json: { code: 'RESOURCE_NOT_EXISTS' } });
  expect(isSigned(sandbox, answer)).toBe(true);
});

test.each(['/v3/certificates', '/v3/global/certificates'])('%s lists those that are valid', async (path) => {
  const first = await sandbox.rotate('certificate', { validFor: DAY });
  const second = await sandbox.rotate();
  const { data, certificates, answer } = await list(path);
  expect(data).toMatchObject([
    { serial_no: second, effective_time: '2026-11-22T20:00:00+08:00', expire_time: '2031-11-21T20:00:00+08:00' },
    { serial_no: first, expire_time: '2026-11-23T20:00:00+08:00' },
  ]);
  expect(data[0]?.encrypt_certificate).toMatchObject({
    algorithm: 'AEAD_AES_256_GCM',
    associated_data: 'certificate',
  });
  expect(certificates.map(({ serialNumber }) => serialNumber)).toEqual([second, first]);
  expect(Date.parse(String(certificates[1]?.validTo))).toBe(Date.parse('2026-11-23T12:00:00Z'));
  for (const one of certificates) expect(one.verify(one.publicKey)).toBe(true);
  expect(answer.headers['wechatpay-serial']).toBe(second);
  now += DAY;
  expect((await list(path)).data.map(({ serial_no }) => serial_no)).toEqual([second]);
});

test('responses are signed by the key that was rotated to, at once', async () => {
  const serialOf = async () => (await send(sandbox, SEND, { timestamp: Math.floor(NOW / 1000), json: {} })).headers;
  const seen: unknown[] = [];
  const expected: unknown[] = [publicKeyId()];
  seen.push((await serialOf())['wechatpay-serial']);
  for (const to of ['certificate', 'certificate', 'public-key', 'certificate'] as const) {
    expected.push(await sandbox.rotate(to));
    seen.push((await serialOf())['wechatpay-serial']);
  }
  expect(seen).toEqual(expected);
  expect(new Set(seen).size).toBe(4);
});

test('who has no other key gets the list signed by a certificate; who announces the public key, by that', async () => {
  const serial = await sandbox.rotate();
  const id = await sandbox.rotate('public-key');
  const signerOf = async (announced: string | undefined) => {
    const { answer } = await list('/v3/certificates', { 'wechatpay-serial': announced });
    return answer.headers['wechatpay-serial'];
  };
  expect(await signerOf(undefined)).toBe(serial);
  expect(await signerOf(serial)).toBe(serial);
  expect(await signerOf(id)).toBe(id);
});

test('each valid key may be announced, and encrypt; no other may', async () => {
  const serial = await sandbox.rotate('certificate', { validFor: DAY });
  const { certificates } = await list();
  await sandbox.rotate();
  /** Code of the response to a request with a sensitive field, encrypted by a key, that announces one. */
  const announce = async (id: string | undefined, key: KeyObject | undefined) => {
    const cert_no = key && (await Rsa.encrypt('X1', key));
    const headers = { 'wechatpay-serial': id };
    const json = { cert_no, req_ssn: '1' };
    return (await send(sandbox, SENSITIVE, { timestamp: Math.floor(now / 1000), headers, json })).json.code;
  };
  const [own] = Object.values(sandbox.config.certs);
  const [first] = certificates.map(({ publicKey }) => publicKey);
  expect(await announce(serial, first)).toBeUndefined();
  expect(await announce(serial.toLowerCase(), first)).toBeUndefined();
  expect(await announce(publicKeyId(), own)).toBeUndefined();
  expect(await announce(publicKeyId(), first)).toBe('PARAM_ERROR');
  expect(await announce('5000', own)).toBe('PARAM_ERROR');
  const keys = [...certificates.map(({ publicKey }) => publicKey), ...Object.values(sandbox.config.certs)];
  for (const key of keys) expect(await sandbox.decrypt(await Rsa.encrypt('张三', key))).toBe('张三');
  await expect(
    sandbox.decrypt(await Rsa.encrypt('张三', createPublicKey(sandbox.config.privateKey))),
  ).rejects.toThrow();
  now += 2 * DAY;
  expect(await announce(serial, first)).toBe('PARAM_ERROR');
});

test('reset() forgets the certificates', async () => {
  await sandbox.rotate();
  sandbox.reset();
  expect((await list()).answer).toMatchObject({ status: 404, headers: { 'wechatpay-serial': publicKeyId() } });
});

test.each([0, -1, Number.NaN, 999])('a certificate is not valid for %d ms', async (validFor) => {
  await expect(sandbox.rotate('certificate', { validFor })).rejects.toThrow(/"validFor"/);
});
