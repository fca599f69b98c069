import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { type Receiver, receiver, refusal } from './shop';

let sandbox: Sandbox;
let instance: ReturnType<typeof Builder.factory>;
/** The merchant that shares are paid to. */
let supplier: Receiver;
/** The merchant that shares. */
let shop: Receiver;
let account: string;
/** The payment of the order of 10 yuan. */
let transaction_id: string;

const [mchid, appid] = ['1900000109', 'wx8888888888888888'];

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = Builder.factory(sandbox.config);
  const config = await sandbox.addMerchant();
  account = config.mchid;
  supplier = await receiver(config);
  shop = await receiver(sandbox.config);
});

beforeEach(async () => {
  sandbox.clock.freeze();
  transaction_id = await paid();
  await sandbox.clock.advance({ minutes: 1 });
  await add();
});

afterEach(() => {
  sandbox.reset();
  supplier.notified.length = 0;
});

afterAll(async () => {
  supplier.close();
  shop.close();
  await sandbox.close();
});

/** Places an order and pays it. */
async function paid(out_trade_no = 'ORDER-1', settle_info: object = { profit_sharing: true }) {
  const json = { appid, mchid, description: '茶', out_trade_no, notify_url: shop.notify_url, amount: { total: 1000 } };
  await instance.v3.pay.transactions.native.post({ json: { ...json, settle_info } });
  await sandbox.pay(out_trade_no);
  const byNumber = instance.v3.pay.transactions.outTradeNo._out_trade_no_;
  const order = await byNumber.get({ out_trade_no, query: { mchid } }).json();
  return order.transaction_id ?? '';
}

const sharing = () => instance.v3.profitsharing;
const add = (more: object = {}) => {
  const json = { appid, type: 'MERCHANT_ID' as const, account, relation_type: 'SUPPLIER' as const, ...more };
  return sharing().receivers.add.post({ json }).json();
};
const remove = (more: object = {}) =>
  sharing()
    .receivers.delete.post({ json: { appid, type: 'MERCHANT_ID', account, ...more } })
    .json();
const receivers = (amount: number, more: object = {}) => ({
  receivers: [{ type: 'MERCHANT_ID' as const, account, amount, description: '分给供应商', ...more }],
});
const wanted = (more: object = {}) => ({
  ...{ appid, transaction_id, out_order_no: 'SHARE-1', unfreeze_unsplit: false, notify_url: supplier.notify_url },
  ...receivers(100),
  ...more,
});
const share = (more?: object) =>
  sharing()
    .orders.post({ json: wanted(more) })
    .json();
const query = (out_order_no = 'SHARE-1', more: object = {}) =>
  sharing()
    .orders._out_order_no_.get({ out_order_no, query: { transaction_id, ...more } })
    .json();
const unfreeze = (more: object = {}) =>
  sharing()
    .orders.unfreeze.post({ json: { transaction_id, out_order_no: 'UNFREEZE-1', description: '解冻', ...more } })
    .json();
const left = async (id = transaction_id) =>
  (await sharing().transactions._transaction_id_.amounts.get({ transaction_id: id }).json()).unsplit_amount;
const giveBack = (more: object = {}) => {
  const json = { out_order_no: 'SHARE-1', out_return_no: 'RETURN-1', return_mchid: account, amount: 40 };
  return sharing()
    .returnOrders.post({ json: { ...json, description: '退货', ...more } })
    .json();
};
const returned = (out_order_no = 'SHARE-1', out_return_no = 'RETURN-1') =>
  sharing().returnOrders._out_return_no_.get({ out_return_no, query: { out_order_no } }).json();
const finished = () => sandbox.clock.advance({ seconds: 1 });

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);

