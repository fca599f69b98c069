import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { refusal, type Shop, useShop } from './shop';

let sandbox: Shop['sandbox'];
let instance: Shop['instance'];
let merchant: Shop;
useShop((shop) => {
  merchant = shop;
  ({ sandbox, instance } = shop);
});
beforeEach(() => sandbox.clock.freeze());

const MARKETING = [
  { info_type: '活动名称', info_content: '新会员有礼' },
  { info_type: '奖励说明', info_content: '注册会员抽奖一等奖' },
];
const wanted = (more: object = {}) => ({
  ...{ appid: 'wx8888888888888888', out_bill_no: 'BILL1', openid: 'openid-1', transfer_amount: 100 },
  ...{ transfer_remark: '中奖', transfer_scene_id: '1000', transfer_scene_report_infos: MARKETING },
  notify_url: merchant.notify_url,
  ...more,
});
const bills = () => instance.v3.fundApp.mchTransfer.transferBills;
const transfer = (more?: object) =>
  bills()
    .post({ json: wanted(more) })
    .json();
const query = (out_bill_no = 'BILL1') => bills().outBillNo._out_bill_no_.get({ out_bill_no }).json();
const cancel = (out_bill_no = 'BILL1') => bills().outBillNo._out_bill_no_.cancel.post({ out_bill_no }).json();

test('a transfer waits for its receiver, is confirmed and succeeds', async () => {
  const placed = await transfer();
  expect(placed).toEqual({
    ...{ out_bill_no: 'BILL1', state: 'WAIT_USER_CONFIRM' },
    transfer_bill_no: expect.stringMatching(/^1330\d{36}$/),
    create_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/),
    package_info: expect.stringMatching(/^ABBQO\+oYAAABAAAAAA[\w+/]+$/),
  });
  expect(await transfer()).toEqual(placed);
  const { transfer_bill_no, create_time, package_info } = placed;
  const shown = {
    ...{ mch_id: '1900000109', out_bill_no: 'BILL1', transfer_bill_no, appid: 'wx8888888888888888' },
    ...{ transfer_amount: 100, transfer_remark: '中奖', openid: 'openid-1', create_time },
  };
  const waiting = { ...shown, state: 'WAIT_USER_CONFIRM', update_time: create_time };
  expect(await query()).toEqual(waiting);
  expect(sandbox.transfers).toEqual([{ ...waiting, package_info }]);

  expect(sandbox.transfer('BILL1', { outcome: 'confirm' })).toMatchObject({ state: 'TRANSFERING' });
  const repeated = await transfer();
  expect(repeated).toMatchObject({ state: 'TRANSFERING' });
  expect(repeated).not.toHaveProperty('package_info');
  await sandbox.clock.advance({ seconds: 1 });
  const done = await bills().transferBillNo._transfer_bill_no_.get({ transfer_bill_no }).json();
  expect(done).toEqual({ ...shown, state: 'SUCCESS', update_time: expect.any(String) });
  expect(done.update_time > create_time).toBe(true);
  await merchant.until(1);
  const { appid: _appid, transfer_remark: _remark, ...content } = done;
  expect(merchant.notified).toEqual([['MCHTRANSFER.BILL.FINISHED', { ...content, mchid: '1900000109' }]]);
});

test('the name of the receiver comes back encrypted for the merchant', async () => {
  const placed = await transfer({ transfer_amount: 200_000, user_name: '张三' });
  // The client encrypts it anew.
  expect(await transfer({ transfer_amount: 200_000, user_name: '张三' })).toEqual(placed);
  expect(await query()).toMatchObject({ user_name: '张三' });
  expect(await refusal(transfer({ transfer_amount: 200_000, user_name: '李四' }))).toMatch(/^400 INVALID_REQUEST/);
  expect(sandbox.transfers[0]).not.toHaveProperty('user_name');
});

test('nobody confirms for 24 hours: it fails', async () => {
  await transfer();
  await sandbox.clock.advance({ hours: 23, minutes: 59 });
  expect(await query()).toMatchObject({ state: 'WAIT_USER_CONFIRM' });
  await sandbox.clock.advance({ minutes: 1 });
  expect(await query()).toMatchObject({ state: 'FAIL', fail_reason: 'OVERDUE_CLOSE' });
  await merchant.until(1);
  expect(merchant.notified[0]?.[1]).toMatchObject({ state: 'FAIL', fail_reason: 'OVERDUE_CLOSE' });
  expect(() => sandbox.transfer('BILL1', { outcome: 'confirm' })).toThrow(
    '"confirm" is not possible for the transfer BILL1: it is FAIL.',
  );
  expect(await refusal(cancel())).toBe('400 INVALID_REQUEST A transfer in the state FAIL cannot be cancelled.');
});

