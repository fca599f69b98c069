import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { ApiError, Builder, type Chain, TransportError } from 'wechatpay-undici';
import { type Misbehaviour, Sandbox } from 'wechatpay-undici/sandbox';
import { rejection } from '../support/rejection';

const BILL = '交易时间,商户订单号\r\n`2026-11-23,`A1\r\n'.repeat(1000);
const digest = { hash_type: 'SHA1', hash_value: createHash('sha1').update(BILL).digest('hex') };
const path = 'v3/billdownload/file';

let sandbox: Sandbox;
let agent: Agent;
let instance: Chain;

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('get', path, () => new Response(BILL, { headers: { 'content-type': 'text/plain' } }));
  agent = new Agent();
  instance = Builder.factory({ ...sandbox.config, dispatcher: agent });
});
afterEach(() => agent.destroy());
afterAll(() => sandbox.close());

const download = (options: object = {}, how: Misbehaviour = { signature: 'none' }) => {
  sandbox.misbehave(how);
  return instance.chain(path).get({ download: true, query: { token: 'AbC+/=' }, ...options });
};

test('a file comes unsigned, and streams', async () => {
  const response = await download();
  expect(response.body).toBeInstanceOf(ReadableStream);
  expect(await response.text()).toBe(BILL);
  expect(sandbox.requests[0]?.target).toBe('/v3/billdownload/file?token=AbC%2B%2F%3D');
});

test('the download_url of a response, as it is', async () => {
  sandbox.misbehave({ signature: 'none' });
  const url = `${sandbox.url}v3/billdownload/file?token=AbC%2B%2F%3D&tartype=gzip`;
  expect(await instance.chain(url).get({ download: true }).text()).toBe(BILL);
  expect(sandbox.requests[0]?.target).toBe('/v3/billdownload/file?token=AbC%2B%2F%3D&tartype=gzip');
});

test('the hash that WeChat Pay gave is checked on the way', async () => {
  expect(await download({ digest }).text()).toBe(BILL);
  const response = await download({ digest }, { signature: 'none', tamper: true });
  expect(response.status).toBe(200);
  expect(await rejection(response.text())).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_DIGEST' });
});

test('a zipped bill is unzipped, its hash that of the plain text', async () => {
  sandbox.on('get', path, () => new Response(gzipSync(BILL)));
  expect(await download({ digest: { ...digest, tar_type: 'GZIP' } }).text()).toBe(BILL);
  expect(await rejection(download({ digest }).text())).toMatchObject({ code: 'ERR_BODY_DIGEST' });
});

test('a hash that is none is refused', async () => {
  const error = await rejection(download({ digest: { hash_type: 'CRC', hash_value: 'x' } }));
  expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining('"hash_type"') });
});

test('a refusal is an error, not a file', async () => {
  const error = await rejection(download({}, { status: 400 }));
  expect(error).toBeInstanceOf(ApiError);
});

test('a file that is cut off fails the stream, with an error of ours', async () => {
  const response = await download({}, { truncate: true });
  expect(await rejection(response.text())).toBeInstanceOf(TransportError);
});

test("the time is that of the response's head; the caller's signal counts to the end", async () => {
  const large = 'x'.repeat(8 * 1024 * 1024);
  sandbox.on('get', path, () => new Response(large));
  const controller = new AbortController();
  const response = await download({ timeout: 2000, signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  expect((await reader.read()).done).toBe(false);
  const reason = new Error('enough');
  controller.abort(reason);
  const rest = async () => {
    for (;;) if ((await reader.read()).done) return;
  };
  expect(await rejection(rest())).toBe(reason);
});

describe('overseas statements', () => {
  const statement = 'v3/global/statements';
  const sha1 = createHash('sha1').update(BILL).digest('hex');
  const headers = { 'Wechatpay-Statement-Sha1': sha1 };

  test('are verified by the signature over their hash, and by their hash', async () => {
    // The signature is over the JSON; the body is put in its place afterwards.
    const how = { body: `{"sha1":"${sha1}"}`, tamper: BILL, headers };
    sandbox.on('get', statement, () => ({}));
    const get = (more: Misbehaviour) => {
      sandbox.misbehave({ ...how, ...more });
      return instance.chain(`${statement}?date=2026-11-22`).get();
    };
    expect(await get({}).text()).toBe(BILL);
    expect(await rejection(get({ tamper: `${BILL} ` }).text())).toMatchObject({ code: 'ERR_BODY_DIGEST' });
    expect(await rejection(get({ body: '{}' }))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
    expect(await rejection(get({ signature: 'none' }))).toMatchObject({ code: 'ERR_SIGNATURE_MISSING' });
  });
});