test('an order is shared, and the receiver is notified', async () => {
  expect(transaction_id).toMatch(/^4300\d{24}$/);
  // Of 10 yuan WeChat Pay keeps 0.6 %.
  expect(await left()).toBe(994);
  const asked = await share();
  const common = { type: 'MERCHANT_ID', account, amount: 100, description: '分给供应商' };
  expect(asked).toEqual({
    ...{
      transaction_id,
      out_order_no: 'SHARE-1',
      state: 'PROCESSING',
      order_id: expect.stringMatching(/^3008\d{24}$/),
    },
    receivers: [
      { ...common, result: 'PENDING', detail_id: expect.stringMatching(/^\d+$/), create_time: TIME, finish_time: TIME },
    ],
  });
  expect(await share()).toEqual(asked);
  expect(await left()).toBe(894);
  await finished();
  const done = await query();
  expect(done).toMatchObject({ order_id: asked.order_id, state: 'FINISHED', receivers: [{ result: 'SUCCESS' }] });
  expect(await share()).toEqual(done);
  expect(sandbox.profitSharings).toEqual([done]);
  await supplier.until(1);
  expect(supplier.notified).toEqual([
    [
      'PROFITSHARING.SUCCESS',
      {
        ...{ mchid, transaction_id, order_id: asked.order_id, out_order_no: 'SHARE-1', receiver: common },
        success_time: done.receivers?.[0]?.finish_time,
      },
    ],
  ]);
});

test('receivers are added once, with their names encrypted, and deleted', async () => {
  const person = { type: 'PERSONAL_OPENID', account: 'openid-1', relation_type: 'STAFF' };
  const { name: _, ...plain } = { ...person, name: '' };
  expect(await add({ ...person, name: '张三' })).toEqual({ ...plain, name: '张三' });
  expect(await add({ ...person, name: '李四', relation_type: 'USER' })).toEqual({ ...plain, name: '张三' });
  expect(await add({ relation_type: 'CUSTOM', custom_relation: '代理' })).toMatchObject({ relation_type: 'SUPPLIER' });
  const custom = { account: '1900000111', relation_type: 'CUSTOM' };
  expect(await refusal(add(custom))).toMatch(/^400 PARAM_ERROR 输入源“\/body\/custom_relation”/);
  expect(await add({ ...custom, custom_relation: '代理' })).toMatchObject({ custom_relation: '代理' });
  const sub = { type: 'PERSONAL_SUB_OPENID', account: 'openid-2', sub_mchid: '1900000120' };
  expect(await refusal(add(sub))).toMatch(/^400 PARAM_ERROR 输入源“\/body\/sub_appid”/);
  const ofSub = { type: sub.type, account: sub.account, sub_mchid: sub.sub_mchid };
  expect(await add({ ...sub, sub_appid: 'wx1' })).toEqual({ ...ofSub, relation_type: 'SUPPLIER' });

  expect(await remove({ type: 'PERSONAL_OPENID', account: 'openid-1' })).toEqual({
    ...{ type: 'PERSONAL_OPENID', account: 'openid-1' },
  });
  const again = refusal(remove({ type: 'PERSONAL_OPENID', account: 'openid-1' }));
  expect(await again).toBe('400 INVALID_REQUEST 分账接收方关系不存在');
  expect(await refusal(remove({ ...ofSub, sub_mchid: '1900000121' }))).toMatch(/^400 INVALID_REQUEST/);
  expect(await remove({ ...ofSub, sub_appid: 'wx1' })).toEqual(ofSub);
});

