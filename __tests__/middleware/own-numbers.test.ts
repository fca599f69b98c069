import { request } from 'undici';
import { Media, SignatureError, verifier } from 'wechatpay-undici';
import { isOwnNumber } from '../../lib/middleware/own-numbers';
import { loose } from '../support/loose';
import { rejection } from '../support/rejection';
import { MCHID, PLATFORM_ID, platform, responding, sealed, wechatPay } from '../support/wechatpay';

const { running, agent, url, build } = wechatPay();
type Instance = ReturnType<typeof loose>;
type Call = (instance: Instance) => PromiseLike<unknown>;
const MINE = 'A 1/中';

const calls: [string, string, Call][] = [
  [
    'a variable',
    'out_trade_no',
    (instance) => instance.chain('v3/pay/transactions/out-trade-no/{out_trade_no}').get({ out_trade_no: MINE }),
  ],
  [
    'a variable by "variables"',
    'out_refund_no',
    (instance) =>
      instance.chain('v3/refund/domestic/refunds/{out_refund_no}').get({ variables: { out_refund_no: MINE } }),
  ],
  [
    'a path that is written out',
    'out_batch_no',
    (instance) => instance.chain(`v3/transfer/batches/out-batch-no/${encodeURIComponent(MINE)}?x=1`).get(),
  ],
  [
    'a query',
    'out_order_no',
    (instance) => instance.chain('v3/payscore/serviceorder').get({ query: { out_order_no: MINE } }),
  ],
  [
    'a query as text',
    'out_order_no',
    (instance) => instance.chain(`v3/x?out_order_no=${encodeURIComponent(MINE)}`).get(),
  ],
  ['json', 'out_bill_no', (instance) => instance.chain('v3/x').post({ json: { out_bill_no: MINE } })],
  [
    'json of a class',
    'out_bill_no',
    (instance) => instance.chain('v3/x').post({ json: { toJSON: () => ({ out_bill_no: MINE }) } }),
  ],
  [
    'a body',
    'send_request_no',
    (instance) => instance.chain('v3/x').post({ body: JSON.stringify({ send_request_no: MINE }) }),
  ],
  [
    'bytes',
    'combine_out_trade_no',
    (instance) => instance.chain('v3/x').post({ body: Buffer.from(JSON.stringify({ combine_out_trade_no: MINE })) }),
  ],
];

test.each(calls)('%s: the response must name the same %s, or none', async (_, name, call) => {
  for (const content of [
    { [name]: MINE, a: 1 },
    { a: 1 },
    { [name]: '' },
    { [name]: null },
    { list: [{ [name]: 'B' }] },
  ]) {
    running.respond = responding(200, JSON.stringify(content));
    await call(loose(build()));
  }
  running.respond = responding(200, JSON.stringify({ a: 1, [name]: 'B' }));
  const error = await rejection(call(loose(build())));
  expect(error).toBeInstanceOf(SignatureError);
  expect(error).toMatchObject({
    code: 'ERR_SIGNATURE_OTHER_REQUEST',
    message: expect.stringContaining(`its "${name}" differs from the request's`),
  });
});

test('the same response is no other one for 300 s', async () => {
  const kept = JSON.stringify({ out_trade_no: 'A', trade_state: 'SUCCESS' });
  running.respond = responding(200, kept);
  const query = (out_trade_no: string) =>
    loose(build()).chain('v3/pay/transactions/out-trade-no/{out_trade_no}').get({ out_trade_no }).json();
  expect(await query('A')).toEqual(JSON.parse(kept));
  expect(await rejection(query('B'))).toMatchObject({ code: 'ERR_SIGNATURE_OTHER_REQUEST' });
});

test('it is not repeated, and of a POST it says that the outcome is unknown', async () => {
  running.respond = responding(200, '{"out_bill_no":"B"}');
  const instance = loose(build({ retry: { attempts: 3, delay: 0 } }));
  const error = await rejection(instance.chain('v3/x').post({ json: { out_bill_no: 'A' } }));
  expect(error.message).toMatch(/WeChat Pay may or may not have processed it/);
  expect(running.arrived).toBe(1);
});

