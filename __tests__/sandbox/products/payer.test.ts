import { Response } from 'undici';
import { createClock } from '../../../lib/sandbox/clock';
import { createIdentities } from '../../../lib/sandbox/identity';
import { createNotifier } from '../../../lib/sandbox/notifications/notify';
import { createProducts } from '../../../lib/sandbox/products';
import { createKeyring } from '../../../lib/sandbox/protocol/keyring';
import { createStore } from '../../../lib/sandbox/store';
import { clientOf, type Shop, useShop } from './shop';

/** An address at which nobody listens. */
const NOWHERE = 'http://127.0.0.1:1/notify';

/** What must be closed at the end. */
const ends: { close(): void }[] = [];
let shop: Shop;
useShop((opened) => {
  shop = opened;
});
afterAll(() => {
  for (const end of ends) end.close();
});

const [appid, out_trade_no, openid] = ['wx8888888888888888', 'ORDER-1', 'oUpF8uN95-Ptaags6E_roPHg7AG0'];
const order = (more: object = {}) => ({
  ...{ appid, mchid: shop.mchid, description: '茶', out_trade_no, notify_url: shop.notify_url },
  ...{ amount: { total: 100, currency: 'CNY' }, ...more },
});
const place = (product: string, more?: object) => shop.post(`v3/pay/transactions/${product}`, order(more));
const query = () => shop.get(`v3/pay/transactions/out-trade-no/${out_trade_no}`, { mchid: shop.mchid });

test('orders show what queries show, and what opens the payment', async () => {
  const { code_url } = await place('native');
  const shown = {
    ...{ ...(await query()), product: 'native', protocol: 'v3', description: '茶', code_url },
    prepay_id: expect.stringMatching(/^wx/),
    create_time: expect.stringContaining('+08:00'),
    time_expire: expect.stringContaining('+08:00'),
  };
  expect(shop.sandbox.orders).toEqual([shown]);
  const scene_info = { payer_client_ip: '1.2.3.4', h5_info: { type: 'Wap' } };
  const { h5_url } = await place('h5', { out_trade_no: 'ORDER-2', scene_info });
  expect(shop.sandbox.orders).toMatchObject([{ out_trade_no }, { product: 'h5', h5_url }]);
});

test('a user who cancels or fails leaves the order unpaid, and may pay it later', async () => {
  await place('native');
  expect(await shop.sandbox.pay(out_trade_no, { outcome: 'cancel' })).toBeUndefined();
  expect(await shop.sandbox.pay(out_trade_no, { outcome: 'fail' })).toBeUndefined();
  expect(await query()).toMatchObject({ trade_state: 'NOTPAY' });
  expect(shop.sandbox.notifications).toEqual([]);
  expect(await shop.sandbox.pay(out_trade_no)).toMatchObject({ name: 'TRANSACTION.SUCCESS', delivered: true });
});

test('a combined order is declined as a whole', async () => {
  const part = (number: string) => ({
    ...{ mchid: shop.mchid, attach: 'tea', out_trade_no: number, description: '茶' },
    amount: { total_amount: 1, currency: 'CNY' },
  });
  const { mchid: combine_mchid, notify_url } = shop;
  const json = { combine_appid: appid, combine_mchid, combine_out_trade_no: out_trade_no, notify_url };
  await shop.post('v3/combine-transactions/native', { ...json, sub_orders: [part('PART-1'), part('PART-2')] });
  expect(await shop.sandbox.pay(out_trade_no, { outcome: 'cancel' })).toBeUndefined();
  expect(shop.sandbox.orders).toMatchObject([{ trade_state: 'NOTPAY', sub_orders: [{}, { trade_state: 'NOTPAY' }] }]);
  expect(await shop.sandbox.pay(out_trade_no)).toMatchObject({ delivered: true });
  expect(shop.sandbox.orders).toMatchObject([{ trade_state: 'SUCCESS', combine_out_trade_no: out_trade_no }]);
  await expect(shop.sandbox.pay(out_trade_no, { outcome: 'fail' })).rejects.toThrow('cannot be paid: it is SUCCESS.');
});