test('each receiver succeeds or fails on its own', async () => {
  const people = ['openid-1', 'openid-2', 'openid-3'];
  for (const person of people) await add({ type: 'PERSONAL_OPENID', account: person, relation_type: 'STAFF' });
  const list = people.map((person) => ({ type: 'PERSONAL_OPENID', account: person, amount: 50, description: '奖金' }));
  await share({ receivers: list });
  expect(await left()).toBe(844);
  const closing = { outcome: 'close', account: 'openid-1', fail_reason: 'RECEIVER_HIGH_RISK' } as const;
  expect(sandbox.profitSharing('SHARE-1', closing)).toMatchObject({ state: 'PROCESSING' });
  await remove({ type: 'PERSONAL_OPENID', account: 'openid-2' });
  await finished();
  expect(await query()).toMatchObject({
    state: 'FINISHED',
    receivers: [
      { account: 'openid-1', result: 'CLOSED', fail_reason: 'RECEIVER_HIGH_RISK' },
      { account: 'openid-2', result: 'CLOSED', fail_reason: 'NO_RELATION' },
      { account: 'openid-3', result: 'SUCCESS' },
    ],
  });
  // What nobody got can be shared again. People are not notified.
  expect(await left()).toBe(944);
  expect(sandbox.notifications.map(({ name }) => name)).toEqual(['TRANSACTION.SUCCESS']);
  expect(() => sandbox.profitSharing('SHARE-1', { outcome: 'close' })).toThrow('SHARE-1 is FINISHED.');
});

test('what is left goes to the merchant, and nothing more is shared', async () => {
  await share();
  await finished();
  const asked = await unfreeze();
  expect(asked).toMatchObject({
    state: 'PROCESSING',
    receivers: [{ type: 'MERCHANT_ID', account: mchid, amount: 894, description: '解冻', result: 'PENDING' }],
  });
  expect(await unfreeze()).toEqual(asked);
  await finished();
  expect(await query('UNFREEZE-1')).toMatchObject({ state: 'FINISHED', receivers: [{ result: 'SUCCESS' }] });
  expect(await left()).toBe(0);
  expect(await refusal(share({ out_order_no: 'SHARE-2' }))).toBe('400 INVALID_REQUEST 订单已完结分账，不支持分账');
  expect(await refusal(unfreeze({ out_order_no: 'UNFREEZE-2' }))).toBe('403 NOT_ENOUGH 分账金额为0');
  const back = refusal(giveBack({ out_order_no: 'UNFREEZE-1', return_mchid: mchid }));
  expect(await back).toBe('400 INVALID_REQUEST 回退方不存在');
});

test('an order that is shared for the last time, and one that is left for 30 days', async () => {
  await share({ unfreeze_unsplit: true });
  expect(await left()).toBe(0);
  expect(await refusal(share({ out_order_no: 'SHARE-2' }))).toMatch('订单已完结分账，不支持分账');
  const other = await paid('ORDER-2');
  await sandbox.clock.advance({ days: 29, hours: 23 });
  expect(await left(other)).toBe(994);
  await sandbox.clock.advance({ hours: 1 });
  expect(await left(other)).toBe(0);
  const late = share({ transaction_id: other, out_order_no: 'SHARE-3' });
  expect(await refusal(late)).toMatch('订单已完结分账，不支持分账');
});

test('30 % of an order can be shared, or what the merchant has agreed on', async () => {
  expect(await refusal(share(receivers(301)))).toBe('400 INVALID_REQUEST 分账金额超出最大分账比例');
  await share(receivers(200));
  const second = (amount: number) => share({ out_order_no: 'SHARE-2', ...receivers(amount) });
  expect(await refusal(second(101))).toMatch('分账金额超出最大分账比例');
  await second(100);
  // The sharer may pay itself whatever is left.
  await share({ out_order_no: 'SHARE-3', ...receivers(500, { account: mchid }) });
  expect(await left()).toBe(194);
  sandbox.limitProfitSharing(10_000);
  const last = (amount: number) => share({ out_order_no: 'SHARE-4', ...receivers(amount) });
  expect(await refusal(last(195))).toBe('403 NOT_ENOUGH 分账金额不足');
  await last(194);
  expect(await left()).toBe(0);
  expect(() => sandbox.limitProfitSharing(0.3)).toThrow('"max_ratio" must be a whole number from 1 to 10000');
  const config = (sub_mchid: string) => sharing().merchantConfigs._sub_mchid_.get({ sub_mchid });
  expect(await config('1900000120').json()).toEqual({ sub_mchid: '1900000120', max_ratio: 10_000 });
  expect(await refusal(config(mchid))).toBe('403 NO_AUTH 非服务商下的签约子商户');
});

