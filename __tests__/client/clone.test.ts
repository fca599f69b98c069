import { publicEncrypt } from 'node:crypto';
import { MCHID, merchant, responding, seal, sealed, wechatPay } from '../support/wechatpay';

const { build, running } = wechatPay();
const path: string = 'v3/echo';
const BODY = '{"a":"中"}';

beforeEach(() => {
  running.respond = responding(200, BODY);
});

test('a clone is what it is a clone of', async () => {
  const response = await build().chain(path).get();
  response.headers.set('x-mine', '1');
  const clone = response.clone();
  expect(clone.constructor).toBe(response.constructor);
  expect(clone.headers.get('x-mine')).toBe('1');
  expect(await clone.json()).toEqual(JSON.parse(BODY));
  expect(response.bodyUsed).toBe(false);
  expect(await response.clone().clone().text()).toBe(BODY);
  expect(await response.json()).toEqual(JSON.parse(BODY));
  expect(() => response.clone()).toThrow(TypeError);
});

test('the methods of Response itself give the body, once', async () => {
  const response = await build().chain(path).get();
  expect(await Response.prototype.text.call(response)).toBe(BODY);
  expect(response.bodyUsed).toBe(true);
  await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
  const other = await build().chain(path).get();
  expect(await other.text()).toBe(BODY);
  await expect(Response.prototype.text.call(other)).rejects.toMatchObject({ name: 'TypeError' });
});

test('a response whose stream is being read has no clone', async () => {
  const response = await build().chain(path).get();
  response.body?.getReader();
  expect(() => response.clone()).toThrow(TypeError);
});

test("a clone's JSON is decrypted, and a clone of that too; each has the request id", async () => {
  const name = publicEncrypt({ key: merchant.publicKey, oaepHash: 'sha1' }, Buffer.from('张三')).toString('base64');
  const body = JSON.stringify({ name });
  running.respond = responding(200, body, { ...seal(body), 'request-id': 'R-1' });
  const response = await build()
    .chain('v3/profitsharing/receivers/add' as string)
    .post({ json: {} });
  const clone = response.clone();
  const second = clone.clone();
  expect([response, clone, second].map(({ requestId }) => requestId)).toEqual(['R-1', 'R-1', 'R-1']);
  expect(await clone.json()).toEqual({ name: '张三' });
  expect(await second.json()).toEqual({ name: '张三' });
  expect(await response.json()).toEqual({ name: '张三' });
});

test.each<[string, string, Record<string, unknown>]>([
  ['v2', 'v2/x', { xml: { mch_id: MCHID } }],
  ['APIv3', 'v3/x', { json: {} }],
])("a clone's XML is the fields, with the request id: %s", async (_protocol, path, options) => {
  const fields = { return_code: 'SUCCESS', result_code: 'SUCCESS', a: '中' };
  const body = sealed(fields);
  running.respond = responding(200, body, { ...seal(body), 'request-id': 'R-2' });
  const response = await build().chain(path).post(options);
  const clone = response.clone();
  expect(clone.requestId).toBe('R-2');
  expect(await clone.xml()).toMatchObject(fields);
  expect(await response.xml()).toMatchObject(fields);
});