test('it is cancelled until the receiver has confirmed', async () => {
  const { transfer_bill_no } = await transfer();
  const cancelling = { out_bill_no: 'BILL1', transfer_bill_no, state: 'CANCELING', update_time: expect.any(String) };
  expect(await cancel()).toEqual(cancelling);
  expect(await cancel()).toEqual(cancelling);
  expect(() => sandbox.transfer('BILL1', { outcome: 'confirm' })).toThrow('it is CANCELING.');
  await sandbox.clock.advance({ seconds: 1 });
  expect(await query()).toMatchObject({ state: 'CANCELLED', fail_reason: 'MCH_CANCEL' });
  expect(await cancel()).toMatchObject({ state: 'CANCELLED' });
  await merchant.until(1);
  expect(merchant.notified[0]?.[1]).toMatchObject({ state: 'CANCELLED' });
  await sandbox.clock.advance({ days: 1 });
  expect(await query()).toMatchObject({ state: 'CANCELLED' });

  await transfer({ out_bill_no: 'BILL2' });
  sandbox.transfer('BILL2', { outcome: 'confirm' });
  expect(await refusal(cancel('BILL2'))).toBe(
    '400 INVALID_REQUEST A transfer in the state TRANSFERING cannot be cancelled.',
  );
});

test('it fails for a reason that one chooses, and while the money is on its way', async () => {
  await transfer({ notify_url: undefined });
  const failed = sandbox.transfer('BILL1', { outcome: 'fail', fail_reason: 'NAME_NOT_CORRECT' });
  expect(failed).toMatchObject({ state: 'FAIL', fail_reason: 'NAME_NOT_CORRECT' });
  expect(await transfer({ notify_url: undefined })).toMatchObject({ state: 'FAIL', fail_reason: 'NAME_NOT_CORRECT' });
  await transfer({ out_bill_no: 'BILL2' });
  sandbox.transfer('BILL2', { outcome: 'confirm' });
  sandbox.transfer('BILL2', { outcome: 'fail' });
  await sandbox.clock.advance({ seconds: 1 });
  expect(await query('BILL2')).toMatchObject({ state: 'FAIL', fail_reason: 'OTHER_FAIL_REASON_TYPE' });
  await merchant.until(1);
  // Of the first one nobody wants to be notified.
  expect(sandbox.notifications).toHaveLength(1);
});

test('a balance that does not suffice leaves it PROCESSING', async () => {
  const { package_info } = await transfer();
  sandbox.transfer('BILL1', { outcome: 'shortage' });
  const held = await transfer();
  expect(held).toMatchObject({ state: 'PROCESSING' });
  expect(held).not.toHaveProperty('package_info');
  expect(() => sandbox.transfer('BILL1', { outcome: 'confirm' })).toThrow('it is PROCESSING.');
  await sandbox.clock.advance({ hours: 20 });
  sandbox.transfer('BILL1', { outcome: 'fund' });
  expect(await transfer()).toMatchObject({ state: 'WAIT_USER_CONFIRM', package_info });
  // The receiver has 24 hours from now on.
  await sandbox.clock.advance({ hours: 20 });
  expect(await query()).toMatchObject({ state: 'WAIT_USER_CONFIRM' });
  await sandbox.clock.advance({ hours: 4 });
  expect(await query()).toMatchObject({ state: 'FAIL' });
});

const SALARY = [
  { info_type: '岗位类型', info_content: '外卖员' },
  { info_type: '报酬说明', info_content: '7月份配送费' },
];

const NO_REPORT =
  '400 PARAM_ERROR 需传入转账场景报备信息，请检查: "/transfer_scene_report_infos" in the body must tell what the scene asks for; compare it with the documentation of the scene.';

