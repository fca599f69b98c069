import { refusal, type Shop, useShop } from './shop';

let sandbox: Shop['sandbox'];
let instance: Shop['instance'];
let merchant: Shop;
useShop((shop) => {
  merchant = shop;
  ({ sandbox, instance } = shop);
});
beforeEach(() => sandbox.clock.freeze());

const [mchid, appid, out_batch_no] = ['1900000109', 'wx8888888888888888', 'BATCH1'];
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);

const detail = (number: number, more: object = {}) => ({
  ...{ out_detail_no: `DETAIL${number}`, transfer_amount: 100 * number, transfer_remark: '奖金' },
  openid: `openid-${number}`,
  ...more,
});
const wanted = (more: object = {}) => ({
  ...{ appid, out_batch_no, batch_name: '奖金', batch_remark: '11月奖金', notify_url: merchant.notify_url },
  ...{ total_amount: 300, total_num: 2, transfer_detail_list: [detail(1), detail(2)] },
  ...more,
});
const transfer = (more?: object) => instance.v3.transfer.batches.post({ json: wanted(more) }).json();
const byNumber = () => instance.v3.transfer.batches.outBatchNo._out_batch_no_;
const byId = () => instance.v3.transfer.batches.batchId._batch_id_;
const query = (more: object = {}) =>
  byNumber()
    .get({ out_batch_no, query: { need_query_detail: true, ...more } })
    .json();
const queryDetail = (out_detail_no: string) =>
  byNumber().details.outDetailNo._out_detail_no_.get({ out_batch_no, out_detail_no }).json();
const later = () => sandbox.clock.advance({ seconds: 1 });

test('a batch is accepted, processed and finished', async () => {
  const [placed, again] = await Promise.all([transfer(), transfer()]);
  expect(again).toEqual(placed);
  expect(placed).toEqual({
    ...{ out_batch_no, batch_id: expect.stringMatching(/^1030\d{36}$/), create_time: TIME, batch_status: 'ACCEPTED' },
  });
  expect(await transfer()).toEqual(placed);
  const { batch_id, create_time } = placed;
  const batch = {
    ...{ mchid, appid, out_batch_no, batch_id, batch_type: 'API', batch_name: '奖金', batch_remark: '11月奖金' },
    ...{ total_amount: 300, total_num: 2, create_time, update_time: TIME },
  };
  const none = { success_amount: 0, success_num: 0, fail_amount: 0, fail_num: 0 };
  const listed = (detail_status: string) =>
    ['DETAIL1', 'DETAIL2'].map((out_detail_no) => ({
      ...{ detail_id: expect.stringMatching(/^1040\d{36}$/), out_detail_no, detail_status },
    }));
  expect(await query()).toEqual({
    transfer_batch: { ...batch, ...none, batch_status: 'ACCEPTED' },
    ...{ transfer_detail_list: listed('INIT'), offset: 0, limit: 20 },
  });
  await later();
  expect(await query()).toMatchObject({
    ...{ transfer_batch: { batch_status: 'PROCESSING' }, transfer_detail_list: listed('PROCESSING') },
  });
  await later();
  const done = { ...batch, ...none, success_amount: 300, success_num: 2, batch_status: 'FINISHED' };
  const found = await byId()
    .get({ batch_id, query: { need_query_detail: true } })
    .json();
  expect(found).toEqual({ transfer_batch: done, transfer_detail_list: listed('SUCCESS') });
  const plain = await byId()
    .get({ batch_id, query: { need_query_detail: false } })
    .json();
  expect(plain).toEqual({ transfer_batch: done });
  expect(sandbox.transferBatches).toEqual([found.transfer_batch]);
  await merchant.until(1);
  const { appid: _appid, batch_type: _type, batch_name: _name, batch_remark: _remark, ...content } = done;
  const { create_time: _time, ...told } = content;
  expect(merchant.notified).toEqual([['MCHTRANSFER.BATCH.FINISHED', told]]);
});

test('a transfer of a batch fails, the others succeed', async () => {
  await transfer();
  sandbox.transferBatch(out_batch_no, { outcome: 'fail', out_detail_no: 'DETAIL2', fail_reason: 'ACCOUNT_FROZEN' });
  await sandbox.clock.advance({ seconds: 2 });
  const sums = { success_amount: 100, success_num: 1, fail_amount: 200, fail_num: 1 };
  const { transfer_batch, transfer_detail_list = [] } = await query({ detail_status: 'FAIL' });
  expect(transfer_batch).toMatchObject({ batch_status: 'FINISHED', ...sums });
  expect(transfer_detail_list).toEqual([expect.objectContaining({ out_detail_no: 'DETAIL2', detail_status: 'FAIL' })]);
  const failed = await queryDetail('DETAIL2');
  const { batch_id } = transfer_batch;
  const detail_id = transfer_detail_list[0]?.detail_id ?? '';
  expect(failed).toEqual({
    ...{ mchid, appid, out_batch_no, batch_id, out_detail_no: 'DETAIL2', detail_id, detail_status: 'FAIL' },
    ...{ fail_reason: 'ACCOUNT_FROZEN', transfer_amount: 200, transfer_remark: '奖金', openid: 'openid-2' },
    ...{ initiate_time: TIME, update_time: TIME },
  });
  expect(await byId().details.detailId._detail_id_.get({ batch_id, detail_id }).json()).toEqual(failed);
  await merchant.until(1);
  expect(merchant.notified[0]?.[1]).toMatchObject(sums);
  expect(() => sandbox.transferBatch(out_batch_no, { outcome: 'fail' })).toThrow('has ended: it is FINISHED.');
});