test('an order that has just been paid, or is not to be shared', async () => {
  const fresh = await paid('ORDER-2');
  const early = share({ transaction_id: fresh, out_order_no: 'SHARE-2' });
  expect(await refusal(early)).toBe('400 INVALID_REQUEST 订单处理中，请稍后重试');
  const plain = await paid('ORDER-3', {});
  expect(plain).toMatch(/^4200/);
  await sandbox.clock.advance({ minutes: 1 });
  expect(await refusal(share({ transaction_id: plain }))).toBe('400 INVALID_REQUEST 非分账订单不支持分账');
  expect(await refusal(unfreeze({ transaction_id: plain }))).toBe('400 INVALID_REQUEST 非分账订单不支持解冻剩余资金');
  expect(await refusal(left(plain))).toBe('400 INVALID_REQUEST 非分账订单不支持此查询');
  expect(await refusal(left('4300000000202611240000000000'))).toBe('400 INVALID_REQUEST 非本商户的订单不支持查询');
  expect(await share({ transaction_id: fresh, out_order_no: 'SHARE-2' })).toMatchObject({ state: 'PROCESSING' });
});

test.each<[string, () => object, string]>([
  [
    'a payment with another number',
    () => ({ transaction_id: '42' }),
    '400 PARAM_ERROR 订单号格式不正确: "/transaction_id" in the body must have 28 digits.',
  ],
  [
    'a payment that nobody knows',
    () => ({ transaction_id: '4300000000202611240000000000' }),
    '400 INVALID_REQUEST 订单不存在',
  ],
  [
    'a sub-merchant without a partner',
    () => ({ sub_mchid: '1900000120' }),
    '400 INVALID_REQUEST 服务商和分账方无受理关系',
  ],
  [
    'nobody to share with',
    () => ({ receivers: undefined }),
    '400 PARAM_ERROR 输入源“/body/receivers”映射到字段“分账接收方列表”必填性规则校验失败，此字段为必填项: "/receivers" in the body is required but missing; add it.',
  ],
  [
    'too many to share with',
    () => ({ receivers: Array.from({ length: 51 }, () => receivers(1).receivers[0]) }),
    '400 PARAM_ERROR "/receivers" in the body must have 50 entries at most.',
  ],
  ['nothing', () => receivers(0), '400 PARAM_ERROR "/receivers/0/amount" in the body must be 1 or more.'],
  ['a stranger', () => receivers(1, { account: '1900000119' }), '400 INVALID_REQUEST 分账接收方关系不存在'],
  [
    'a long number',
    () => ({ out_order_no: 'S'.repeat(65) }),
    '400 PARAM_ERROR 输入源“/body/out_order_no”映射到值字段“商户分账单号”字符串规则校验失败，字节数 65，大于最大值 64: "/out_order_no" in the body must have at most 64 bytes in UTF-8, not 65; shorten it.',
  ],
  [
    'a number with a blank',
    () => ({ out_order_no: 'SHARE 1' }),
    '400 PARAM_ERROR 输入源“/body/out_order_no”映射到值字段“商户分账单号”字符串规则校验失败，字符串必须匹配正则表达式“^[0-9A-Za-z_\\-|*@]+$”: "/out_order_no" in the body must match ^[0-9A-Za-z_\\-|*@]+$.',
  ],
])('shared with %s', async (_, more, outcome) => {
  expect(await refusal(share(more()))).toBe(outcome);
  // The number is not used up.
  expect(await share()).toMatchObject({ state: 'PROCESSING' });
});

