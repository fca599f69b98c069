import { TRAITS } from '../../lib/openapi/generated/traits';
import { outcomeQueryOf } from '../../lib/openapi/outcome-query';

const NATIVE = { appid: 'wx', mchid: '1900000109', out_trade_no: 'ORDER-1', notify_url: '', amount: { total: 1 } };
const XML = { appid: 'wx', mch_id: '1900000109', out_trade_no: 'ORDER-1', total_fee: 1 };
const order = (out_trade_no = 'ORDER-1') => ({ out_trade_no, query: { mchid: '1900000109' } });
const BY_NUMBER = 'v3/pay/transactions/out-trade-no/{out_trade_no}';

test.each<[what: string, call: string, options: object, query: string, given: object]>([
  ['an order', 'post v3/pay/transactions/native', { json: NATIVE }, `get ${BY_NUMBER}`, order()],
  [
    'what is done to it',
    `post ${BY_NUMBER}/close`,
    { out_trade_no: 'A/1', json: NATIVE },
    `get ${BY_NUMBER}`,
    order('A/1'),
  ],
  [
    'a variable that is filled in',
    'post v3/pay/transactions/out-trade-no/A%2F1/close',
    { json: { mchid: '1900000109' } },
    `get ${BY_NUMBER}`,
    order('A/1'),
  ],
  [
    'a variable of `variables`',
    `post ${BY_NUMBER}/close`,
    { variables: { out_trade_no: 'A' }, json: NATIVE },
    `get ${BY_NUMBER}`,
    order('A'),
  ],
  [
    'the whole address, as it is sent',
    'post https://api.mch.weixin.qq.com/v3/refund/domestic/refunds?x=1',
    { json: { out_trade_no: 'ORDER-1', out_refund_no: 'REFUND-1' } },
    'get v3/refund/domestic/refunds/{out_refund_no}',
    { out_refund_no: 'REFUND-1' },
  ],
  [
    'a partner, whose merchant is asked for',
    'post v3/refund/domestic/refunds',
    { json: { sub_mchid: '1900000110', out_refund_no: 'REFUND-1' } },
    'get v3/refund/domestic/refunds/{out_refund_no}',
    { out_refund_no: 'REFUND-1', query: { sub_mchid: '1900000110' } },
  ],
  [
    'a batch of transfers',
    'post v3/transfer/batches',
    { json: { appid: 'wx', out_batch_no: 'BATCH-1' } },
    'get v3/transfer/batches/out-batch-no/{out_batch_no}',
    { out_batch_no: 'BATCH-1', query: { need_query_detail: false } },
  ],
  [
    'a deduction, whose merchant is the client',
    'post v3/papay/pay/transactions/apply',
    { json: { appid: 'wx', out_trade_no: 'ORDER-1' } },
    `get ${BY_NUMBER}`,
    order(),
  ],
  [
    'an order of v2',
    'post v2/pay/unifiedorder',
    { xml: XML },
    'post v2/pay/orderquery',
    { xml: { appid: 'wx', mch_id: '1900000109', out_trade_no: 'ORDER-1' } },
  ],
  [
    'members that are called differently',
    'post v2/mmpaymkttransfers/sendredpack',
    { xml: { wxappid: 'wx', mch_id: '1900000109', mch_billno: 'B-1' } },
    'post v2/mmpaymkttransfers/gethbinfo',
    { xml: { appid: 'wx', mch_id: '1900000109', mch_billno: 'B-1', bill_type: 'MCHT' } },
  ],
])('%s', (_what, call, options, query, given) => {
  const [verb = '', path = ''] = call.split(' ');
  const found = outcomeQueryOf(verb, path, { ...options }, '1900000109');
  expect(found && { query: `${found.verb} ${found.path}`, given: found.options }).toEqual({ query, given });
});

test.each<[what: string, call: string, options: Record<string, unknown>]>([
  ['an operation without a number', 'post v3/merchant/media/upload', {}],
  ['a query', `get ${BY_NUMBER}`, { out_trade_no: 'ORDER-1' }],
  ['an unknown path', 'post v3/not/known', { json: NATIVE }],
  ['no number', 'post v3/pay/transactions/native', { json: { mchid: '1900000109' } }],
  ['an empty number', 'post v3/pay/transactions/native', { json: { ...NATIVE, out_trade_no: '' } }],
  ['something else in its place', 'post v3/pay/transactions/native', { json: { ...NATIVE, out_trade_no: { a: 1 } } }],
  ['a body that is not an object', 'post v3/pay/transactions/native', { json: 'text' }],
  ['no body', 'post v3/pay/transactions/native', {}],
  ['a client without a number, where that is needed', 'post v3/papay/pay/transactions/apply', { json: NATIVE }],
])('none for %s', (_what, call, options) => {
  const [verb = '', path = ''] = call.split(' ');
  expect(outcomeQueryOf(verb, path, options)).toBeUndefined();
});

