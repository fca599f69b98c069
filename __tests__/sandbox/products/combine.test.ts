import { clientOf, refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});

const COMBINE = 'v3/combine-transactions';
const [combine_appid, combine_out_trade_no] = ['wx8888888888888888', 'COMBINED-1'];
const openid = 'oUpF8uN95-Ptaags6E_roPHg7AG0';
const part = (number: number, more: object = {}) => ({
  ...{ mchid: shop.mchid, attach: `part ${number}`, out_trade_no: `PART-${number}-OF-1`, description: '茶' },
  ...{ amount: { total_amount: number, currency: 'CNY' }, ...more },
});
const parts = (count: number, more: object = {}) => Array.from({ length: count }, (_, i) => part(i + 1, more));
const combined = (more: object = {}) => ({
  ...{ combine_appid, combine_mchid: shop.mchid, combine_out_trade_no, notify_url: shop.notify_url },
  ...{ sub_orders: parts(2), ...more },
});
const place = (more?: object, product = 'native') => shop.post(`${COMBINE}/${product}`, combined(more));
const query = () => shop.get(`${COMBINE}/out-trade-no/${combine_out_trade_no}`);
const close = (more: object = {}) => {
  const sub_orders = parts(2).map(({ mchid, out_trade_no }) => ({ mchid, out_trade_no }));
  return shop.post(`${COMBINE}/out-trade-no/${combine_out_trade_no}/close`, { combine_appid, sub_orders, ...more });
};

test('a combined order is found by the number that its payment got, by who placed it only', async () => {
  await place();
  await shop.sandbox.pay(combine_out_trade_no);
  const { combine_transaction_id } = await query();
  const path = `${COMBINE}/id/${combine_transaction_id}`;
  expect(await shop.get(path)).toMatchObject({
    ...{ combine_out_trade_no, combine_transaction_id },
    sub_orders: [{ out_trade_no: 'PART-1-OF-1', trade_state: 'SUCCESS' }, { out_trade_no: 'PART-2-OF-1' }],
  });
  const other = clientOf(await shop.sandbox.addMerchant());
  expect(await refusal(other.get(path))).toBe('404 ORDER_NOT_EXIST 订单不存在');
  expect(await refusal(shop.get(`${COMBINE}/id/4200`))).toBe('404 ORDER_NOT_EXIST 订单不存在');
});

