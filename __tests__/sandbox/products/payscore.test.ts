import * as Hash from '../../../lib/signature/hash';
import { refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});
beforeEach(() => shop.sandbox.clock.freeze());

const ROOT = 'v3/payscore/serviceorder';
const PERMISSIONS = 'v3/payscore/permissions';
const [appid, service_id, openid] = ['wx8888888888888888', '500001', 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'];
const [out_order_no, other] = ['RENT-1', 'oUpF8uN95-Ptaags6E_roPHg7AG0'];
const ORDER_ID = expect.stringMatching(/^\d{30}$/);
const PAID_AT = expect.stringMatching(/^\d{14}$/);

const order = (more: object = {}) => ({
  ...{ out_order_no, appid, service_id, service_introduction: '充电宝', notify_url: shop.notify_url },
  ...{ time_range: { start_time: '20200101000000' }, risk_fund: { name: 'DEPOSIT', amount: 9900 }, ...more },
});
const create = (more?: object) => shop.post(ROOT, order(more));
const query = () => shop.get(ROOT, { out_order_no, service_id, appid });
const call = (name: string, json: object = {}) =>
  shop.post(`${ROOT}/${out_order_no}/${name}`, { appid, service_id, ...json });
const cancel = () => call('cancel', { reason: '不用了' });
const costs = (total_amount: number, more: object = {}) => ({
  ...{ total_amount, post_payments: [{ name: '租金', amount: total_amount }], ...more },
});
const complete = (total = 500, more?: object) => call('complete', costs(total, more));
const modify = (total: number, more?: object) => call('modify', { reason: '优惠', ...costs(total, more) });
const sync = (paid_time = '20260101120000') => call('sync', { type: 'Order_Paid', detail: { paid_time } });
const confirm = () => shop.sandbox.playServiceOrder(out_order_no, 'confirm', openid);
const begin = async (more?: object) => {
  await create(more);
  await confirm();
};
const owed = async () => {
  await begin();
  await complete();
};

test('an order is created, confirmed, completed and collected', async () => {
  const created = await create();
  expect(created).toMatchObject({ state: 'CREATED', order_id: ORDER_ID, mchid: shop.mchid, out_order_no });
  const { signature, ...members } = Object.fromEntries(new URLSearchParams(String(created.package)));
  expect(members).toMatchObject({ mch_id: shop.mchid, service_id, out_order_no, sign_type: 'HMAC-SHA256' });
  expect(signature).toBe(Hash.sign('HMAC-SHA256', members, shop.sandbox.config.secret));
  expect(await create()).toEqual(created);

  expect(await confirm()).toMatchObject({ name: 'PAYSCORE.USER_CONFIRM', delivered: true });
  expect(await query()).toMatchObject({ state: 'DOING', state_description: 'USER_CONFIRM', openid });
  const completed = await complete();
  expect(completed).toMatchObject({ state: 'DOING', state_description: 'MCH_COMPLETE', total_amount: 500 });
  expect(await complete()).toEqual(completed);
  expect(await query()).toMatchObject({ collection: { state: 'USER_PAYING', paying_amount: 500, paid_amount: 0 } });

  await shop.sandbox.clock.advance({ seconds: 2 });
  const paid = await query();
  const details = [
    { seq: 1, amount: 500, paid_type: 'NEWTON', paid_time: PAID_AT, transaction_id: expect.any(String) },
  ];
  const collection = { state: 'USER_PAID', total_amount: 500, paying_amount: 0, paid_amount: 500, details };
  expect(paid).toMatchObject({ state: 'DONE', collection });
  expect(paid).not.toHaveProperty('state_description');
  expect(shop.notified).toEqual([
    ['PAYSCORE.USER_CONFIRM', expect.objectContaining({ state: 'DOING', state_description: 'USER_CONFIRM', openid })],
    ['PAYSCORE.USER_PAID', expect.objectContaining({ state: 'DONE', out_order_no, collection })],
  ]);
  expect(await shop.get(ROOT, { query_id: String(created.order_id), service_id, appid })).toEqual(paid);
});

test('an order that nobody confirms expires after 30 days', async () => {
  await create();
  await shop.sandbox.clock.advance({ days: 30 });
  expect(await query()).toMatchObject({ state: 'EXPIRED' });
  await expect(confirm()).rejects.toThrow('is EXPIRED');
});

test.each([
  ['created', create],
  ['confirmed', begin],
])('an order that is %s can be cancelled, again and again', async (_, prepare) => {
  await prepare();
  const cancelled = await cancel();
  expect(cancelled).toEqual({ appid, mchid: shop.mchid, out_order_no, service_id, order_id: ORDER_ID });
  expect(await cancel()).toEqual(cancelled);
  expect(await query()).toMatchObject({ state: 'REVOKED' });
});

test('an order that costs nothing is done at once', async () => {
  await begin();
  expect(await complete(0)).toMatchObject({ state: 'DONE', total_amount: 0, need_collection: false });
});

test('a completed order is made cheaper, and what is left is collected', async () => {
  await owed();
  expect(await modify(300)).toMatchObject({ total_amount: 300, state_description: 'MCH_COMPLETE' });
  expect(await modify(300)).toMatchObject({ total_amount: 300 });
  expect(await refusal(modify(400))).toMatch(/^400 INVALID_REQUEST .*lowered/);
  await shop.sandbox.playServiceOrder(out_order_no, 'pay');
  expect(await query()).toMatchObject({ state: 'DONE', collection: { paid_amount: 300 } });
});

test('a completed order that was paid elsewhere is done, and not collected', async () => {
  await owed();
  const synced = await sync();
  expect(synced).toMatchObject({ state: 'DONE', collection: { state: 'USER_PAID', details: [{ paid_type: 'MCH' }] } });
  expect(await sync()).toEqual(synced);
  await shop.sandbox.clock.advance({ minutes: 1 });
  expect(shop.notified).toHaveLength(1);
});

test('a collection can be asked for', async () => {
  await owed();
  expect(await call('pay')).toMatchObject({ out_order_no, order_id: ORDER_ID });
  await shop.sandbox.clock.advance({ seconds: 0 });
  expect(await query()).toMatchObject({ state: 'DONE' });
});

const NO_COLLECTION = '400 INVALID_ORDER_STATE 仅服务订单支付状态为待支付时，才可使用此能力';
const REPEATED = '400 INVALID_REQUEST 订单重入参数校验失败';
const ILLEGAL = '400 INVALID_REQUEST 当前订单状态不合法';
const ENDS_BEFORE = '400 INVALID_REQUEST 真实结束时间小于预计开始时间';
const ended = (end_time: string) => ({ time_range: { end_time } });

test.each<[string, () => Promise<unknown>, () => Promise<unknown>, string]>([
  ['another order of the same number', create, () => create({ service_introduction: '雨伞' }), REPEATED],
  [
    'creation of a cancelled order',
    () => create().then(cancel),
    create,
    '400 ORDER_CANCELED 当前订单状态不合法(已取消)',
  ],
  ['cancelling a completed order', owed, cancel, '400 INVALID_ORDER_STATE 当前订单状态不满足撤销条件'],
  ['completing a new order', create, complete, ILLEGAL],
  ['completing a cancelled order', () => create().then(cancel), complete, ILLEGAL],
  ['completing with another amount', owed, () => complete(400), REPEATED],
  ['a wrong sum', begin, () => complete(500, { total_amount: 501 }), '400 PARAM_ERROR 最终总金额计算非法'],
  [
    'a sum without its discounts',
    begin,
    () => complete(500, { post_discounts: [{ name: '券', description: '减', amount: 1 }] }),
    '400 PARAM_ERROR 最终总金额计算非法',
  ],
  ['more than the deposit', begin, () => complete(9901), '400 INVALID_REQUEST 总金额超过此服务的服务风险金额'],
  ['an end before the start', begin, () => complete(500, ended('20191231235959')), ENDS_BEFORE],
  [
    'a planned end before the start',
    async () => {},
    () => create({ time_range: { start_time: '20200102', end_time: '20200101' } }),
    ENDS_BEFORE,
  ],
  [
    'an end in the future',
    begin,
    () => complete(500, ended('29991231235959')),
    '400 INVALID_REQUEST The end_time 29991231235959 is in the future.',
  ],
  ['changing an order that is not completed', begin, () => modify(1), NO_COLLECTION],
  ['collecting an order that is not completed', begin, () => call('pay'), NO_COLLECTION],
  ['syncing an order that is not completed', begin, sync, NO_COLLECTION],
  [
    'syncing a paid order',
    () => owed().then(() => shop.sandbox.playServiceOrder(out_order_no, 'pay')),
    sync,
    '400 ORDER_DONE 当前订单状态不合法',
  ],
  ['an unknown order', async () => {}, query, '404 ORDER_NOT_EXIST 订单不存在'],
  [
    'an order of another service',
    create,
    () => shop.get(ROOT, { out_order_no, service_id: '1', appid }),
    '404 ORDER_NOT_EXIST 订单不存在',
  ],
])('%s is refused', async (_, prepare, attempt, expected) => {
  await prepare();
  expect(await refusal(attempt())).toBe(expected);
});

test('a body without risk_fund is refused', async () => {
  expect(await refusal(create({ risk_fund: undefined }))).toMatch(/^400 PARAM_ERROR/);
});

test('the user does only what the state allows', async () => {
  await expect(confirm()).rejects.toThrow('does not exist');
  await create();
  await expect(shop.sandbox.playServiceOrder(out_order_no, 'pay')).rejects.toThrow('is CREATED; pay is not possible');
});

describe('permissions', () => {
  const asking = () => ({ service_id, appid, authorization_code: 'A1', notify_url: shop.notify_url });
  const byCode = () => shop.get(`${PERMISSIONS}/authorization-code/A1`, { service_id });
  const byUser = () => shop.get(`${PERMISSIONS}/openid/${other}`, { service_id, appid });
  const terminate = (by: string) =>
    shop.post(`${PERMISSIONS}/${by}/terminate`, { service_id, appid, reason: '不用了' });
  const immediate = { need_user_confirm: false, openid: other };

  test('are asked for, granted and terminated', async () => {
    const asked = await shop.post(PERMISSIONS, asking());
    expect(asked).toEqual({ apply_permissions_token: expect.any(String) });
    expect(await shop.post(PERMISSIONS, asking())).toEqual(asked);
    expect([await byCode(), await byUser()]).toMatchObject(Array(2).fill({ authorization_state: 'UNAVAILABLE' }));
    expect(await refusal(terminate(`openid/${other}`))).toMatch(/^400 INVALID_REQUEST/);
    await shop.sandbox.playPermission('A1', 'open', other);
    expect(await byUser()).toMatchObject({ authorization_state: 'AVAILABLE', authorization_code: 'A1' });
    expect(await create(immediate)).toMatchObject({ state: 'DOING', state_description: 'USER_CONFIRM' });
    await expect(shop.sandbox.playPermission('A1', 'open')).rejects.toThrow('is AVAILABLE; open is not possible');

    expect(await terminate(`openid/${other}`)).toEqual({ status: 204 });
    await shop.sandbox.clock.advance({ seconds: 1 });
    expect(await byCode()).toMatchObject({ authorization_state: 'UNBINDUSER', openid: other });
    expect(shop.notified).toEqual(
      ['OPEN', 'CLOSE'].map((what) => [
        `PAYSCORE.USER_${what}_SERVICE`,
        expect.objectContaining({
          user_service_status: `USER_${what}_SERVICE`,
          openid: other,
          openorclose_time: PAID_AT,
        }),
      ]),
    );
    expect(await refusal(create({ ...immediate, out_order_no: 'RENT-2' }))).toBe('403 NO_AUTH 商户暂无权限使用此服务');
  });

  test('are ended by their code as well, and by the user', async () => {
    await shop.post(PERMISSIONS, asking());
    await shop.sandbox.playPermission('A1', 'open');
    await shop.sandbox.playPermission('A1', 'close');
    await shop.sandbox.playPermission('A1', 'open');
    expect(await byCode()).toMatchObject({ authorization_state: 'AVAILABLE', openid });
    const end = () => shop.post(`${PERMISSIONS}/authorization-code/A1/terminate`, { service_id, reason: '不用了' });
    expect([await end(), await end()]).toEqual([{ status: 204 }, { status: 204 }]);
    expect(await refusal(shop.get(`${PERMISSIONS}/authorization-code/A2`, { service_id }))).toMatch(/^404/);
  });

  test('without one, or before it is withdrawn, an order begins at once; it names the user', async () => {
    expect(await refusal(create({ need_user_confirm: false }))).toMatch(/^400 PARAM_ERROR "\/openid" in the body/);
    expect(await create(immediate)).toMatchObject({ state: 'DOING' });
  });
});
