import { Builder } from 'wechatpay-undici';
import { used } from '../support';
import { refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});

const ROOT = 'v3/marketing/busifavor';
const [appid, openid] = ['wx8888888888888888', 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'];
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
const USED_ALREADY = '400 RESOURCE_ALREADY_EXISTS 券已被其他订单核销';
const OTHER_PARAMETERS = '400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致';

let count = 0;
const number = () => `number-${++count}`;
const call = (path: string, json: object) => shop.post(`${ROOT}/coupons/${path}`, json);
const use = (more: object = {}) => call('use', { ...used, ...more });
const give = (more: object = {}) =>
  call('send', { openid, appid, stock_id: '100088', out_request_no: number(), ...more });
const beijing = (time: number) => `${new Date(time + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
const DAY = 86_400_000;
const rule = (more: object = {}) => ({
  ...{ stock_name: '8月1日活动券', belong_merchant: shop.mchid, goods_name: 'xxx商品', stock_type: 'NORMAL' },
  coupon_use_rule: {
    coupon_available_time: {
      available_begin_time: beijing(shop.sandbox.clock.now() - DAY),
      available_end_time: beijing(shop.sandbox.clock.now() + 9 * DAY),
      ...more,
    },
    fixed_normal_coupon: { discount_amount: 5, transaction_minimum: 100 },
    use_method: 'OFF_LINE',
  },
  stock_send_rule: { max_coupons: 3, max_coupons_per_user: 2 },
  ...{ out_request_no: number(), coupon_code_mode: 'WECHATPAY_MODE' },
});
const create = async (more: object = {}, time: object = {}) =>
  String((await shop.post(`${ROOT}/stocks`, { ...rule(time), ...more })).stock_id);
const one = (code: string, user = openid) => shop.get(`${ROOT}/users/${user}/coupons/${code}/appids/${appid}`);
const stateOf = async (code: string) => (await one(code)).coupon_state;

describe('the coupon of the documentation', () => {
  test('is there to be used, time and again by the same request number', async () => {
    const first = await use();
    expect(first).toEqual({ stock_id: '100088', openid: 'xsd3434454567676', wechatpay_use_time: TIME });
    expect(await Promise.all([use(), use({ use_time: '2015-05-20T13:29:36+08:00' })])).toEqual([first, first]);
    expect(shop.sandbox.coupons.get('sxxe34343434')).toMatchObject({
      ...{ coupon_state: 'USED', use_request_no: used.use_request_no },
      wechatpay_use_time: first.wechatpay_use_time,
    });
  });

  test('belongs to whoever uses it, with any appid', async () => {
    expect(await use({ openid, appid })).toMatchObject({ openid });
    expect(await one('sxxe34343434')).toMatchObject({ coupon_state: 'USED', use_time: TIME });
  });

  test('is there for every merchant, and again after a reset', async () => {
    const other = await shop.sandbox.addMerchant();
    const { coupons } = Builder.factory(other).v3.marketing.busifavor;
    expect(await coupons.use.post({ json: used }).json()).toMatchObject({ stock_id: '100088' });
    expect(await use()).toMatchObject({ stock_id: '100088' });
    shop.sandbox.reset();
    expect(await use({ use_request_no: number() })).toMatchObject({ stock_id: '100088' });
  });

  test('is used by one of many requests at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => refusal(use({ use_request_no: number() }))));
    expect(results.sort()).toEqual([...Array(19).fill(USED_ALREADY), 'accepted']);
  });
});

describe('a life of a coupon', () => {
  test('sent, used, returned, used again, each call idempotent by its number', async () => {
    const sending = { out_request_no: number() };
    const sent = await give(sending);
    expect(sent).toEqual({ stock_id: '100088', coupon_code: expect.any(String), ...sending });
    expect(await give(sending)).toEqual(sent);
    const coupon = { coupon_code: String(sent.coupon_code), stock_id: '100088' };
    expect(await stateOf(coupon.coupon_code)).toBe('SENDED');

    const using = { ...coupon, openid, use_request_no: number() };
    await use(using);
    const returning = { ...coupon, return_request_no: number() };
    const returned = await call('return', returning);
    expect(returned).toEqual({ wechatpay_return_time: TIME });
    expect(await call('return', returning)).toEqual(returned);
    expect(await one(coupon.coupon_code)).toMatchObject({ coupon_state: 'SENDED', return_time: TIME });
    // The number has used the coupon, though it has been returned since.
    expect(await use(using)).toMatchObject({ openid });
    expect(await stateOf(coupon.coupon_code)).toBe('SENDED');
    await use({ ...using, use_request_no: number() });
    expect(await stateOf(coupon.coupon_code)).toBe('USED');
  });

  test('deactivated', async () => {
    const { coupon_code } = await give();
    const json = { coupon_code, stock_id: '100088', deactivate_request_no: number(), deactivate_reason: '过期' };
    const deactivated = await call('deactivate', json);
    expect(deactivated).toEqual({ wechatpay_deactivate_time: TIME });
    expect(await call('deactivate', json)).toEqual(deactivated);
    expect(await one(String(coupon_code))).toMatchObject({ coupon_state: 'DEACTIVATED', deactivate_reason: '过期' });
    const using = { coupon_code, openid, use_request_no: number() };
    expect(await refusal(use(using))).toMatch(/^400 INVALID_REQUEST .*deactivated/);
  });

  test('associated with an order, which alone may use it until it is disassociated', async () => {
    const { coupon_code } = await give();
    const json = { coupon_code, stock_id: '100088', out_trade_no: 'ORDER-1' };
    const associate = (more: object = {}) => call('associate', { ...json, out_request_no: number(), ...more });
    const disassociate = (more: object = {}) => call('disassociate', { ...json, out_request_no: number(), ...more });
    expect(await associate()).toEqual({ wechatpay_associate_time: TIME });
    expect(await one(String(coupon_code))).toMatchObject({ associate_out_trade_no: 'ORDER-1' });
    const locked = '400 RESOURCE_ALREADY_EXISTS 券已被其他订单核销锁定';
    const other = { out_trade_no: 'ORDER-2' };
    expect(await refusal(associate(other))).toBe(locked);
    const using = { coupon_code, openid, use_request_no: number() };
    expect(await refusal(use({ ...using, ...other }))).toBe(locked);
    expect(await refusal(disassociate(other))).toMatch(/^400 INVALID_REQUEST/);
    expect(await disassociate()).toEqual({ wechatpay_disassociate_time: TIME });
    expect(await one(String(coupon_code))).not.toHaveProperty('associate_out_trade_no');
    expect(await use({ ...using, ...other })).toMatchObject({ openid });
    expect(await refusal(disassociate())).toMatch(/^400 INVALID_REQUEST/);
    expect(await refusal(associate())).toBe(USED_ALREADY);
  });

  test('expired when its stock is over, also when it is returned afterwards', async () => {
    const stock_id = await create();
    const [unused, used] = [await give({ stock_id }), await give({ stock_id })];
    await use({ ...used, out_request_no: undefined, openid, use_request_no: number() });
    await shop.sandbox.clock.advance({ days: 10 });
    expect(await stateOf(String(unused.coupon_code))).toBe('EXPIRED');
    expect(await stateOf(String(used.coupon_code))).toBe('USED');
    const coupon = { coupon_code: unused.coupon_code, stock_id };
    expect(await refusal(use({ ...coupon, openid, use_request_no: number() }))).toBe(
      '403 RULELIMIT 券已过期，不能再进行其他操作',
    );
    await call('return', { coupon_code: used.coupon_code, stock_id, return_request_no: number() });
    expect(await stateOf(String(used.coupon_code))).toBe('EXPIRED');
    expect(await refusal(give({ stock_id, openid: 'o2' }))).toMatch(/^403 RULELIMIT .* has ended/);
  });

  test.each([
    ['days of the calendar', { available_day_after_receive: 2 }, 0, 2],
    ['days after a wait', { available_day_after_receive: 2, wait_days_after_receive: 1 }, 1, 3],
  ])('valid for %s', async (_, time, from, until) => {
    const stock_id = await create({}, time);
    const { coupon_code } = await give({ stock_id });
    const now = shop.sandbox.clock.now();
    const midnight = Date.parse(`${beijing(now).slice(0, 10)}T00:00:00+08:00`);
    const { available_start_time, expire_time } = await one(String(coupon_code));
    expect(expire_time).toBe(beijing(midnight + until * DAY - 1000));
    if (from === 0) return;
    expect(available_start_time).toBe(beijing(midnight + from * DAY));
    const json = { coupon_code, stock_id, openid };
    expect(await refusal(use({ ...json, use_request_no: number() }))).toBe('403 RULELIMIT 券不在使用有效期');
    await shop.sandbox.clock.set(new Date(midnight + from * DAY));
    expect(await use({ ...json, use_request_no: number() })).toMatchObject({ openid });
  });
});

describe('refused', () => {
  test.each<[string, () => Promise<unknown>, string | RegExp]>([
    ['a used coupon', () => use().then(() => use({ use_request_no: number() })), USED_ALREADY],
    ['an unknown coupon', () => use({ coupon_code: 'none' }), /^404 RESOURCE_NOT_EXISTS/],
    ['another stock', () => use({ stock_id: '1' }), /^404 RESOURCE_NOT_EXISTS/],
    ['sending of an unknown stock', () => give({ stock_id: '1' }), /^404 RESOURCE_NOT_EXISTS/],
    [
      'another user',
      () => give().then(({ coupon_code }) => use({ coupon_code, openid: 'other', use_request_no: number() })),
      /^404 USER_NOT_EXISTS/,
    ],
    [
      'a code where WeChat Pay makes them',
      () => give({ coupon_code: 'mine' }),
      /^400 INVALID_REQUEST .*WECHATPAY_MODE/,
    ],
    [
      'a send number with another user',
      () => give({ out_request_no: 'r' }).then(() => give({ out_request_no: 'r', openid: 'other' })),
      OTHER_PARAMETERS,
    ],
    [
      'a use number with another coupon',
      () =>
        use()
          .then(() => give())
          .then(({ coupon_code }) => use({ coupon_code, openid })),
      OTHER_PARAMETERS,
    ],
    [
      'return of a coupon that is not used',
      () => call('return', { coupon_code: 'sxxe34343434', stock_id: '100088', return_request_no: number() }),
      /^400 INVALID_REQUEST .*SENDED/,
    ],
    [
      'deactivation of a used coupon',
      () =>
        use().then(() =>
          call('deactivate', { coupon_code: 'sxxe34343434', stock_id: '100088', deactivate_request_no: number() }),
        ),
      USED_ALREADY,
    ],
    ['a body without coupon_code', () => use({ coupon_code: undefined }), /^400 PARAM_ERROR/],
    ['a use_time without a zone', () => use({ use_time: '2015-05-20T13:29:35' }), /^400 PARAM_ERROR/],
  ])('%s', async (_, attempt, expected) => {
    expect(await refusal(attempt())).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  test('a refused use does not use up its number', async () => {
    expect(await refusal(use({ coupon_code: 'none' }))).toMatch(/^404/);
    expect(await use()).toMatchObject({ stock_id: '100088' });
  });
});

describe('stocks', () => {
  test('are created once, shown with what was sent, changed', async () => {
    const json = rule();
    const created = await shop.post(`${ROOT}/stocks`, json);
    expect(created).toEqual({ stock_id: expect.stringMatching(/^\d+$/), create_time: TIME });
    expect(await refusal(shop.post(`${ROOT}/stocks`, json))).toMatch(/^400 RESOURCE_ALREADY_EXISTS/);
    const stock_id = String(created.stock_id);
    await give({ stock_id });
    const { out_request_no: _, ...shown } = json;
    const counts = { total_send_num: 1, total_send_amount: 5, today_send_num: 1, today_send_amount: 5 };
    const stock = () => shop.get(`${ROOT}/stocks/${stock_id}`);
    expect(await stock()).toEqual({
      ...{ ...shown, stock_id, stock_state: 'RUNNING', send_count_information: counts },
    });
    const change = { goods_name: '别的', coupon_use_rule: { use_method: 'SELF_CONSUME' }, out_request_no: number() };
    const { v3 } = Builder.factory(shop.sandbox.config);
    const node = v3.marketing.busifavor.stocks._stock_id_;
    const changed = await node.patch({
      stock_id,
      json: { ...change, coupon_use_rule: { use_method: 'SELF_CONSUME' } },
    });
    expect(changed.status).toBe(204);
    expect(await stock()).toMatchObject({
      ...{ goods_name: '别的', stock_name: json.stock_name },
      coupon_use_rule: { ...json.coupon_use_rule, use_method: 'SELF_CONSUME' },
    });
    await shop.sandbox.clock.advance({ days: 1 });
    expect(await stock()).toMatchObject({ send_count_information: { total_send_num: 1, today_send_num: 0 } });

    const budget = { current_max_coupons: 3, target_max_coupons: 5, modify_budget_request_no: number() };
    const patch = (more: object = {}) => node.budget.patch({ stock_id, json: { ...budget, ...more } }).json();
    expect(await patch()).toEqual({ max_coupons: 5 });
    expect(await patch()).toEqual({ max_coupons: 5 });
    expect(await refusal(patch({ modify_budget_request_no: number() }))).toMatch(/^400 INVALID_REQUEST .* is 3, .* 5/);
    expect(await refusal(shop.get(`${ROOT}/stocks/1`))).toMatch(/^404 RESOURCE_NOT_EXISTS/);
  });

  test('give a user, and all users together, so many coupons', async () => {
    const stock_id = await create();
    await give({ stock_id });
    await give({ stock_id });
    expect(await refusal(give({ stock_id }))).toBe('403 RULELIMIT 用户领取券张数已达上限');
    await give({ stock_id, openid: 'o2' });
    expect(await refusal(give({ stock_id, openid: 'o3' }))).toMatch(/^403 RULELIMIT .*All 3 coupons/);
  });

  test('with codes of the merchant, given when they are sent', async () => {
    const stock_id = await create({ coupon_code_mode: 'MERCHANT_API' });
    expect(await refusal(give({ stock_id }))).toMatch(/^400 INVALID_REQUEST .*MERCHANT_API/);
    expect(await give({ stock_id, coupon_code: 'mine' })).toMatchObject({ coupon_code: 'mine' });
    expect(await refusal(give({ stock_id, coupon_code: 'mine' }))).toMatch(/^400 INVALID_REQUEST .*mine/);
    const using = { coupon_code: 'mine', openid, use_request_no: number() };
    expect(await refusal(use({ ...using, stock_id: undefined }))).toMatch(/^400 PARAM_ERROR "\/stock_id" in the body/);
    expect(await use({ ...using, stock_id })).toMatchObject({ stock_id });
  });

  test('with codes of the merchant, uploaded beforehand', async () => {
    const stock_id = await create({ coupon_code_mode: 'MERCHANT_UPLOAD' });
    const codes = `${ROOT}/stocks/${stock_id}/couponcodes`;
    const upload = (...coupon_code_list: string[]) =>
      shop.post(codes, { coupon_code_list, upload_request_no: number() });
    expect(await upload('A', 'B', 'A')).toMatchObject({ success_codes: ['A', 'B'], duplicate_codes: ['A'] });
    expect(await upload('B', 'C')).toMatchObject({ success_count: 1, success_codes: ['C'], exist_codes: ['B'] });
    const client = Builder.factory(shop.sandbox.config).chain(`${codes}/B`);
    const remove = () => client.delete({ query: { delete_request_no: 'd' } }).json();
    expect(await remove()).toEqual({ stock_id, delete_time: TIME });
    expect(await remove()).toMatchObject({ stock_id });
    expect(await give({ stock_id })).toMatchObject({ coupon_code: 'A' });
    expect(await give({ stock_id, coupon_code: 'C' })).toMatchObject({ coupon_code: 'C' });
    expect(await refusal(give({ stock_id, openid: 'o2' }))).toMatch(/^400 INVALID_REQUEST .*no code/);
    expect(await shop.get(codes, { status: 'DISPATCHED', limit: '1' })).toMatchObject({
      ...{ total_count: 2, limit: 1, offset: 0, data: [{ code: 'A', code_status: 'DISPATCHED' }] },
    });
    expect(await shop.get(`${codes}/A`)).toMatchObject({ code_information: { code: 'A' } });
    expect(await refusal(shop.get(`${codes}/B`))).toMatch(/^404 RESOURCE_NOT_EXISTS/);
    expect(await shop.get(`${ROOT}/stocks/${stock_id}`)).toMatchObject({
      coupon_code_count: { total_count: 2, available_count: 0 },
    });
    const upload100088 = shop.post(`${ROOT}/stocks/100088/couponcodes`, { upload_request_no: number() });
    expect(await refusal(upload100088)).toMatch(/^400 INVALID_REQUEST .*not uploaded/);
  });
});

test('the coupons of a user are listed by stock and state, in pages', async () => {
  const stock_id = await create();
  const codes = [await give(), await give({ stock_id }), await give({ stock_id })].map((sent) => sent.coupon_code);
  await use({ coupon_code: codes[0], openid, use_request_no: number() });
  const list = async (query: Record<string, string> = {}) => {
    const { data, ...page } = await shop.get(`${ROOT}/users/${openid}/coupons`, { appid, ...query });
    return { ...page, codes: (data as { coupon_code: string }[]).map((coupon) => coupon.coupon_code) };
  };
  expect(await list()).toEqual({ total_count: 3, offset: 0, limit: 20, codes });
  expect(await list({ offset: '1', limit: '1' })).toMatchObject({ total_count: 3, codes: [codes[1]] });
  expect(await list({ stock_id })).toMatchObject({ codes: codes.slice(1) });
  expect(await list({ coupon_state: 'USED' })).toMatchObject({ codes: [codes[0]] });
  expect(await list({ sender_merchant: '1' })).toMatchObject({ codes: [] });
  expect(await refusal(one(String(codes[0]), 'other'))).toMatch(/^404 RESOURCE_NOT_EXISTS/);
});

test('the callback is told of each coupon that is sent', async () => {
  expect(await refusal(shop.get(`${ROOT}/callbacks`))).toMatch(/^404 RESOURCE_NOT_EXISTS/);
  const { mchid, notify_url } = shop;
  expect(await shop.post(`${ROOT}/callbacks`, { notify_url })).toEqual({ mchid, notify_url, update_time: TIME });
  expect(await shop.get(`${ROOT}/callbacks`, { mchid })).toEqual({ mchid, notify_url });
  expect(await refusal(shop.post(`${ROOT}/callbacks`, { mchid: '1', notify_url }))).toMatch(/^403 NOAUTH/);
  const { coupon_code } = await give();
  await shop.sandbox.clock.advance({ seconds: 1 });
  expect(shop.notified).toEqual([
    ['COUPON.SEND', expect.objectContaining({ coupon_code, openid, stock_id: '100088', send_merchant: mchid })],
  ]);
});