test.each<[string, object, string]>([
  ['too little', { transfer_amount: 9 }, '400 INVALID_REQUEST 超过单笔转账上下限，核实产品设置是否准确'],
  ['just enough', { transfer_amount: 10 }, 'accepted'],
  [
    'no name from 2,000 yuan on',
    { transfer_amount: 200_000 },
    '400 PARAM_ERROR 输入源“/body/user_name”映射到字段“收款用户姓名”必填性规则校验失败，此字段为必填项: "/user_name" in the body is required but missing; add it.',
  ],
  ['no name below 2,000 yuan', { transfer_amount: 199_999 }, 'accepted'],
  [
    'a name below 0.30 yuan',
    { transfer_amount: 29, user_name: '张三' },
    '400 PARAM_ERROR "/user_name" in the body is not allowed for a transfer of less than 0.30 yuan: leave it out.',
  ],
  ['a name at 0.30 yuan', { transfer_amount: 30, user_name: '张三' }, 'accepted'],
  [
    'a long number',
    { out_bill_no: 'B'.repeat(33) },
    '400 PARAM_ERROR 输入源“/body/out_bill_no”映射到值字段“商户单号”字符串规则校验失败，字节数 33，大于最大值 32: "/out_bill_no" in the body must have at most 32 bytes in UTF-8, not 33; shorten it.',
  ],
  [
    'a number with a hyphen',
    { out_bill_no: 'BILL-1' },
    '400 PARAM_ERROR 输入源“/body/out_bill_no”映射到值字段“商户单号”字符串规则校验失败，字符串必须匹配正则表达式“^[0-9A-Za-z]+$”: "/out_bill_no" in the body must match ^[0-9A-Za-z]+$.',
  ],
  ['a remark of 32 characters', { transfer_remark: '茶'.repeat(32) }, 'accepted'],
  [
    'a remark of 33 characters',
    { transfer_remark: '茶'.repeat(33) },
    '400 PARAM_ERROR "/transfer_remark" in the body must have 32 characters at most.',
  ],
  ['no report', { transfer_scene_report_infos: [] }, NO_REPORT],
  ['half a report', { transfer_scene_report_infos: MARKETING.slice(1) }, NO_REPORT],
  ['the report of another scene', { transfer_scene_report_infos: SALARY }, NO_REPORT],
  ['a scene of its own', { transfer_scene_id: '1005', transfer_scene_report_infos: SALARY }, 'accepted'],
  ['a scene that nobody knows', { transfer_scene_id: '1006' }, 'accepted'],
  ['a perception', { user_recv_perception: '现金奖励' }, 'accepted'],
  [
    'the perception of another scene',
    { user_recv_perception: '劳务报酬' },
    '400 INVALID_REQUEST 暂不支持展示当前传入的用户收款感知',
  ],
])('%s', async (_, more, outcome) => {
  expect(await refusal(transfer(more))).toBe(outcome);
});

test('one number is one transfer, and a refused one is not used up', async () => {
  expect(await refusal(transfer({ transfer_amount: 9 }))).toMatch(/^400/);
  const [first, second] = await Promise.all([transfer(), transfer()]);
  expect(second).toEqual(first);
  expect(await refusal(transfer({ transfer_amount: 101 }))).toBe(
    '400 INVALID_REQUEST 单号已存在但信息不一致，请查单后比较确认',
  );
  expect(await query()).toMatchObject({ transfer_amount: 100 });
});

test('what nobody knows', async () => {
  const transfer_bill_no = '1330000071100999991182020050700019480001';
  expect(await refusal(query())).toBe('404 NOT_FOUND 记录不存在');
  expect(await refusal(cancel())).toBe('404 NOT_FOUND 记录不存在');
  expect(await refusal(bills().transferBillNo._transfer_bill_no_.get({ transfer_bill_no }))).toBe(
    '404 NOT_FOUND 记录不存在',
  );
  expect(() => sandbox.transfer('BILL1', { outcome: 'confirm' })).toThrow('The transfer BILL1 does not exist.');
  await transfer();
  const other = Builder.factory(await sandbox.addMerchant());
  const asked = other.v3.fundApp.mchTransfer.transferBills.outBillNo._out_bill_no_.get({ out_bill_no: 'BILL1' });
  expect(await refusal(asked)).toBe('404 NOT_FOUND 记录不存在');
  // @ts-expect-error no outcome of a transfer
  expect(() => sandbox.transfer('BILL1', { outcome: 'win' })).toThrow(
    'Unknown outcome "win"; valid outcomes: confirm,',
  );
});

test('a transfer goes on after a restart, and the name is kept encrypted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
  try {
    const journal = join(directory, 'journal');
    const first = await Sandbox.start({ journal });
    first.clock.freeze();
    await Builder.factory(first.config).v3.fundApp.mchTransfer.transferBills.post({
      json: wanted({ notify_url: undefined }),
    });
    first.transfer('BILL1', { outcome: 'confirm' });
    await first.close();
    expect(readFileSync(journal, 'utf8')).toContain('BILL1');
    expect(readFileSync(journal, 'utf8')).not.toContain('张三');
    await using second = await Sandbox.start({ journal });
    expect(second.transfers).toMatchObject([{ out_bill_no: 'BILL1', state: 'TRANSFERING' }]);
    await second.clock.advance({ seconds: 1 });
    expect(second.transfers).toMatchObject([{ out_bill_no: 'BILL1', state: 'SUCCESS' }]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
