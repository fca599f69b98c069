import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, Builder, Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

let sandbox: Sandbox;
let server: Server;
let notify_url: string;
let instance: ReturnType<typeof Builder.factory>;
/** What the merchant was notified of. */
let notified: [string, Record<string, unknown>][] = [];
const [appid, out_trade_no] = ['wx8888888888888888', 'ORDER-1'];

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = Builder.factory(sandbox.config);
  const { certs, apiv3Key } = sandbox.config;
  const notifications = Notifications.of({ certs, apiv3Key });
  server = createServer(
    notifications.nodeHandler(({ event_type, resource }) => {
      notified.push([event_type, { ...resource }]);
      server.emit('notified');
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
});

afterEach(() => {
  sandbox.reset();
  notified = [];
});

afterAll(async () => {
  server.close();
  await sandbox.close();
});

const mchid = '1900000109';
const order = (more: object = {}) => ({
  ...{ appid, mchid, description: '茶', out_trade_no, notify_url, attach: 'table 7' },
  amount: { total: 100 },
  ...more,
});
const place = (more?: object) => instance.v3.pay.transactions.native.post({ json: order(more) }).json();
const query = (number = out_trade_no) =>
  instance.v3.pay.transactions.outTradeNo._out_trade_no_.get({ out_trade_no: number, query: { mchid } }).json();
const close = () => instance.chain('v3/pay/transactions/out-trade-no/ORDER-1/close').post({ json: { mchid } });
const wanted = (more: object = {}) => ({
  ...{ out_trade_no, out_refund_no: 'REFUND-1', notify_url, amount: { refund: 40, total: 100, currency: 'CNY' } },
  ...more,
});
const refund = (more?: object) => instance.v3.refund.domestic.refunds.post({ json: wanted(more) }).json();
const amount = (refunded: number, total = 100, currency = 'CNY') => ({ amount: { refund: refunded, total, currency } });
const refundState = (out_refund_no = 'REFUND-1') =>
  instance.v3.refund.domestic.refunds._out_refund_no_.get({ out_refund_no }).json();

/** Status and code that a call is refused with. */
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => 'accepted',
    (error) => (error instanceof ApiError ? `${error.status} ${error.code}` : String(error)),
  );

test('from order to payment to refund, each with its notification', async () => {
  const { code_url } = await place();
  expect(code_url).toMatch(/^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/);
  expect(await place()).toEqual({ code_url });
  expect(await query()).toEqual({
    ...{ appid, mchid, out_trade_no, amount: { total: 100, payer_currency: 'CNY' } },
    ...{ trade_state: 'NOTPAY', trade_state_desc: '订单未支付' },
  });

  const delivery = await sandbox.pay(out_trade_no, 'openid-1');
  expect(delivery).toMatchObject({ name: 'TRANSACTION.SUCCESS', url: notify_url, delivered: true });
  const paid = await query();
  expect(paid).toEqual({
    ...{ appid, mchid, out_trade_no, attach: 'table 7' },
    transaction_id: expect.stringMatching(/^4200\d{24}$/),
    ...{ trade_type: 'NATIVE', trade_state: 'SUCCESS', trade_state_desc: '支付成功', bank_type: 'OTHERS' },
    success_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/),
    payer: { openid: 'openid-1' },
    amount: { total: 100, currency: 'CNY', payer_total: 100, payer_currency: 'CNY' },
  });
  expect(notified).toEqual([['TRANSACTION.SUCCESS', paid]]);
  const { transaction_id = '' } = paid;
  const byId = instance.v3.pay.transactions.id._transaction_id_;
  expect(await byId.get({ transaction_id, query: { mchid } }).json()).toEqual(paid);

  const arrived = once(server, 'notified');
  const asked = await refund();
  expect(asked).toMatchObject({ status: 'PROCESSING', out_refund_no: 'REFUND-1', transaction_id, out_trade_no });
  await arrived;
  const done = await refundState();
  expect(done).toEqual({ ...asked, status: 'SUCCESS', success_time: expect.stringContaining('+08:00') });
  expect(notified[1]).toEqual([
    'REFUND.SUCCESS',
    {
      ...{ mchid, out_trade_no, transaction_id, out_refund_no: 'REFUND-1', refund_id: done.refund_id },
      ...{ refund_status: 'SUCCESS', success_time: done.success_time, user_received_account: '支付用户零钱' },
      amount: { total: 100, refund: 40, payer_total: 100, payer_refund: 40 },
    },
  ]);
  expect(await query()).toMatchObject({ trade_state: 'REFUND', transaction_id });
  expect(sandbox.notifications.map(({ name }) => name)).toEqual(['TRANSACTION.SUCCESS', 'REFUND.SUCCESS']);
});

