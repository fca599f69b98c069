import { responding, wechatPay } from '../support/wechatpay';

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
