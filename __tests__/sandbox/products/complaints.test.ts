import { constants, privateDecrypt } from 'node:crypto';
import { Builder } from 'wechatpay-undici';
import { refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});

const ROOT = 'v3/merchant-service/complaints-v2';
const CALLBACK = 'v3/merchant-service/complaint-notifications';
const today = (days = 0) =>
  new Date(shop.sandbox.clock.now() + 8 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);
const list = (query: object = {}) => shop.get(ROOT, { begin_date: today(), end_date: today(), ...query });
const one = (id: string) => shop.get(`${ROOT}/${id}`);
const history = (id: string, query: Record<string, string> = {}) =>
  shop.get(`${ROOT}/${id}/negotiation-historys`, query);
const call = (id: string, name: string, json: object = {}) =>
  shop.post(`${ROOT}/${id}/${name}`, { complainted_mchid: shop.mchid, ...json });
const respond = (id: string, more: object = {}) => call(id, 'response', { response_content: '已退款', ...more });
const refund = (id: string, json: object) => shop.post(`${ROOT}/${id}/update-refund-progress`, json);
const listen = () => shop.post(CALLBACK, { url: shop.notify_url });
const DONE = { status: 204 };

test('a complaint about an order is made, responded to and completed, and the callback is told of each', async () => {
  await listen();
  await shop.post('v3/pay/transactions/native', {
    ...{ appid: 'wx8888888888888888', mchid: shop.mchid, description: '茶', out_trade_no: 'ORDER-1' },
    ...{ notify_url: shop.notify_url, amount: { total: 100 } },
  });
  await shop.sandbox.pay('ORDER-1', { openid: 'o1' });
  shop.notified.length = 0;
  const { complaint_id, notification } = await shop.sandbox.complain({
    ...{ out_trade_no: 'ORDER-1', payer_phone: '13900139000', complaint_detail: '没有收到' },
  });
  expect(notification).toMatchObject({ name: 'COMPLAINT.CREATE', delivered: true });
  const complaint = await one(complaint_id);
  expect(complaint).toMatchObject({
    ...{ complaint_id, complaint_detail: '没有收到', complaint_state: 'PENDING', payer_openid: 'o1' },
    complaint_order_info: [{ out_trade_no: 'ORDER-1', amount: 100 }],
  });
  const key = { key: shop.sandbox.config.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING };
  expect(privateDecrypt(key, Buffer.from(String(complaint.payer_phone), 'base64')).toString()).toBe('13900139000');

  expect(await respond(complaint_id, { response_images: ['M1'] })).toEqual(DONE);
  expect(await one(complaint_id)).toMatchObject({ complaint_state: 'PROCESSING' });
  expect([await call(complaint_id, 'complete'), await call(complaint_id, 'complete')]).toEqual([DONE, DONE]);
  expect(await one(complaint_id)).toMatchObject({ complaint_state: 'PROCESSED' });
  expect(await history(complaint_id)).toMatchObject({
    ...{ total_count: 3, offset: 0, limit: 100 },
    data: [
      { operate_type: 'USER_CREATE_COMPLAINT', operate_details: '没有收到' },
      { operate_type: 'MERCHANT_RESPONSE', operate_details: '已退款', image_list: ['M1'] },
      { operate_type: 'MERCHANT_CONFIRM_COMPLETE' },
    ],
  });
  expect(await history(complaint_id, { offset: '2', limit: '5' })).toMatchObject({
    data: [{ operate_type: 'MERCHANT_CONFIRM_COMPLETE' }],
  });
  await shop.sandbox.clock.advance({ seconds: 1 });
  const told = (type: string, action_type: string) => [type, { complaint_id, action_type }];
  expect(shop.notified).toHaveLength(3);
  expect(shop.notified).toEqual(
    expect.arrayContaining([
      told('COMPLAINT.CREATE', 'CREATE_COMPLAINT'),
      told('COMPLAINT.STATE_CHANGE', 'MERCHANT_RESPONSE'),
      told('COMPLAINT.STATE_CHANGE', 'MERCHANT_CONFIRM_COMPLETE'),
    ]),
  );
});

