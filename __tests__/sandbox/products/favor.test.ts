import { clientOf, refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});

const ROOT = 'v3/marketing/favor';
const [appid, openid] = ['wx8888888888888888', 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'];
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
const DAY = 86_400_000;

let count = 0;
const number = () => `number${++count}`;
const after = (days: number) => {
  const time = shop.sandbox.clock.now() + days * DAY;
  return `${new Date(time + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
};
const limits = (more: object = {}) => ({
  stock_use_rule: {
    ...{ max_coupons: 100, max_amount: 5000, max_amount_by_day: 1000, max_coupons_per_user: 3 },
    ...{ natural_person_limit: false, prevent_api_abuse: false, ...more },
  },
});
const worth = (coupon_amount: number, more: object = {}) => ({
  coupon_use_rule: {
    fixed_normal_coupon: { coupon_amount, transaction_minimum: 100 },
    ...{ available_merchants: [shop.mchid], ...more },
  },
});
const rule = (more: object = {}) => ({
  ...{ stock_name: '微信支付代金券', belong_merchant: shop.mchid, no_cash: true, stock_type: 'NORMAL' },
  ...{ available_begin_time: after(0), available_end_time: after(9), out_request_no: number() },
  ...{ ...limits(), ...worth(50), pattern_info: { description: '满1元减5角' }, ...more },
});
const create = async (more?: object) => String((await shop.post(`${ROOT}/coupon-stocks`, rule(more))).stock_id);
const move = (stock_id: string, to: string, stock_creator_mchid = shop.mchid) =>
  shop.post(`${ROOT}/stocks/${stock_id}/${to}`, { stock_creator_mchid });
const running = async (more?: object) => {
  const stock_id = await create(more);
  await move(stock_id, 'start');
  return stock_id;
};
const give = (stock_id: string, more: object = {}, user = openid) =>
  shop.post(`${ROOT}/users/${user}/coupons`, {
    ...{ stock_id, out_request_no: number(), appid, stock_creator_mchid: shop.mchid, ...more },
  });
const stockOf = (stock_id: string) => shop.get(`${ROOT}/stocks/${stock_id}`, { stock_creator_mchid: shop.mchid });
const one = (coupon_id: unknown) => shop.get(`${ROOT}/users/${openid}/coupons/${coupon_id}`, { appid });
const buy = async (total: number, more: object = {}) => {
  const out_trade_no = number();
  await shop.post('v3/pay/transactions/native', {
    ...{ appid, mchid: shop.mchid, description: '茶', out_trade_no, notify_url: shop.notify_url },
    ...{ amount: { total, currency: 'CNY' }, ...more },
  });
  await shop.sandbox.pay(out_trade_no, { openid });
  return shop.get(`v3/pay/transactions/out-trade-no/${out_trade_no}`, { mchid: shop.mchid });
};

test('a stock is started, paused, restarted and stopped', async () => {
  const json = rule();
  const created = await shop.post(`${ROOT}/coupon-stocks`, json);
  expect(created).toEqual({ stock_id: expect.stringMatching(/^\d+$/), create_time: TIME });
  expect(await shop.post(`${ROOT}/coupon-stocks`, json)).toEqual(created);
  expect(await refusal(shop.post(`${ROOT}/coupon-stocks`, { ...json, stock_name: '别的' }))).toBe(
    '400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致',
  );
  const stock_id = String(created.stock_id);
  expect(await stockOf(stock_id)).toMatchObject({
    status: 'unactivated',
    distributed_coupons: 0,
    description: '满1元减5角',
  });
  for (const [to, from, member, status] of [
    ['pause', 'unactivated', 'start_time', 'running'],
    ['start', 'running', 'pause_time', 'paused'],
    ['pause', 'paused', 'restart_time', 'running'],
    ['restart', 'running', 'stop_time', 'stoped'],
    ['start', 'stoped', '', ''],
  ] as const) {
    expect(await refusal(move(stock_id, to))).toMatch(new RegExp(`^400 INVALID_REQUEST .* is ${from},`));
    if (member === '') continue;
    expect(await move(stock_id, member.replace('_time', ''))).toEqual({ stock_id, [member]: TIME });
    expect(await stockOf(stock_id)).toMatchObject({ status });
  }
  const list = (status: string) =>
    shop.get(`${ROOT}/stocks`, { offset: '0', limit: '10', stock_creator_mchid: shop.mchid, status });
  expect(await list('stoped')).toMatchObject({
    total_count: 1,
    data: [{ stock_id, start_time: TIME, stop_time: TIME }],
  });
  expect(await list('running')).toMatchObject({ total_count: 0, data: [] });
});

describe('a coupon', () => {
  test('is sent, and used by paying: the order and the coupon show it, and the callback is told', async () => {
    const { mchid, notify_url } = shop;
    expect(await shop.post(`${ROOT}/callbacks`, { mchid, notify_url })).toEqual({ notify_url, update_time: TIME });
    expect(await shop.get(`${ROOT}/callbacks`, { mchid })).toEqual({ mchid, notify_url });
    const stock_id = await running();
    const sending = { out_request_no: number() };
    const { coupon_id } = await give(stock_id, sending);
    expect(await give(stock_id, sending)).toEqual({ coupon_id });
    expect(await one(coupon_id)).toMatchObject({
      ...{ status: 'SENDED', stock_id, stock_creator_mchid: mchid, no_cash: true },
      normal_coupon_information: { coupon_amount: 50, transaction_minimum: 100 },
    });

    const order = await buy(100);
    expect(order).toMatchObject({
      amount: { total: 100, payer_total: 50 },
      promotion_detail: [{ coupon_id, stock_id, amount: 50, scope: 'GLOBAL', type: 'NOCASH', merchant_contribute: 50 }],
    });
    const { transaction_id } = order;
    const consume_information = { consume_time: TIME, consume_mchid: mchid, transaction_id };
    expect(await one(coupon_id)).toMatchObject({ status: 'USED', consume_information });
    await shop.sandbox.clock.advance({ seconds: 1 });
    expect(shop.notified).toContainEqual([
      'TRANSACTION.SUCCESS',
      expect.objectContaining({ transaction_id, amount: expect.objectContaining({ payer_total: 50 }) }),
    ]);
    expect(shop.notified).toContainEqual([
      'COUPON.USE',
      expect.objectContaining({
        coupon_id,
        status: 'USED',
        consume_information: expect.objectContaining(consume_information),
      }),
    ]);
    expect(await buy(100)).toMatchObject({ amount: { payer_total: 100 }, promotion_detail: [] });
  });

  test('of several the one that takes most off is used', async () => {
    const [small, large] = [await running(worth(30)), await running(worth(70))];
    await give(small);
    await give(large);
    expect(await buy(100)).toMatchObject({ amount: { payer_total: 30 }, promotion_detail: [{ stock_id: large }] });
    expect(await buy(100)).toMatchObject({ amount: { payer_total: 70 }, promotion_detail: [{ stock_id: small }] });
  });

  test('is not used below its minimum, by another merchant, or without its tag', async () => {
    await give(await running());
    expect(await buy(99)).toMatchObject({ amount: { payer_total: 99 } });
    shop.sandbox.reset();
    await give(await running(worth(50, { available_merchants: ['1900000999'] })));
    expect(await buy(100)).toMatchObject({ amount: { payer_total: 100 } });
    await give(await running(worth(50, { goods_tag: ['TEA'] })));
    expect(await buy(100)).toMatchObject({ amount: { payer_total: 100 } });
    expect(await buy(100, { goods_tag: 'TEA' })).toMatchObject({ amount: { payer_total: 50 } });
  });

  test('expires with its stock', async () => {
    const stock_id = await running();
    const { coupon_id } = await give(stock_id);
    await shop.sandbox.clock.advance({ days: 9 });
    expect(await one(coupon_id)).toMatchObject({ status: 'EXPIRED' });
    expect(await buy(100)).toMatchObject({ amount: { payer_total: 100 } });
    expect(await refusal(give(stock_id))).toMatch(/^400 INVALID_REQUEST .* has ended/);
  });

  test('coupons of a user are listed by state, in pages', async () => {
    const stock_id = await running();
    const ids = [(await give(stock_id)).coupon_id, (await give(stock_id)).coupon_id];
    await buy(100);
    const list = (query: object) => shop.get(`${ROOT}/users/${openid}/coupons`, { appid, ...query });
    expect(await list({})).toMatchObject({ total_count: 2, data: ids.map((coupon_id) => ({ coupon_id })) });
    expect(await list({ status: 'USED' })).toMatchObject({ total_count: 1, data: [{ status: 'USED' }] });
    expect(await list({ offset: '1', limit: '1' })).toMatchObject({ total_count: 2, data: [{ coupon_id: ids[1] }] });
    expect(await list({ stock_id: '1' })).toMatchObject({ total_count: 0 });
  });
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  ['a stock that has not been started', async () => give(await create()), /^400 INVALID_REQUEST .*unactivated/],
  [
    'a stock that has not begun',
    async () => give(await running({ available_begin_time: after(1) })),
    /^400 INVALID_REQUEST .*not started/,
  ],
  ['an unknown stock', () => give('1'), /^404 RESOURCE_NOT_EXISTS/],
  [
    'more coupons than the stock has',
    async () => {
      const stock_id = await running(limits({ max_coupons: 1 }));
      await give(stock_id);
      return give(stock_id);
    },
    /^403 NOT_ENOUGH/,
  ],
  [
    'more than the budget of a day',
    async () => {
      const stock_id = await running(limits({ max_amount_by_day: 99 }));
      await give(stock_id);
      await shop.sandbox.clock.advance({ days: 1 });
      await give(stock_id);
      return give(stock_id);
    },
    /^403 NOT_ENOUGH/,
  ],
  [
    'more coupons than a user may have',
    async () => {
      const stock_id = await running(limits({ max_coupons_per_user: 1 }));
      await give(stock_id);
      await give(stock_id, {}, 'another');
      return give(stock_id);
    },
    /^403 REQUEST_BLOCKED/,
  ],
  ['a coupon of another user', async () => one('1'), /^404 RESOURCE_NOT_EXISTS/],
  [
    'a callback of another merchant',
    () => shop.post(`${ROOT}/callbacks`, { mchid: '1', notify_url: shop.notify_url }),
    /^403/,
  ],
  ['a callback that is not there', () => shop.get(`${ROOT}/callbacks`, { mchid: shop.mchid }), /^404/],
  ['a body without appid', async () => give('1', { appid: undefined }), /^400 PARAM_ERROR/],
])('%s is refused', async (_, attempt, expected) => {
  expect(await refusal(attempt())).toMatch(expected);
});

test('the stock of another merchant is blocked', async () => {
  const stock_id = await running();
  const other = clientOf(await shop.sandbox.addMerchant());
  const json = { stock_id, out_request_no: number(), appid, stock_creator_mchid: shop.mchid };
  expect(await refusal(other.post(`${ROOT}/users/${openid}/coupons`, json))).toMatch(/^403 REQUEST_BLOCKED/);
});