test('an order is refused by the rules of WeChat Pay', async () => {
  expect(await refusal(query())).toBe('404 ORDER_NOT_EXIST');
  expect(await refusal(close())).toBe('404 ORDER_NOT_EXIST');
  const wrong = [
    { out_trade_no: undefined },
    { notify_url: '/notify' },
    { notify_url: `${notify_url}?order=1` },
    { amount: { total: 0 } },
    { amount: { total: '100' } },
    { mchid: '1900000110' },
  ];
  for (const more of wrong) expect([more, await refusal(place(more))]).toEqual([more, '400 PARAM_ERROR']);
  await place();
  expect(await refusal(place({ amount: { total: 1 } }))).toBe('400 INVALID_REQUEST');
  const other = instance.v3.pay.transactions.outTradeNo._out_trade_no_.get({ out_trade_no, query: { mchid: '1' } });
  expect(await refusal(other)).toBe('400 PARAM_ERROR');
});

test('an order that is paid is neither placed, closed nor paid again', async () => {
  await place();
  await sandbox.pay(out_trade_no);
  expect([await refusal(place()), await refusal(close())]).toEqual(['400 ORDERPAID', '400 ORDERPAID']);
  await expect(sandbox.pay(out_trade_no)).rejects.toThrow('The order ORDER-1 cannot be paid: it is SUCCESS.');
});

test('an order that is closed is neither placed, closed nor paid again', async () => {
  await place();
  expect((await close()).status).toBe(204);
  expect(await query()).toMatchObject({ trade_state: 'CLOSED' });
  expect([await refusal(place()), await refusal(close())]).toEqual(['400 ORDER_CLOSED', '400 ORDER_CLOSED']);
  await expect(sandbox.pay(out_trade_no)).rejects.toThrow('cannot be paid: it is CLOSED.');
  await expect(sandbox.pay('ORDER-2')).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  expect(notified).toEqual([]);
});

test('a refund is refused by the rules of WeChat Pay', async () => {
  expect(await refusal(refund())).toBe('404 RESOURCE_NOT_EXISTS');
  expect(await refusal(refundState())).toBe('404 RESOURCE_NOT_EXISTS');
  await place();
  expect(await refusal(refund())).toBe('400 INVALID_REQUEST');
  await sandbox.pay(out_trade_no);
  const wrong: [object, string][] = [
    [{ out_trade_no: undefined }, '400 PARAM_ERROR'],
    [{ notify_url: 'nowhere' }, '400 PARAM_ERROR'],
    [amount(0), '400 PARAM_ERROR'],
    [amount(1.5), '400 PARAM_ERROR'],
    [amount(1, 100, 'USD'), '400 PARAM_ERROR'],
    [amount(1, 99), '400 INVALID_REQUEST'],
    [amount(101), '400 INVALID_REQUEST'],
    [{ transaction_id: '4200' }, '404 RESOURCE_NOT_EXISTS'],
  ];
  for (const [more, code] of wrong) expect([more, await refusal(refund(more))]).toEqual([more, code]);
  expect(await query()).toMatchObject({ trade_state: 'SUCCESS' });
});

test('no more is refunded than was paid, and each refund once', async () => {
  await place();
  await sandbox.pay(out_trade_no);
  const { transaction_id } = await query();
  const first = await refund();
  expect((await refund()).refund_id).toBe(first.refund_id);
  expect(await refusal(refund(amount(41)))).toBe('400 INVALID_REQUEST');
  expect(await refusal(refund({ out_refund_no: 'REFUND-2', ...amount(61) }))).toBe('400 INVALID_REQUEST');
  const rest = { out_trade_no: undefined, transaction_id, notify_url: undefined };
  expect(await refund({ ...rest, out_refund_no: 'REFUND-2', ...amount(60) })).toMatchObject({ out_trade_no });
  await sandbox.clock.advance({ seconds: 1 });
  expect(await refundState('REFUND-2')).toMatchObject({ status: 'SUCCESS' });
  expect(await refusal(refund({ out_refund_no: 'REFUND-3', ...amount(1) }))).toBe('400 INVALID_REQUEST');
  while (notified.length < 2) await once(server, 'notified');
  // Of the second nobody wants to be notified.
  expect(sandbox.notifications.map(({ name }) => name)).toEqual(['TRANSACTION.SUCCESS', 'REFUND.SUCCESS']);
});

test('a handler of yours goes first, and reset forgets all payments', async () => {
  const remove = sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'mine' }));
  expect(await place()).toEqual({ code_url: 'mine' });
  remove();
  await place();
  sandbox.reset();
  expect(await refusal(query())).toBe('404 ORDER_NOT_EXIST');
});