test.each([
  ['APPROVE', { launch_refund_day: 3 }, 'MERCHANT_APPROVE_REFUND'],
  ['REJECT', { reject_reason: '已发货' }, 'MERCHANT_REFUSE_RERUND'],
])('a refund is decided on by %s', async (action, more, operate_type) => {
  const { complaint_id } = await shop.sandbox.complain({ problem_type: 'REFUND', apply_refund_amount: 10 });
  expect(await refund(complaint_id, { action, ...more })).toEqual(DONE);
  expect(await one(complaint_id)).toMatchObject({ complaint_state: 'PROCESSING', apply_refund_amount: 10 });
  expect(await history(complaint_id)).toMatchObject({ data: [{}, { operate_type }] });
});

test('complaints are listed by day, in pages, to their own merchant only', async () => {
  const first = await shop.sandbox.complain();
  const second = await shop.sandbox.complain();
  expect(await list()).toMatchObject({ total_count: 2, offset: 0, limit: 10, data: [first, second] });
  expect(await list({ offset: '1', limit: '1' })).toMatchObject({ total_count: 2, data: [second] });
  expect(await list({ begin_date: today(-3), end_date: today(-1) })).toMatchObject({ total_count: 0, data: [] });
  expect(await list({ complainted_mchid: '1' })).toMatchObject({ total_count: 0 });
  const other = Builder.factory(await shop.sandbox.addMerchant());
  expect(await refusal(other.chain(`${ROOT}/${first.complaint_id}`).get().json())).toMatch(/^404 RESOURCE_NOT_EXISTS/);
});

test('the callback is set, changed and deleted', async () => {
  const { mchid, notify_url: url } = shop;
  const callback = Builder.factory(shop.sandbox.config).chain(CALLBACK);
  const put = () => callback.put({ json: { url: `${url}/2` } }).json();
  const remove = async () => ({ status: (await callback.delete()).status });
  for (const attempt of [() => shop.get(CALLBACK), put, remove]) {
    expect(await refusal(attempt())).toMatch(/^400 RESOURCE_NOT_EXISTS/);
  }
  expect(await listen()).toEqual({ mchid, url });
  expect(await refusal(listen())).toMatch(/^400 RESOURCE_ALREADY_EXISTS/);
  expect(await put()).toEqual({ mchid, url: `${url}/2` });
  expect(await shop.get(CALLBACK)).toEqual({ mchid, url: `${url}/2` });
  expect(await remove()).toEqual(DONE);
  expect(await refusal(shop.post(CALLBACK, { url: 'no address' }))).toMatch(/^400 PARAM_ERROR/);
});

test.each<[string, (id: string) => Promise<unknown>, RegExp]>([
  ['an unknown complaint', () => one('1'), /^404 RESOURCE_NOT_EXISTS/],
  ['a response of another merchant', (id) => respond(id, { complainted_mchid: '1900000999' }), /^403 NO_AUTH/],
  ['a refund that nobody asks for', (id) => refund(id, { action: 'APPROVE' }), /^400 INVALID_REQUEST/],
  ['a page that is too large', () => list({ limit: '51' }), /^400 PARAM_ERROR/],
  ['a day that is none', () => list({ begin_date: '2019-13-01' }), /^400 PARAM_ERROR/],
  ['days the wrong way round', () => list({ begin_date: today(1) }), /^400 PARAM_ERROR/],
])('%s is refused', async (_, attempt, expected) => {
  const { complaint_id } = await shop.sandbox.complain();
  expect(await refusal(attempt(complaint_id))).toMatch(expected);
});

test('a complaint about an order that has not been paid cannot be made', async () => {
  await expect(shop.sandbox.complain({ out_trade_no: 'ORDER-1' })).rejects.toThrow('no paid order ORDER-1');
  await expect(shop.sandbox.complain(JSON.parse('{"detail":"x"}'))).rejects.toThrow('Unknown option "detail"');
});