test('a batch is closed', async () => {
  await transfer();
  sandbox.transferBatch(out_batch_no, { outcome: 'close', close_reason: 'TRANSFER_SCENE_INVALID' });
  await sandbox.clock.advance({ minutes: 1 });
  const closed = { batch_status: 'CLOSED', close_reason: 'TRANSFER_SCENE_INVALID' };
  expect(await query()).toMatchObject({ transfer_batch: { ...closed, fail_num: 2, success_num: 0 } });
  expect(await queryDetail('DETAIL1')).toMatchObject({ detail_status: 'FAIL', fail_reason: 'TRANSFER_SCENE_INVALID' });
  await merchant.until(1);
  expect(merchant.notified).toEqual([
    [
      'MCHTRANSFER.BATCH.CLOSED',
      {
        ...{ mchid, out_batch_no, batch_id: expect.any(String), ...closed, total_num: 2, total_amount: 300 },
        update_time: TIME,
      },
    ],
  ]);
});

test('the transfers of a batch are listed page by page', async () => {
  const transfer_detail_list = Array.from({ length: 45 }, (_, i) => detail(i + 1, { transfer_amount: 1 }));
  await transfer({ transfer_detail_list, total_amount: 45, total_num: 45 });
  const numbers = async (page: object) =>
    (await query(page)).transfer_detail_list?.map(({ out_detail_no }) => out_detail_no);
  const expected = transfer_detail_list.map(({ out_detail_no }) => out_detail_no);
  expect(await numbers({})).toEqual(expected.slice(0, 20));
  expect(await numbers({ offset: 20, limit: 100 })).toEqual(expected.slice(20));
  expect(await query({ offset: 40 })).toMatchObject({ offset: 40, limit: 20 });
  for (const page of [{ limit: 101 }, { limit: 0 }, { offset: -1 }]) {
    expect([page, await refusal(query(page))]).toEqual([page, expect.stringMatching(/^400 PARAM_ERROR/)]);
  }
});

test('the names of the receivers come back encrypted for the merchant', async () => {
  const named = (user_name: string) => ({ transfer_detail_list: [detail(1, { user_name }), detail(2)] });
  const placed = await transfer(named('张三'));
  expect(await transfer(named('张三'))).toEqual(placed);
  expect(await queryDetail('DETAIL1')).toMatchObject({ user_name: '张三' });
  expect(await refusal(transfer(named('李四')))).toBe('400 INVALID_REQUEST 单号已存在但信息不一致，请查单后比较确认');
});

test.each<[string, object, RegExp]>([
  [
    'another sum',
    { total_amount: 301 },
    /^400 PARAM_ERROR "\/total_amount" in the body must be 300, the sum of all amounts\.$/,
  ],
  ['another count', { total_num: 3 }, /^400 PARAM_ERROR "\/total_num" in the body must be 2\.$/],
  ['no transfers', { transfer_detail_list: [], total_amount: 0, total_num: 0 }, /^400 PARAM_ERROR/],
  [
    'a number twice',
    { transfer_detail_list: [detail(1), detail(1)], total_amount: 200 },
    /^400 PARAM_ERROR "\/transfer_detail_list\/1\/out_detail_no" in the body is that of an earlier entry\.$/,
  ],
  [
    'nothing to transfer',
    { transfer_detail_list: [detail(1, { transfer_amount: 0 }), detail(2)], total_amount: 200 },
    /^400 PARAM_ERROR "\/transfer_detail_list\/0\/transfer_amount" in the body must be 1 or more\.$/,
  ],
  [
    'much to transfer, and no name',
    { transfer_detail_list: [detail(1), detail(2, { transfer_amount: 200_000 })], total_amount: 200_100 },
    /^400 PARAM_ERROR 输入源“\/body\/transfer_detail_list\/1\/user_name”.*必填/,
  ],
  [
    'little to transfer, and a name',
    { transfer_detail_list: [detail(1, { transfer_amount: 29, user_name: '张三' }), detail(2)], total_amount: 229 },
    /^400 PARAM_ERROR "\/transfer_detail_list\/0\/user_name" in the body is not allowed/,
  ],
  ['a number with a hyphen', { out_batch_no: 'BATCH-1' }, /^400 PARAM_ERROR 输入源“\/body\/out_batch_no”.*正则表达式/],
])('a batch with %s', async (_, more, outcome) => {
  expect(await refusal(transfer(more))).toMatch(outcome);
  expect(await refusal(query())).toBe('404 NOT_FOUND 记录不存在');
});

test('what nobody knows', async () => {
  expect(await refusal(queryDetail('DETAIL1'))).toBe('404 NOT_FOUND 记录不存在');
  expect(() => sandbox.transferBatch(out_batch_no, { outcome: 'close' })).toThrow('The batch BATCH1 does not exist.');
  const { batch_id } = await transfer();
  await transfer({ out_batch_no: 'BATCH2', transfer_detail_list: [detail(3)], total_num: 1 });
  expect(await refusal(queryDetail('DETAIL3'))).toBe('404 NOT_FOUND 记录不存在');
  const other = byNumber().details.outDetailNo._out_detail_no_;
  const { detail_id } = await other.get({ out_batch_no: 'BATCH2', out_detail_no: 'DETAIL3' }).json();
  const mixed = byId().details.detailId._detail_id_.get({ batch_id, detail_id });
  expect(await refusal(mixed)).toBe('404 NOT_FOUND 记录不存在');
  expect(() => sandbox.transferBatch(out_batch_no, { outcome: 'fail', out_detail_no: 'DETAIL3' })).toThrow(
    'The batch BATCH1 has no transfer DETAIL3.',
  );
  // @ts-expect-error no outcome of a batch
  expect(() => sandbox.transferBatch(out_batch_no, { outcome: 'win' })).toThrow('Unknown outcome "win"');
});