const PREPAY_ID = expect.stringMatching(/^up_wx\d{14}[0-9a-f]{18}00$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
const scene_info = { payer_client_ip: '14.23.150.211', h5_info: { type: 'Wap' } };

test.each([
  ['native', {}, { code_url: expect.stringContaining('weixin://wxpay/bizpayurl?pr=') }, 'NATIVE'],
  ['jsapi', { combine_payer_info: { openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
  ['miniprogram', { combine_payer_info: { openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
  ['app', {}, { prepay_id: PREPAY_ID }, 'APP'],
  [
    'h5',
    { scene_info: { ...scene_info, device_id: 'till 3' } },
    { h5_url: expect.stringContaining('checkmweb?prepay_id=up_wx') },
    'MWEB',
  ],
])('%s is placed and paid', async (product, more, expected, trade_type) => {
  const authorised = product === 'miniprogram' ? { individual_auth_id: 'AUTH-1' } : {};
  expect(await place({ sub_orders: parts(2, authorised), ...more }, product)).toEqual(expected);
  await shop.sandbox.pay(combine_out_trade_no);
  expect(await query()).toMatchObject({ sub_orders: [{ trade_type, trade_state: 'SUCCESS' }, { trade_type }] });
});

test('one payment pays all, with one notification', async () => {
  await place(
    { scene_info: { payer_client_ip: '14.23.150.211', device_id: 'till 3' }, combine_payer_info: { openid } },
    'jsapi',
  );
  const common = {
    combine_appid,
    combine_mchid: shop.mchid,
    combine_out_trade_no,
    scene_info: { device_id: 'till 3' },
  };
  const unpaid = (number: number) => ({
    ...{ mchid: shop.mchid, out_trade_no: `PART-${number}-OF-1`, trade_state: 'NOTPAY' },
    amount: { total_amount: number, currency: 'CNY', payer_amount: 0, payer_currency: 'CNY' },
  });
  expect(await query()).toEqual({ ...common, sub_orders: [unpaid(1), unpaid(2)] });

  expect(await shop.sandbox.pay(combine_out_trade_no, { bank_type: 'CMB_DEBIT' })).toMatchObject({ delivered: true });
  const paid = (number: number) => ({
    ...{ mchid: shop.mchid, out_trade_no: `PART-${number}-OF-1`, trade_state: 'SUCCESS', trade_type: 'JSAPI' },
    ...{ bank_type: 'CMB_DEBIT', attach: `part ${number}`, success_time: TIME },
    transaction_id: expect.stringMatching(/^4200\d{24}$/),
    amount: { total_amount: number, currency: 'CNY', payer_amount: number, payer_currency: 'CNY' },
  });
  const shown = await query();
  const whole = { ...common, sub_orders: [paid(1), paid(2)], combine_payer_info: { openid } };
  expect(shown).toEqual({ ...whole, combine_transaction_id: expect.stringMatching(/^4200\d{24}$/) });
  expect(shop.notified).toEqual([['TRANSACTION.SUCCESS', whole]]);
  const [one, other] = shop.sandbox.notifications;
  expect([one?.name, other]).toEqual(['TRANSACTION.SUCCESS', undefined]);
});

test('a part cannot be found, closed or paid by itself', async () => {
  await place();
  const number = 'PART-1-OF-1';
  const { mchid } = shop;
  const path = `v3/pay/transactions/out-trade-no/${number}`;
  expect(await refusal(shop.get(path, { mchid }))).toBe('404 ORDER_NOT_EXIST 订单不存在');
  expect(await shop.post(`${path}/close`, { mchid })).toEqual({ status: 204 });
  await expect(shop.sandbox.pay(number)).rejects.toThrow('is part of the combined order COMBINED-1: pay that one.');
  await shop.sandbox.pay(combine_out_trade_no);
  const [{ transaction_id }] = (await query()).sub_orders as [{ transaction_id: string }];
  const byId = shop.get(`v3/pay/transactions/id/${transaction_id}`, { mchid });
  expect(await refusal(byId)).toBe('404 ORDER_NOT_EXIST 订单不存在');
});

test('a part is refunded by itself', async () => {
  await place();
  await shop.sandbox.pay(combine_out_trade_no);
  const amount = { refund: 2, total: 2, currency: 'CNY' };
  const refund = { out_trade_no: 'PART-2-OF-1', out_refund_no: 'REFUND-1', amount };
  expect(await shop.post('v3/refund/domestic/refunds', refund)).toMatchObject({ out_trade_no: 'PART-2-OF-1' });
  expect(await query()).toMatchObject({ sub_orders: [{ trade_state: 'SUCCESS' }, { trade_state: 'REFUND' }] });
});

test('a partner combines from 1 to 50 orders of other merchants', async () => {
  const more = { sub_mchid: '1900000999', sub_appid: 'wxsub' };
  await place({ sub_orders: parts(1, more), combine_payer_info: { sub_openid: 'oSub' } }, 'jsapi');
  expect(await query()).toMatchObject({ sub_orders: [more] });
  await shop.sandbox.pay(combine_out_trade_no, { openid });
  expect(await query()).toMatchObject({
    ...{ sub_orders: [{ ...more, sub_openid: 'oSub' }], combine_payer_info: { openid } },
  });
  const fifty = { combine_out_trade_no: 'COMBINED-50', sub_orders: parts(51, more).slice(1) };
  expect(await place(fifty)).toMatchObject({ code_url: expect.any(String) });
  const tooMany = { combine_out_trade_no: 'COMBINED-51', sub_orders: parts(51, more) };
  expect(await refusal(place(tooMany))).toBe('400 PARAM_ERROR "/sub_orders" in the body must be 1 to 50 orders.');
});

test.each<[string, () => object, string]>([
  ['one order', () => ({ sub_orders: parts(1) }), '400 PARAM_ERROR "/sub_orders" in the body must be 2 to 10 orders.'],
  [
    'eleven orders',
    () => ({ sub_orders: parts(11) }),
    '400 PARAM_ERROR "/sub_orders" in the body must be 2 to 10 orders.',
  ],
  ['one order twice', () => ({ sub_orders: [part(1), part(1)] }), '400 INVALID_REQUEST 201 商户订单号重复'],
  [
    'another merchant',
    () => ({ combine_mchid: '1' }),
    '400 PARAM_ERROR http header中的mchid与post payload中的mchid不匹配',
  ],
  [
    'a total of 0',
    () => ({ sub_orders: [part(1), part(0)] }),
    '400 PARAM_ERROR "/sub_orders/1/amount/total_amount" in the body must be an integer',
  ],
  [
    'a short number',
    () => ({ combine_out_trade_no: 'A-123' }),
    '“/body/combine_out_trade_no”映射到值字段“合单商户订单号”',
  ],
  [
    'a short number of a part',
    () => ({ sub_orders: [part(1), part(2, { out_trade_no: 'A' })] }),
    '“/body/sub_orders/1/out_',
  ],
  ['no address to notify', () => ({ notify_url: 'nowhere' }), '400 PARAM_ERROR "/notify_url" in the body '],
])('%s is refused, and nothing is used up', async (_, more, message) => {
  expect(await refusal(place(more()))).toContain(message);
  expect(shop.sandbox.orders).toEqual([]);
  expect(await place()).toMatchObject({ code_url: expect.any(String) });
});

test('JSAPI needs an openid', async () => {
  const said = await refusal(place({ combine_payer_info: {} }, 'jsapi'));
  expect(said).toMatch(
    /^400 PARAM_ERROR JSAPI支付必须传openid: "\/combine_payer_info\/openid" in the body is required/,
  );
});

test('the same number again is a repetition, or is refused', async () => {
  const first = await place();
  const second = await place();
  expect(second).not.toEqual(first);
  expect(shop.sandbox.orders).toMatchObject([second]);
  const other = '400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致';
  expect(await refusal(place({ sub_orders: parts(3) }))).toBe(other);
  expect(await refusal(place({}, 'app'))).toBe(other);
  const settled = { sub_orders: parts(2, { settle_info: { profit_sharing: true } }) };
  expect(await refusal(place(settled))).toBe('400 INVALID_REQUEST 重复下单且结算信息不一致');
  await shop.sandbox.pay(combine_out_trade_no);
  expect(await refusal(place())).toBe('400 ORDER_PAID 该订单已支付');
});

test('a part must not have the number of another order', async () => {
  const single = {
    ...{ appid: combine_appid, mchid: shop.mchid, description: '茶', notify_url: shop.notify_url },
    ...{ out_trade_no: 'PART-1-OF-1', amount: { total: 1 } },
  };
  await place();
  const whole = { combine_out_trade_no: 'COMBINED-2' };
  expect(await refusal(place(whole))).toBe('400 INVALID_REQUEST 201 商户订单号重复');
  const placed = await refusal(shop.post('v3/pay/transactions/native', single));
  expect(placed).toBe('400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致');
  await close();
  expect(await refusal(place(whole))).toBe('400 ORDER_CLOSED 订单已关闭');
  expect(await refusal(place())).toBe('400 ORDER_CLOSED 订单已关闭');
});

test('closing names exactly its orders', async () => {
  expect(await close()).toEqual({ status: 204 });
  await place();
  const message = '400 INVALID_REQUEST sub_orders: must be exactly the orders that were combined';
  const named = parts(3).map(({ mchid, out_trade_no }) => ({ mchid, out_trade_no }));
  expect(await refusal(close({ sub_orders: named }))).toBe(message);
  expect(await refusal(close({ sub_orders: named.slice(0, 1) }))).toBe(message);
  expect(await refusal(close({ combine_appid: 'wx1' }))).toBe('400 APPID_MCHID_NOT_MATCH appid和mch_id不匹配');
  expect(await query()).toMatchObject({ sub_orders: [{ trade_state: 'NOTPAY' }, { trade_state: 'NOTPAY' }] });
  expect(await close({ sub_orders: named.slice(0, 2).reverse() })).toEqual({ status: 204 });
  expect(await close()).toEqual({ status: 204 });
  expect(await query()).toMatchObject({ sub_orders: [{ trade_state: 'CLOSED' }, { trade_state: 'CLOSED' }] });
  await expect(shop.sandbox.pay(combine_out_trade_no)).rejects.toThrow('cannot be paid: it is CLOSED.');
});

test('what is paid cannot be closed, and what nobody knows cannot be queried', async () => {
  expect(await refusal(query())).toBe('404 ORDER_NOT_EXIST 订单不存在');
  await place();
  await shop.sandbox.pay(combine_out_trade_no);
  expect(await refusal(close())).toBe('400 ORDER_PAID 订单已支付');
});

test('it expires as a whole', async () => {
  await place({ time_expire: new Date(shop.sandbox.clock.now() + 600_000).toISOString() });
  await shop.sandbox.clock.advance({ minutes: 11 });
  expect(await query()).toMatchObject({ sub_orders: [{ trade_state: 'CLOSED' }, { trade_state: 'CLOSED' }] });
  expect(await refusal(place())).toMatch(/^400 ORDER_CLOSED 该订单已失效/);
});

test('after a reset of the merchant its parts at others are gone, too', async () => {
  const sub_orders = [part(1), part(2, { mchid: '1230000109' })];
  await place({ sub_orders });
  shop.sandbox.reset(shop.mchid);
  expect(shop.sandbox.orders).toMatchObject([]);
  expect(await place({ sub_orders })).toMatchObject({ code_url: expect.any(String) });
  expect(shop.sandbox.orders).toMatchObject([{ out_trade_no: combine_out_trade_no, product: 'native' }]);
});
