import { Sandbox } from 'wechatpay-undici/sandbox';
import { isSigned, SEND, send, USE, used } from './support';

const NOON = Date.parse('2026-01-02T20:04:05.678Z');
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  jest.spyOn(Date, 'now').mockReturnValue(NOON);
  sandbox.reset();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => sandbox.close());

const timestamp = Math.floor(NOON / 1000);
const use = (json: unknown) => send(sandbox, USE, { json, timestamp });
const give = (json: unknown) => send(sandbox, SEND, { json, timestamp });
const given = { openid: 'o1', appid: 'wx1', stock_id: '7', out_request_no: 'r1' };

test('the coupon of the README is there to be used, time and again by the same request number', async () => {
  const responses = [await use(used), await use(used), ...(await Promise.all([use(used), use(used)]))];
  for (const response of responses) {
    expect(response).toMatchObject({
      status: 200,
      json: { stock_id: '100088', openid: 'xsd3434454567676', wechatpay_use_time: '2026-01-03T04:04:05+08:00' },
    });
    expect(isSigned(sandbox, response)).toBe(true);
  }
  expect(sandbox.coupons.get('sxxe34343434')).toMatchObject({
    coupon_state: 'USED',
    use_request_no: used.use_request_no,
    wechatpay_use_time: '2026-01-03T04:04:05+08:00',
  });
});

test('a used coupon cannot be used by another request number', async () => {
  await use(used);
  const response = await use({ ...used, use_request_no: 'other' });
  expect(response).toMatchObject({
    status: 400,
    json: { code: 'INVALID_REQUEST', message: expect.stringContaining('used already') },
  });
  expect(isSigned(sandbox, response)).toBe(true);
  expect(sandbox.coupons.get('sxxe34343434')?.use_request_no).toBe(used.use_request_no);
});

test('of many requests at the same time one uses the coupon', async () => {
  const responses = await Promise.all(Array.from({ length: 20 }, (_, i) => use({ ...used, use_request_no: `n${i}` })));
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(responses.filter(({ status }) => status === 400)).toHaveLength(19);
});

test('a coupon is sent, then used', async () => {
  const { status, json } = await give(given);
  expect(status).toBe(200);
  expect(json).toEqual({ stock_id: '7', coupon_code: expect.stringMatching(/^\w{16}$/), out_request_no: 'r1' });
  expect(sandbox.coupons.get(json.coupon_code)).toEqual({
    mchid: sandbox.config.mchid,
    coupon_code: json.coupon_code,
    stock_id: '7',
    openid: 'o1',
    appid: 'wx1',
    coupon_state: 'SENDED',
    send_request_no: 'r1',
  });
  const { coupon_code } = json;
  const response = await use({ coupon_code, appid: 'wx1', use_time: '2015-05-20T05:29:35.123Z', use_request_no: 'u1' });
  expect(response).toMatchObject({ status: 200, json: { stock_id: '7', openid: 'o1' } });
  expect(sandbox.coupons.size).toBe(2);
});

test('the same out_request_no gets the same response, and sends nothing', async () => {
  const first = await give({ ...given, coupon_code: 'mine' });
  expect(first.json).toEqual({ stock_id: '7', coupon_code: 'mine', out_request_no: 'r1' });
  await use({ ...used, coupon_code: 'mine', stock_id: '7', openid: 'o1' });
  expect((await give({ ...given, coupon_code: 'mine' })).json).toEqual(first.json);
  expect((await give(given)).json).toEqual(first.json);
  expect(sandbox.coupons.size).toBe(2);
  expect(sandbox.coupons.get('mine')?.coupon_state).toBe('USED');
});

test.each<[string, object, RegExp]>([
  ['out_request_no of another coupon', { ...given, openid: 'o2' }, /r1 has sent another coupon/],
  ['coupon_code that has been sent', { ...given, out_request_no: 'r2', coupon_code: 'mine' }, /mine has been sent/],
])('the %s is refused by 400 INVALID_REQUEST', async (_, json, message) => {
  await give({ ...given, coupon_code: 'mine' });
  expect(await give(json)).toMatchObject({
    status: 400,
    json: { code: 'INVALID_REQUEST', message: expect.stringMatching(message) },
  });
});

test('the use_request_no of another coupon is refused by 400 INVALID_REQUEST', async () => {
  await give({ ...given, coupon_code: 'mine' });
  await use(used);
  const response = await use({ ...used, coupon_code: 'mine', stock_id: '7', openid: 'o1' });
  expect(response).toMatchObject({ status: 400, json: { code: 'INVALID_REQUEST' } });
  expect(sandbox.coupons.get('mine')?.coupon_state).toBe('SENDED');
});

test('an unknown coupon gets 404 RESOURCE_NOT_EXISTS', async () => {
  expect(await use({ ...used, coupon_code: 'none' })).toMatchObject({
    status: 404,
    json: { code: 'RESOURCE_NOT_EXISTS' },
  });
});

test.each<[string, string, object, string, unknown]>([
  ...['openid', 'appid', 'stock_id', 'out_request_no'].map(
    (field) =>
      [`${field} missing`, SEND, { ...given, [field]: undefined }, field, undefined] as [
        string,
        string,
        object,
        string,
        unknown,
      ],
  ),
  ...['coupon_code', 'appid', 'use_time', 'use_request_no'].map(
    (field) =>
      [`${field} missing`, USE, { ...used, [field]: undefined }, field, undefined] as [
        string,
        string,
        object,
        string,
        unknown,
      ],
  ),
  ['a member that is null', USE, { ...used, appid: null }, 'appid', undefined],
  ['a member that is empty', USE, { ...used, appid: '' }, 'appid', ''],
  ['a member that is a number', USE, { ...used, use_request_no: 1 }, 'use_request_no', 1],
  ['an optional member that is a number', SEND, { ...given, coupon_code: 1 }, 'coupon_code', 1],
  ['another stock_id', USE, { ...used, stock_id: '1' }, 'stock_id', '1'],
  ['another openid', USE, { ...used, openid: 'o' }, 'openid', 'o'],
  ['a use_time without a zone', USE, { ...used, use_time: '2015-05-20T13:29:35' }, 'use_time', '2015-05-20T13:29:35'],
  ['a use_time that is none', USE, { ...used, use_time: '2015-13-20T13:29:35Z' }, 'use_time', '2015-13-20T13:29:35Z'],
  ['a list', USE, [], '', undefined],
])('%s is refused by 400 PARAM_ERROR', async (_, target, json, field, value) => {
  const response = await send(sandbox, target, { json, timestamp });
  expect(response).toMatchObject({ status: 400, json: { code: 'PARAM_ERROR' } });
  expect(response.json.detail).toEqual({
    field: expect.stringMatching(new RegExp(`^/?${field}$`)),
    issue: expect.any(String),
    location: 'body',
    ...(value !== undefined && { value }),
  });
  expect(isSigned(sandbox, response)).toBe(true);
  expect([...sandbox.coupons.values()].filter(({ coupon_state }) => coupon_state === 'USED')).toEqual([]);
});

test('no body at all is refused as well', async () => {
  expect(await send(sandbox, USE, { method: 'POST', timestamp })).toMatchObject({
    status: 400,
    json: { code: 'PARAM_ERROR' },
  });
});