test('the user of the order alone may pay it', async () => {
  await place('jsapi', { payer: { openid } });
  const other = shop.sandbox.pay(out_trade_no, { openid: 'oSomebodyElse' });
  await expect(other).rejects.toThrow('下单账号与支付账号不一致，请核实后再支付');
  expect(await shop.sandbox.pay(out_trade_no, { openid })).toMatchObject({ delivered: true });
  expect(await query()).toMatchObject({ payer: { openid } });
});

test('what cannot be paid is an InvalidArgumentError that says why', async () => {
  const unknown = shop.sandbox.pay('ORDER-2');
  await expect(unknown).rejects.toMatchObject({
    name: 'InvalidArgumentError',
    message: 'The order ORDER-2 does not exist.',
  });
  await place('native');
  await shop.sandbox.pay(out_trade_no);
  await expect(shop.sandbox.pay(out_trade_no)).rejects.toThrow('The order ORDER-1 cannot be paid: it is SUCCESS.');
  const wrong: [object, string][] = [
    [{ outcome: 'later' }, 'outcome must be cancel or fail; without it the user pays; found "later".'],
    [{ protocol: 'v4' }, 'protocol must be v2 or v3; found "v4".'],
    [{ openid: 7 }, 'openid must be a string; found 7.'],
    [{ user: 'o1' }, 'Unknown option "user"; valid options: openid, bank_type, outcome, mchid, protocol'],
  ];
  for (const [options, message] of wrong) {
    const refused = expect(shop.sandbox.pay(out_trade_no, options)).rejects;
    await refused.toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining(message) });
  }
});

test('of several orders with the same number one must say which', async () => {
  const { sandbox } = shop;
  const config = await sandbox.addMerchant();
  await place('native');
  await clientOf(config).post(
    'v3/pay/transactions/native',
    order({ mchid: config.mchid, notify_url: NOWHERE, amount: { total: 7 } }),
  );
  const message = `Several orders have the number ORDER-1 (${shop.mchid} v3, ${config.mchid} v3): pass mchid or protocol.`;
  await expect(sandbox.pay(out_trade_no)).rejects.toThrow(message);
  await expect(sandbox.pay(out_trade_no, { protocol: 'v3' })).rejects.toThrow(message);
  await expect(sandbox.pay(out_trade_no, { protocol: 'v2' })).rejects.toThrow('The order ORDER-1 does not exist.');
  await sandbox.pay(out_trade_no, { mchid: config.mchid });
  expect(sandbox.orders).toMatchObject([
    { mchid: shop.mchid, trade_state: 'NOTPAY' },
    { mchid: config.mchid, trade_state: 'SUCCESS', amount: { total: 7 } },
  ]);
});

test('v2 beside v3 is told by the protocol', async () => {
  const { products } = await parts();
  const both = products.orders;
  const shared = {
    ...({ mchid: 'm1', out_trade_no, placed: {}, trade_type: 'NATIVE', trade_state: 'NOTPAY', appid } as const),
    ...{
      description: '茶',
      total: 1,
      currency: 'CNY',
      prepay_id: 'wx1',
      profit_sharing: false,
      created: 0,
      expires: 4e12,
    },
  };
  both.place({ ...shared, protocol: 'v2' });
  both.place({ ...shared, protocol: 'v3', combine_out_trade_no: 'gone', combine_mchid: 'm1' });
  // The part of a combined order that has been reset is not there.
  expect(products.payer.pay(out_trade_no)).toMatchObject({ order: { protocol: 'v2', trade_state: 'SUCCESS' } });
  both.place({ ...shared, protocol: 'v3' });
  expect(() => products.payer.pay(out_trade_no)).toThrow();
  expect(products.payer.show(out_trade_no, { protocol: 'v3' })).toMatchObject({ trade_state: 'NOTPAY' });
});

/** The products of a sandbox, without its server. */
async function parts() {
  const store = createStore();
  const { clock, schedule } = createClock(store);
  const identities = createIdentities(store, await createKeyring(store));
  const { id: mchid } = await identities.add('merchant');
  const notifier = createNotifier({ store, clock, schedule, identities });
  const products = createProducts({ store, clock, schedule, identities, notifier, baseUrl: 'http://127.0.0.1/' });
  schedule.start();
  ends.push(schedule, notifier);
  return { products, mchid };
}