/** Checked by hand, by titles, inputs and numbers in the catalogue: what moves money, and the query that tells whether it did. */
const MONEY = `
post v2/deposit/consume | v2/deposit/orderquery out_trade_no
post v2/deposit/refund | v2/deposit/refundquery out_refund_no
post v2/mmpaymkttransfers/promotion/paywwsptrans2pocket | v2/mmpaymkttransfers/promotion/querywwsptrans2pocket partner_trade_no
post v2/mmpaymkttransfers/promotion/transfers | v2/mmpaymkttransfers/gettransferinfo partner_trade_no
post v2/mmpaymkttransfers/sendgroupredpack | v2/mmpaymkttransfers/gethbinfo mch_billno
post v2/mmpaymkttransfers/sendredpack | v2/mmpaymkttransfers/gethbinfo mch_billno
post v2/mmpaymkttransfers/sendworkwxredpack | v2/mmpaymkttransfers/queryworkwxredpack mch_billno
post v2/mmpaysptrans/pay_bank | v2/mmpaysptrans/query_bank partner_trade_no
post v2/pay/micropay | v2/pay/orderquery out_trade_no
post v2/pay/pappayapply | v2/pay/paporderquery out_trade_no
post v2/pay/unifiedorder | v2/pay/orderquery out_trade_no
post v2/secapi/pay/profitsharing | v2/pay/profitsharingquery out_order_no
post v2/secapi/pay/profitsharingreturn | v2/pay/profitsharingreturnquery out_return_no
post v2/secapi/pay/refund | v2/pay/refundquery out_refund_no
post v2/secapi/pay/reverse | v2/pay/orderquery out_trade_no
post v3/bank-transfer/batches | v3/bank-transfer/batches/out-batch-no/{out_batch_no} out_batch_no
post v3/brand/profitsharing/orders | v3/brand/profitsharing/orders out_order_no
post v3/brand/profitsharing/returnorders | v3/brand/profitsharing/returnorders out_return_no
post v3/combine-transactions/jsapi | v3/combine-transactions/out-trade-no/{combine_out_trade_no} combine_out_trade_no
post v3/ecommerce/fund/withdraw | v3/ecommerce/fund/withdraw/out-request-no/{out_request_no} out_request_no
post v3/ecommerce/profitsharing/orders | v3/ecommerce/profitsharing/orders out_order_no
post v3/ecommerce/profitsharing/returnorders | v3/ecommerce/profitsharing/returnorders out_return_no
post v3/ecommerce/refunds/apply | v3/ecommerce/refunds/out-refund-no/{out_refund_no} out_refund_no
post v3/fund-app/brand-redpacket/brand-merchant-batches | v3/fund-app/brand-redpacket/brand-merchant-out-batches/{out_batch_no} out_batch_no
post v3/fund-app/mch-transfer/transfer-bills | v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no} out_bill_no
post v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel | v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no} out_bill_no
post v3/global/refunds | v3/global/refunds/out-refund-no/{out_refund_no} out_refund_no
post v3/merchant/fund/withdraw | v3/merchant/fund/withdraw/out-request-no/{out_request_no} out_request_no
post v3/papay/pay/partner/transactions/apply | v3/pay/partner/transactions/out-trade-no/{out_trade_no} out_trade_no
post v3/papay/pay/transactions/apply | v3/pay/transactions/out-trade-no/{out_trade_no} out_trade_no
post v3/partner-transfer/batches | v3/partner-transfer/batches/out-batch-no/{out_batch_no} out_batch_no
post v3/pay/partner/transactions/jsapi | v3/pay/partner/transactions/out-trade-no/{out_trade_no} out_trade_no
post v3/pay/transactions/codepay | v3/pay/transactions/out-trade-no/{out_trade_no} out_trade_no
post v3/pay/transactions/jsapi | v3/pay/transactions/out-trade-no/{out_trade_no} out_trade_no
post v3/payscore/serviceorder/{out_order_no}/complete | v3/payscore/serviceorder out_order_no
post v3/profitsharing/orders | v3/profitsharing/orders/{out_order_no} out_order_no
post v3/profitsharing/return-orders | v3/profitsharing/return-orders/{out_return_no} out_return_no
post v3/refund/domestic/refunds | v3/refund/domestic/refunds/{out_refund_no} out_refund_no
post v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund | v3/refund/domestic/refunds/{out_refund_no} out_refund_no
post v3/refunds | v3/refunds/out-refund-no/{out_refund_no} out_refund_no
post v3/transfer/batches | v3/transfer/batches/out-batch-no/{out_batch_no} out_batch_no
`;

const traits = new Map(Object.values(TRAITS).flatMap((operations) => Object.entries(operations())));

test.each(MONEY.trim().split('\n'))('money: %s', (line) => {
  const [call = '', query = ''] = line.split(' | ');
  const [path, number = ''] = query.split(' ');
  const { outcome } = traits.get(call) ?? {};
  expect(outcome?.path).toBe(path);
  const names = Object.entries(outcome?.take ?? {}).map((pair) => pair.map((place) => place.split('.').at(-1)));
  expect(names).toContainEqual([number, number]);
});

test('a refund, a return or a share is never asked for by the number of its order', () => {
  const wrong = [...traits].filter(([call, { outcome }]) => {
    const given = Object.keys(outcome?.take ?? {}).map((place) => place.split('.').at(-1));
    return /refund(s|v2)?$/.test(call) && outcome && !given.includes('out_refund_no');
  });
  expect(wrong.map(([call]) => call)).toEqual([]);
});

test('every variable of the path of a query is taken from the call', () => {
  for (const [call, { outcome }] of traits) {
    const variables = [...(outcome?.path.matchAll(/\{(\w+)\}/g) ?? [])].map(([, name = '']) => name);
    expect([call, variables.filter((name) => !Object.hasOwn(outcome?.take ?? {}, name))]).toEqual([call, []]);
  }
});