test('one number is one request', async () => {
  const [first, second] = await Promise.all([share(), share()]);
  expect(second).toEqual(first);
  expect(await refusal(share(receivers(99)))).toBe('400 INVALID_REQUEST 分账接收方与原请求不一致');
  const others = '400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致';
  expect(await refusal(share({ unfreeze_unsplit: true }))).toBe(others);
  expect(await refusal(unfreeze({ out_order_no: 'SHARE-1' }))).toBe(others);
  expect(await left()).toBe(894);
  expect(await refusal(query('SHARE-2'))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');
  expect(await refusal(query('SHARE-1', { transaction_id: '1' }))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');
  expect(await refusal(query('SHARE-1', { sub_mchid: '1' }))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');
});

test('the names of people are compared by what they are', async () => {
  await add({ type: 'PERSONAL_OPENID', account: 'openid-1', relation_type: 'STAFF', name: '张三' });
  const named = (name: string) => share(receivers(10, { type: 'PERSONAL_OPENID', account: 'openid-1', name }));
  const asked = await named('张三');
  expect(await named('张三')).toEqual(asked);
  expect(await refusal(named('李四'))).toBe('400 INVALID_REQUEST 分账接收方与原请求不一致');
});

test('an order is shared 50 times at most', async () => {
  for (let i = 0; i < 50; i += 1) await share({ out_order_no: `SHARE-${i}`, ...receivers(1) });
  const more = share({ out_order_no: 'SHARE-50', ...receivers(1) });
  expect(await refusal(more)).toBe('400 INVALID_REQUEST An order has 50 requests to share it at most.');
});

test('a receiver gives money back, which is not shared again', async () => {
  const { order_id } = await share();
  expect(await refusal(giveBack())).toBe('400 INVALID_REQUEST 回退方不存在');
  await finished();
  const back = await giveBack();
  expect(back).toEqual({
    ...{ order_id, out_order_no: 'SHARE-1', out_return_no: 'RETURN-1', return_id: expect.stringMatching(/^\d+$/) },
    ...{ return_mchid: account, amount: 40, description: '退货', result: 'SUCCESS' },
    ...{ create_time: TIME, finish_time: TIME },
  });
  expect(await giveBack()).toEqual(back);
  expect(await returned()).toEqual(back);
  expect(await left()).toBe(894);
  expect(await refusal(giveBack({ amount: 41 }))).toBe('400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致');
  const second = (more: object) => giveBack({ out_return_no: 'RETURN-2', ...more });
  expect(await refusal(second({ amount: 61 }))).toMatch(/^403 NOT_ENOUGH .* can return 60 fen, not 61\.$/);
  expect(await refusal(second({ amount: 0 }))).toMatch(/^400 PARAM_ERROR/);
  expect(await refusal(second({ return_mchid: '1900000119' }))).toBe('400 INVALID_REQUEST 回退方不存在');
  expect(await refusal(second({ out_order_no: 'SHARE-9' }))).toMatch(/^400 INVALID_REQUEST/);
  expect(await refusal(second({ out_order_no: undefined }))).toMatch(/^400 PARAM_ERROR 输入源“\/body\/order_id”/);
  expect(await refusal(second({ order_id, out_order_no: 'SHARE-9' }))).toMatch(/^400 INVALID_REQUEST/);
  expect(await refusal(second({ sub_mchid: '1900000120' }))).toMatch('服务商和分账方无受理关系');
  expect(await refusal(returned('SHARE-9'))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');
  expect(await refusal(returned('SHARE-1', 'RETURN-9'))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');

  sandbox.profitSharing('SHARE-1', { outcome: 'refuse-return' });
  const failed = { result: 'FAILED', fail_reason: 'BALANCE_NOT_ENOUGH' };
  expect(await second({ order_id, out_order_no: undefined, amount: 60 })).toMatchObject(failed);
  await sandbox.clock.advance({ days: 180 });
  expect(await refusal(giveBack({ out_return_no: 'RETURN-3' }))).toMatch(/180 days/);
});

test('a partner shares the order of its sub-merchant', async () => {
  const sub_mchid = '1900000120';
  const order = { sp_appid: appid, sp_mchid: mchid, sub_mchid, description: '茶', out_trade_no: 'ORDER-2' };
  const json = {
    ...order,
    notify_url: shop.notify_url,
    amount: { total: 1000 },
    settle_info: { profit_sharing: true },
  };
  await instance.v3.pay.partner.transactions.native.post({ json });
  await sandbox.pay('ORDER-2');
  const byNumber = instance.v3.pay.partner.transactions.outTradeNo._out_trade_no_;
  const paid = await byNumber.get({ out_trade_no: 'ORDER-2', query: { sp_mchid: mchid, sub_mchid } }).json();
  const { transaction_id: id = '' } = paid;
  await sandbox.clock.advance({ minutes: 1 });
  const of = (more: object = {}) => share({ transaction_id: id, out_order_no: 'SHARE-2', sub_mchid, ...more });

  expect(await refusal(of({ sub_mchid: undefined }))).toMatch(/^400 PARAM_ERROR 输入源“\/body\/sub_mchid”.*必填/);
  expect(await refusal(of({ sub_mchid: '1900000121' }))).toBe('400 INVALID_REQUEST 服务商和分账方无受理关系');
  // The partner's own receivers are others than those of the sub-merchant.
  expect(await refusal(of())).toBe('400 INVALID_REQUEST 分账接收方关系不存在');
  await add({ sub_mchid });
  const asked = await of();
  expect(asked).toMatchObject({ sub_mchid, transaction_id: id, state: 'PROCESSING' });
  await finished();
  await supplier.until(1);
  expect(supplier.notified[0]).toMatchObject(['PROFITSHARING.SUCCESS', { sp_mchid: mchid, sub_mchid }]);
  expect(await refusal(query('SHARE-2', { transaction_id: id }))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');
  expect(await query('SHARE-2', { transaction_id: id, sub_mchid })).toMatchObject({ sub_mchid, state: 'FINISHED' });
  expect(await left(id)).toBe(894);
  expect(await giveBack({ out_order_no: 'SHARE-2', sub_mchid })).toMatchObject({ sub_mchid, result: 'SUCCESS' });
  expect(await refusal(returned('SHARE-2'))).toBe('404 RESOURCE_NOT_EXISTS 记录不存在');
  expect(await unfreeze({ transaction_id: id, sub_mchid })).toMatchObject({
    ...{ sub_mchid, receivers: [{ type: 'MERCHANT_ID', account: sub_mchid, amount: 894 }] },
  });
});

test('merchants that the sandbox does not have are not notified, nor where nobody says where', async () => {
  await add({ account: '1900000130' });
  await share(receivers(100, { account: '1900000130' }));
  await share({ out_order_no: 'SHARE-2', notify_url: undefined });
  await share({ out_order_no: 'SHARE-3', ...receivers(100, { account: mchid }) });
  await finished();
  for (const number of ['SHARE-1', 'SHARE-2', 'SHARE-3']) {
    expect(await query(number)).toMatchObject({ receivers: [{ result: 'SUCCESS' }] });
  }
  expect(sandbox.notifications.map(({ name }) => name)).toEqual(['TRANSACTION.SUCCESS']);
});

test('a profit sharing order has 50 returns at most', async () => {
  await share();
  await finished();
  for (let i = 0; i < 50; i += 1) await giveBack({ out_return_no: `RETURN-${i}`, amount: 1 });
  const more = giveBack({ out_return_no: 'RETURN-50', amount: 1 });
  expect(await refusal(more)).toBe('400 INVALID_REQUEST A profit sharing order has 50 returns at most.');
});

test('what cannot be played', () => {
  expect(() => sandbox.profitSharing('SHARE-9', { outcome: 'close' })).toThrow('SHARE-9 does not exist.');
  // @ts-expect-error no outcome of a profit sharing order
  expect(() => sandbox.profitSharing('SHARE-9', { outcome: 'win' })).toThrow('Unknown outcome "win"');
});