/** A function that calls the paths of the control API. */
async function control() {
  const { products, mchid } = await parts();
  const routes = products.all.flatMap((product) => product.control ?? []);
  const call = async (verb: string, path: string, query = '', json: unknown = undefined): Promise<unknown> => {
    const [, , handler] = routes.find((route) => route[0] === verb && route[1] === path) ?? [];
    const body = Buffer.alloc(0);
    const request = { mchid, method: verb, path, variables: { out_trade_no }, headers: {}, xml: {}, files: [], body };
    try {
      return await handler?.({ ...request, query: new URLSearchParams(query), json });
    } catch (thrown) {
      if (!(thrown instanceof Response)) throw thrown;
      return { status: thrown.status, ...Object(await thrown.json()) };
    }
  };
  const place = (more: object = {}) =>
    products.orders.place({
      ...({ mchid, out_trade_no, placed: {}, trade_type: 'NATIVE', trade_state: 'NOTPAY', appid } as const),
      ...{ description: '茶', notify_url: NOWHERE, total: 1, currency: 'CNY', prepay_id: 'wx1' },
      ...{ profit_sharing: false, created: 0, expires: 4e12, protocol: 'v3', ...more },
    });
  return { call, place, mchid };
}

const [ORDERS, ORDER, PAY] = ['sandbox/orders', 'sandbox/orders/{out_trade_no}', 'sandbox/orders/{out_trade_no}/pay'];

test('the control API shows and pays orders', async () => {
  const { call, place, mchid } = await control();
  expect(await call('get', ORDERS)).toEqual([]);
  expect(await call('get', ORDER)).toMatchObject({ status: 404, code: 'ORDER_NOT_EXIST' });
  expect(await call('post', PAY)).toMatchObject({ status: 404 });
  place();
  expect(await call('get', ORDERS)).toMatchObject([{ out_trade_no, product: 'native', trade_state: 'NOTPAY' }]);
  expect(await call('get', ORDERS, 'mchid=1')).toEqual([]);
  expect(await call('get', ORDER, `mchid=${mchid}&protocol=v3`)).toMatchObject({ out_trade_no, prepay_id: 'wx1' });
  expect(await call('post', PAY, '', { outcome: 'cancel' })).toMatchObject({ order: { trade_state: 'NOTPAY' } });
  // Nobody listens there.
  expect(await call('post', PAY, '', { bank_type: 'CMB_DEBIT', openid: 'o1' })).toEqual({
    order: expect.objectContaining({ trade_state: 'SUCCESS', bank_type: 'CMB_DEBIT', payer: { openid: 'o1' } }),
    notification: {
      ...{ id: expect.any(String), name: 'TRANSACTION.SUCCESS', url: NOWHERE, mchid, delivered: undefined },
      attempts: [expect.objectContaining({ accepted: false })],
    },
  });
  expect(await call('post', PAY)).toMatchObject({ status: 409, message: expect.stringContaining('it is SUCCESS') });
});

test('the control API does not wait for the notification when told so', async () => {
  const { call, place } = await control();
  place();
  expect(await call('post', PAY, '', { wait: false })).toEqual({
    order: expect.objectContaining({ trade_state: 'SUCCESS' }),
  });
});

test('the control API refuses what is not unique, and what is no option', async () => {
  const { call, place } = await control();
  place();
  place({ protocol: 'v2' });
  for (const [verb, path] of [
    ['get', ORDER],
    ['post', PAY],
  ] as const) {
    expect(await call(verb, path)).toMatchObject({ status: 409, code: 'NOT_UNIQUE' });
  }
  expect(await call('get', ORDERS, 'protocol=v2')).toMatchObject([{ protocol: 'v2' }]);
  expect(await call('get', ORDER, 'protocol=v2')).toMatchObject({ protocol: 'v2' });
  for (const json of [[], null, 'x', { wait: 'no' }, { outcome: 'pay' }, { opnid: 'o1' }]) {
    expect([json, await call('post', PAY, 'protocol=v2', json)]).toMatchObject([
      json,
      { status: 400, code: 'PARAM_ERROR' },
    ]);
  }
  expect(await call('get', ORDERS, 'protocol=v4')).toMatchObject({ status: 400 });
  expect(await call('post', PAY, 'protocol=v2', { wait: false })).toMatchObject({ order: { protocol: 'v2' } });
});
