import { ApiError, Builder } from 'wechatpay-undici';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { loose } from '../support/loose';
import { useSandbox } from '../support/sandbox';
import { send } from './support';

let sandbox: Sandbox;
useSandbox((started) => {
  sandbox = started;
});

const NATIVE = '/v3/pay/transactions/native';
const order = () => ({
  ...{ appid: 'wx8888888888888888', mchid: sandbox.config.mchid, description: '茶', out_trade_no: 'ORDER-1' },
  ...{ notify_url: 'http://127.0.0.1:9/', amount: { total: 1, currency: 'CNY' } },
});

// What developers posted, word for word; behind it, what to change.
test.each<[string, () => unknown, string, object]>([
  [
    'lacks a member',
    () => ({ ...order(), out_trade_no: undefined }),
    '输入源“/body/out_trade_no”映射到字段“商户订单号”必填性规则校验失败，此字段为必填项: "/out_trade_no" in the body is required but missing; add a string (商户订单号).',
    { field: '/out_trade_no', issue: 'is required but missing' },
  ],
  [
    'has a number as text',
    () => ({ ...order(), amount: { total: '1' } }),
    '无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数: "/amount/total" in the body must be an integer, not the string "1".',
    { field: '/amount/total', issue: 'must be an integer', value: '1' },
  ],
  [
    'has a text that is too long',
    () => ({ ...order(), out_trade_no: 'x'.repeat(36) }),
    '输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字节数 36，大于最大值 32: "/out_trade_no" in the body must have at most 32 bytes in UTF-8, not 36; shorten it.',
    { field: '/out_trade_no', issue: 'must have at most 32 bytes in UTF-8', value: 'x'.repeat(36) },
  ],
  [
    'has a member that nobody documents',
    () => ({ ...order(), amount: { total: 1, tip: 1 } }),
    '请求中含有未在API文档中定义的参数: "/amount/tip" in the body is not documented for this operation; remove it.',
    { field: '/amount/tip', issue: 'is not documented for this operation' },
  ],
  [
    'has an object that is none',
    () => ({ ...order(), amount: 1 }),
    '无法将 JSON 输入源“/body/amount”映射到目标字段“订单金额”中，此字段需要一个合法的对象: "/amount" in the body must be an object, not a number.',
    { field: '/amount', issue: 'must be an object' },
  ],
  [
    'is no object',
    () => [],
    '输入源“/appid”映射到字段“公众号ID”必填性规则校验失败，此字段为必填项: The body must be an object, not an array.',
    { field: '', issue: 'must be an object' },
  ],
])('a body that %s is refused in the words of the gateway, and in ours', async (_, json, message, detail) => {
  const response = await send(sandbox, NATIVE, { json: json() });
  expect(response).toMatchObject({ status: 400, json: { code: 'PARAM_ERROR', message } });
  expect(response.json.detail).toEqual({ ...detail, location: 'body' });
});

test('of the query the gateway speaks as of the path', async () => {
  const { json } = await send(sandbox, '/v3/pay/transactions/out-trade-no/ORDER-1?mchid=');
  expect(json.message).toBe(
    '输入源“/uri_template/mchid”映射到字段“直连商户号”必填性规则校验失败，此字段为必填项: "mchid" in the query is required and must not be empty; add a string (直连商户号).',
  );
  expect(json.detail).toMatchObject({ field: 'mchid', location: 'query' });
});

test.each([
  [
    { body: '' },
    '输入源“/body/xml/body”映射到字段“商品描述”必填性规则校验失败，此字段为必填项: "/body" in the body is required and must not be empty; add a string (商品描述).',
  ],
  [
    { total_fee: '0.01' },
    '无法将输入源“/body/xml/total_fee”映射到目标字段“标价金额”中，此字段需要一个合法的 64 位有符号整数: "/total_fee" in the body must be an integer, not the string "0.01".',
  ],
])('v2 refuses %j without a signature', async (more, message) => {
  const { appid, mchid: mch_id, out_trade_no, notify_url } = order();
  const xml = { appid, mch_id, out_trade_no, notify_url, body: 'tea', total_fee: '1', spbill_create_ip: '1.2.3.4' };
  const call = loose(Builder.factory(sandbox.config))
    .chain('v2/pay/unifiedorder')
    .post({ xml: { ...xml, trade_type: 'NATIVE', ...more } });
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  expect(String(error.body)).toBe(
    `<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[${message}]]></return_msg></xml>`,
  );
});
