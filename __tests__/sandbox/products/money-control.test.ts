import { createClock } from '../../../lib/sandbox/clock';
import { createIdentities } from '../../../lib/sandbox/identity';
import { createNotifier } from '../../../lib/sandbox/notifications/notify';
import { createOrders } from '../../../lib/sandbox/products/orders';
import type { Product, ProductContext } from '../../../lib/sandbox/products/product';
import { profitSharing } from '../../../lib/sandbox/products/profit-sharing';
import { transferBatches } from '../../../lib/sandbox/products/transfer-batches';
import { transfers } from '../../../lib/sandbox/products/transfers';
import { createKeyring } from '../../../lib/sandbox/protocol/keyring';
import { createStore } from '../../../lib/sandbox/store';
import type { SandboxRequest } from '../../../lib/sandbox/wire/request';

const mchid = '1900000109';
const appid = 'wx8888888888888888';
const NOWHERE = { status: 404, code: 'NOT_FOUND' };
const WRONG = { status: 400, code: 'PARAM_ERROR' };
const TOO_LATE = { status: 409, code: 'INVALID_REQUEST' };

let context: ProductContext;

/** What products need, without a sandbox that listens. */
beforeEach(async () => {
  const store = createStore();
  const { clock, schedule } = createClock(store);
  const identities = createIdentities(store, await createKeyring(store));
  const notifier = createNotifier({ store, clock, schedule, identities });
  context = { store, clock, schedule, identities, notifier, baseUrl: 'http://127.0.0.1/' };
});

/** Calls a handler of a product as the platform does; of a refusal status and code. */
async function call(
  { routes, control = [] }: Product,
  verb: string,
  path: string,
  json?: unknown,
  variables: Record<string, string> = {},
): Promise<unknown> {
  const [, , handler] = [...routes, ...control].find(([its, of]) => its === verb && of === path) ?? [];
  if (!handler) throw new Error(`There is no ${verb} ${path}.`);
  try {
    return await handler({ mchid, variables, json } as unknown as SandboxRequest);
  } catch (thrown) {
    const response = thrown as Response;
    return { status: response.status, code: Object(await response.json()).code };
  }
}

test('transfers are listed and played', async () => {
  const product = transfers(context);
  const play = (out_bill_no: string, json: unknown) =>
    call(product, 'post', 'sandbox/transfers/{out_bill_no}', json, { out_bill_no });
  const transfer_scene_report_infos = [{ info_type: '补贴类型', info_content: '购车补贴' }];
  const json = { appid, out_bill_no: 'BILL1', openid: 'openid-1', transfer_amount: 100, transfer_remark: '补贴' };
  await call(product, 'post', 'v3/fund-app/mch-transfer/transfer-bills', {
    ...{ ...json, transfer_scene_id: '1002', transfer_scene_report_infos },
  });
  expect(await call(product, 'get', 'sandbox/transfers')).toMatchObject([{ out_bill_no: 'BILL1' }]);
  for (const wrong of [undefined, {}, { outcome: 'win' }]) expect(await play('BILL1', wrong)).toEqual(WRONG);
  expect(await play('BILL2', { outcome: 'confirm' })).toEqual(NOWHERE);
  expect(await play('BILL1', { outcome: 'fail', fail_reason: 'ACCOUNT_FROZEN' })).toMatchObject({
    ...{ out_bill_no: 'BILL1', state: 'FAIL', fail_reason: 'ACCOUNT_FROZEN' },
  });
  expect(await play('BILL1', { outcome: 'confirm' })).toEqual(TOO_LATE);
});

