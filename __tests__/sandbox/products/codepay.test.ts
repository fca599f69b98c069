import { Builder } from 'wechatpay-undici';
import { refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});

const [appid, out_trade_no, sub_mchid] = ['wx8888888888888888', 'ORDER-1', '1900000999'];
const common = (total: number) => ({
  ...{
    description: '茶',
    out_trade_no,
    amount: { total, currency: 'CNY' },
    payer: { auth_code: '130061098828009406' },
  },
  scene_info: { device_id: 'till 3', store_info: { id: '0001' } },
});
const OWN = 'v3/pay/transactions';
const PARTNER = 'v3/pay/partner/transactions';
const pay = (total = 100, more: object = {}) =>
  shop.post(`${OWN}/codepay`, { ...common(total), appid, mchid: shop.mchid, ...more });
const paySub = (total = 100) =>
  shop.post(`${PARTNER}/codepay`, { ...common(total), sp_appid: appid, sp_mchid: shop.mchid, sub_mchid });
const query = () => shop.get(`${OWN}/out-trade-no/${out_trade_no}`, { mchid: shop.mchid });
const reverse = () => shop.post(`${OWN}/out-trade-no/${out_trade_no}/reverse`, { appid, mchid: shop.mchid });
const close = () => shop.post(`${OWN}/out-trade-no/${out_trade_no}/close`, { mchid: shop.mchid });

const beijingDay = (time: number) => new Date(time + 8 * 3_600_000).toISOString().slice(0, 10);

test('a payment code is paid at once, without a notification', async () => {
  const paid = await pay();
  expect(paid).toMatchObject({ trade_type: 'MICROPAY', trade_state: 'SUCCESS', scene_info: { device_id: 'till 3' } });
  expect(await query()).toEqual(paid);
  expect(await pay()).toEqual(paid);
  expect(await refusal(pay(101))).toBe('400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致');
  expect(shop.sandbox.notifications).toEqual([]);
  expect(shop.sandbox.orders).toMatchObject([{ product: 'codepay', out_trade_no }]);
});

test('a partner pays for another merchant', async () => {
  expect(await paySub()).toMatchObject({ sp_mchid: shop.mchid, sub_mchid, trade_state: 'SUCCESS' });
  const path = `${PARTNER}/out-trade-no/${out_trade_no}/reverse`;
  const reversed = await shop.post(path, { sp_mchid: shop.mchid, sub_mchid });
  expect(reversed).toEqual({ sp_mchid: shop.mchid, sub_mchid, out_trade_no });
});

test('the money of an order that is reversed goes out again, once', async () => {
  await pay(10_000);
  const bill_date = beijingDay(shop.sandbox.clock.now());
  await reverse();
  await reverse();
  await shop.sandbox.clock.advance({ days: 1, hours: 10 });
  const applied = await shop.get('v3/bill/fundflowbill', { bill_date });
  const { pathname, search } = new URL(String(applied.download_url));
  const bill = await Builder.factory(shop.sandbox.config)
    .chain(`${pathname.slice(1)}`)
    .get({ query: Object.fromEntries(new URLSearchParams(search)) })
    .text();
  // In and out: the payment and its fee, and both of them back.
  const amounts = bill
    .split('\n')
    .filter((line) => line.startsWith('`20'))
    .map((line) => line.split(',`').slice(5, 7).join(' '));
  expect(amounts).toEqual(['收入 100.00', '支出 0.60', '支出 100.00', '收入 0.60']);
});

test('above 1,000 yuan the user must type a password', async () => {
  const waiting = { code: 'USERPAYING', message: '需要用户输入支付密码' };
  expect(await pay(100_001)).toMatchObject(waiting);
  expect(await pay(100_001)).toMatchObject(waiting);
  expect(await query()).toMatchObject({ trade_state: 'USERPAYING', trade_state_desc: '用户支付中，需要输入密码' });
  expect(await shop.sandbox.pay(out_trade_no)).toBeUndefined();
  expect(await query()).toMatchObject({ trade_state: 'SUCCESS' });
  expect(await pay(100_001)).toMatchObject({ trade_state: 'SUCCESS' });
});

test.each([
  ['cancel', 'NOTPAY'],
  ['fail', 'PAYERROR'],
] as const)('a user who does not type it: %s', async (outcome, trade_state) => {
  await pay(100_001);
  await shop.sandbox.pay(out_trade_no, { outcome });
  expect(await query()).toMatchObject({ trade_state });
  expect(await refusal(pay(100_001))).toBe('403 TRADE_ERROR 用户没有输入支付密码');
});

test('an order of a payment code is reversed, and cannot be closed', async () => {
  expect(await refusal(reverse())).toBe('404 ORDER_NOT_EXIST 订单不存在');
  await pay(100_001);
  expect(await refusal(close())).toBe('400 INVALID_REQUEST 当前交易不允许进行普通关单（只能撤销）');
  const reversed = { appid, mchid: shop.mchid, out_trade_no };
  expect([await reverse(), await reverse()]).toEqual([reversed, reversed]);
  expect(await query()).toMatchObject({ trade_state: 'REVOKED', trade_state_desc: '订单已撤销' });
  expect(await refusal(close())).toBe('400 ORDER_REVERSED 订单已撤销');
  expect(await refusal(pay(100_001))).toBe('400 ORDER_REVERSED 订单已撤销');
});

test('what is paid is reversed as well; other orders are not', async () => {
  await pay();
  await reverse();
  expect(await query()).toMatchObject({ trade_state: 'REVOKED' });
  shop.sandbox.reset();
  const order = { appid, mchid: shop.mchid, description: '茶', out_trade_no, notify_url: shop.notify_url };
  await shop.post(`${OWN}/native`, { ...order, amount: { total: 100 } });
  expect(await refusal(reverse())).toMatch(/^400 INVALID_REQUEST Only orders of payment codes can be reversed/);
});

test.each<[string, object, string]>([
  ['no payment code', { payer: { auth_code: '160061098828009406' } }, '400 AUTH_CODE_INVALID 请扫描微信支付授权码'],
  ['another merchant', { mchid: '1900000110' }, '400 PARAM_ERROR http header中的mchid'],
  ['a total of 0', { amount: { total: 0 } }, '400 PARAM_ERROR "/amount/total" in the body '],
  ['a short number', { out_trade_no: 'A' }, '400 PARAM_ERROR 输入源“/body/out_trade_no”'],
])('%s is refused', async (_, more, message) => {
  expect(await refusal(pay(100, more))).toContain(message);
  expect(shop.sandbox.orders).toEqual([]);
});