test('a signature that is wrong comes first', async () => {
  running.respond = responding(200, '{"out_bill_no":"B"}', {});
  const error = await rejection(
    loose(build())
      .chain('v3/x')
      .post({ json: { out_bill_no: 'A' } }),
  );
  expect(error).toMatchObject({ code: 'ERR_SIGNATURE_MISSING' });
});

test('a number is compared by its text', async () => {
  running.respond = responding(200, '{"out_bill_no":"123"}');
  await loose(build())
    .chain('v3/x')
    .post({ json: { out_bill_no: 123 } });
});

test.each<[string, Call]>([
  ['a number of WeChat Pay’s', (instance) => instance.chain('v3/x/{transaction_id}').get({ transaction_id: 'A' })],
  ['a number that the request has not', (instance) => instance.chain('v3/x').post({ json: { out_order_no: 'A' } })],
  ['the number of a change', (instance) => instance.chain('v3/x').patch({ json: { out_request_no: 'A' } })],
  [
    'an upload',
    async (instance) => {
      const body = await Media.from(Buffer.from('x'), { filename: 'a.png', meta: { out_request_no: 'A' } });
      return instance.chain('v3/x').post({ body });
    },
  ],
  ['no JSON', (instance) => instance.chain('v3/x').post({ body: 'out_request_no=A' })],
  ['JSON of no object', (instance) => instance.chain('v3/x').post({ json: ['out_request_no'] })],
])('%s is not compared', async (_, call) => {
  running.respond = responding(200, JSON.stringify({ transaction_id: 'B', out_request_no: 'B' }));
  await call(loose(build()));
});

describe('v2', () => {
  const success = { return_code: 'SUCCESS', result_code: 'SUCCESS' };
  const refund = (fields: object) =>
    loose(build())
      .chain('v2/secapi/pay/refund')
      .post({ xml: { mch_id: MCHID, ...fields }, security: false })
      .xml();

  test.each(['out_refund_no', 'mch_billno', 'partner_trade_no'])('the response must name the same %s', async (name) => {
    running.respond = responding(200, sealed({ ...success, [name]: 'A' }), {});
    expect(await refund({ [name]: 'A' })).toMatchObject({ [name]: 'A' });
    const error = await rejection(refund({ [name]: 'B' }));
    expect(error).toBeInstanceOf(SignatureError);
    expect(error).toMatchObject({ code: 'ERR_SIGNATURE_OTHER_REQUEST' });
  });
});

test('as an interceptor', async () => {
  const dispatcher = agent.compose(verifier({ certs: { [PLATFORM_ID]: platform.publicKey } }));
  running.respond = responding(200, '{"out_trade_no":"B"}');
  const get = (path: string, query?: object) => request(`${url()}${path}`, { dispatcher, ...(query && { query }) });
  for (const sent of [get('v3/out-trade-no/A'), get('v3/x?out_trade_no=A'), get('v3/x', { out_trade_no: 'A' })]) {
    expect(await rejection(sent)).toMatchObject({ code: 'ERR_SIGNATURE_OTHER_REQUEST' });
  }
  expect((await get('v3/out-trade-no/B')).statusCode).toBe(200);
});

test.each([
  'out_trade_no out_refund_no out_bill_no out_batch_no out_detail_no out_order_no out_return_no out_contract_code',
  'combine_out_trade_no mch_billno partner_trade_no contract_code business_code send_request_no merchant_plan_no',
])('numbers that a merchant gives: %s', (names) => {
  expect(names.split(' ').every(isOwnNumber)).toBe(true);
  expect(['mchid', 'sub_mchid', 'openid', 'transaction_id', 'refund_id', 'attach', 'limit'].some(isOwnNumber)).toBe(
    false,
  );
});