test('batches of transfers are listed and played', async () => {
  const product = transferBatches(context);
  const play = (out_batch_no: string, json: unknown) =>
    call(product, 'post', 'sandbox/transfer-batches/{out_batch_no}', json, { out_batch_no });
  const transfer_detail_list = [
    { out_detail_no: 'DETAIL1', transfer_amount: 100, transfer_remark: '奖金', openid: 'openid-1' },
  ];
  const json = { appid, out_batch_no: 'BATCH1', batch_name: '奖金', batch_remark: '奖金' };
  const sums = { total_amount: 100, total_num: 1 };
  await call(product, 'post', 'v3/transfer/batches', { ...json, ...sums, transfer_detail_list });
  expect(await call(product, 'get', 'sandbox/transfer-batches')).toMatchObject([{ out_batch_no: 'BATCH1' }]);
  expect(await play('BATCH1', { outcome: 'win' })).toEqual(WRONG);
  expect(await play('BATCH2', { outcome: 'close' })).toEqual(NOWHERE);
  expect(await play('BATCH1', { outcome: 'fail', out_detail_no: 'DETAIL2' })).toEqual(TOO_LATE);
  expect(await play('BATCH1', { outcome: 'close' })).toMatchObject({ batch_status: 'CLOSED', fail_num: 1 });
  expect(await play('BATCH1', { outcome: 'close' })).toEqual(TOO_LATE);
});

test('profit sharing is listed, played and limited', async () => {
  const orders = createOrders(context);
  const time = context.clock.now() - 60_000;
  const transaction_id = '4300000000202611240000000000';
  orders.table.put(`${mchid}/v3/ORDER-1`, {
    ...{ mchid, protocol: 'v3', out_trade_no: 'ORDER-1', placed: {}, trade_type: 'NATIVE', trade_state: 'REFUND' },
    ...{ appid, description: '茶', total: 1000, currency: 'CNY', prepay_id: 'wx1', profit_sharing: true },
    ...{ created: time, expires: time, payment: { transaction_id, bank_type: 'OTHERS', time, payer_total: 1000 } },
  });
  const product = profitSharing(context, orders, () => 400);
  const left = async () =>
    call(product, 'get', 'v3/profitsharing/transactions/{transaction_id}/amounts', undefined, { transaction_id });
  // 10 yuan, of which 4 were refunded and 6 fen are the fee.
  expect(await left()).toEqual({ transaction_id, unsplit_amount: 594 });
  const receiver = { type: 'PERSONAL_OPENID', account: 'openid-1' };
  await call(product, 'post', 'v3/profitsharing/receivers/add', { appid, ...receiver, relation_type: 'USER' });
  const share = (out_order_no: string, amount: number) =>
    call(product, 'post', 'v3/profitsharing/orders', {
      ...{ appid, transaction_id, out_order_no, unfreeze_unsplit: false },
      receivers: [{ ...receiver, amount, description: '奖金' }],
    });
  expect(await share('SHARE-1', 181)).toEqual({ status: 400, code: 'INVALID_REQUEST' });
  await share('SHARE-1', 180);
  expect(await call(product, 'get', 'sandbox/profit-sharing')).toMatchObject([{ out_order_no: 'SHARE-1' }]);

  const limit = (json: unknown) => call(product, 'post', 'sandbox/profit-sharing', json);
  for (const max_ratio of [undefined, 0, 1.5, 10_001, '3000']) expect(await limit({ max_ratio })).toEqual(WRONG);
  expect(await limit({ max_ratio: 10_000 })).toEqual({ max_ratio: 10_000 });
  expect(await share('SHARE-2', 415)).toEqual({ status: 403, code: 'NOT_ENOUGH' });
  expect(await share('SHARE-2', 414)).toMatchObject({ state: 'PROCESSING' });

  const play = (out_order_no: string, json: unknown) =>
    call(product, 'post', 'sandbox/profit-sharing/{out_order_no}', json, { out_order_no });
  expect(await play('SHARE-1', { outcome: 'win' })).toEqual(WRONG);
  expect(await play('SHARE-9', { outcome: 'close' })).toEqual(NOWHERE);
  expect(await play('SHARE-1', { outcome: 'close', account: 'openid-9' })).toEqual(TOO_LATE);
  expect(await play('SHARE-1', { outcome: 'close' })).toMatchObject({ out_order_no: 'SHARE-1' });
});
