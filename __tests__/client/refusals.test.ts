import { request } from 'undici';
import { ApiError, type Chain, Hash, SignatureError, Transformer, verifier } from 'wechatpay-undici';
import { loose } from '../support/loose';
import { rejection } from '../support/rejection';
import {
  MCHID,
  merchant,
  PLATFORM_ID,
  platform,
  responding,
  SECRET,
  seal,
  sealed,
  wechatPay,
} from '../support/wechatpay';

const { running, agent, url, build } = wechatPay();
const UNKNOWN = /WeChat Pay may or may not have processed it/;

const refund = (instance: Chain) =>
  loose(instance)
    .chain('v3/refund/domestic/refunds')
    .post({ json: { out_refund_no: 'R' } });
const download = (instance: Chain) =>
  loose(instance)
    .chain('v3/billdownload/file')
    .get({ query: { token: '1' } });
const body = '{"code":"INVALID_REQUEST","message":"订单未支付"}';
const BROKEN = () => Promise.reject(new Error('the HSM is out of order'));

/** A redirect is an error whatever it says. */
const codeOf = (status: number) => (status === 307 ? 'HTTP_307' : 'INVALID_REQUEST');

describe.each([300, 307, 400, 401, 404, 429, 500, 503])('status %i', (status) => {
  describe.each([
    ['a call', refund],
    ['a download', download],
  ])('of %s', (_call, call) => {
    test('signed rightly: verified', async () => {
      running.respond = responding(status, body);
      expect(await rejection(call(build()))).toMatchObject({
        ...{ name: 'ApiError', status, code: codeOf(status), verified: true },
      });
    });

    test.each<[string, Record<string, string>]>([
      ['another body', seal('{"refund_id":"1"}')],
      ["the merchant's key", seal(body, { key: merchant.privateKey })],
      ['a probe', { ...seal(body), 'wechatpay-signature': 'WECHATPAY/SIGNTEST/AAAA' }],
    ])('a signature of %s: a SignatureError', async (_name, headers) => {
      running.respond = responding(status, body, headers);
      const error = await rejection(call(build()));
      expect(error).toBeInstanceOf(SignatureError);
      expect(error).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
      expect(UNKNOWN.test(error.message)).toBe(call === refund);
    });

    test.each<[string, Record<string, string>, object?]>([
      ['no signature', {}],
      ['an unknown key', seal(body, { serial: 'PUB_KEY_ID_0' })],
      ['a clock that is behind', seal(body, { skew: -999 })],
      ['a function that cannot check', seal(body), { certs: { [PLATFORM_ID]: BROKEN } }],
    ])('%s: not verified', async (_name, headers, config = {}) => {
      running.respond = responding(status, body, headers);
      expect(await rejection(call(build(config)))).toMatchObject({
        ...{ name: 'ApiError', status, code: codeOf(status), verified: false },
      });
    });
  });
});

test('nothing is downloaded to check a refusal', async () => {
  running.respond = responding(400, body, seal(body, { serial: 'A1' }));
  const error = await rejection(refund(build({ apiv3Key: 'v'.repeat(32) })));
  expect(error).toMatchObject({ name: 'ApiError', verified: false });
  expect(running.arrived).toBe(1);
});

test('a refusal that is too large to be checked is not verified', async () => {
  const large = JSON.stringify({ code: 'X', message: 'x', detail: 'x'.repeat(1024 * 1024) });
  running.respond = responding(400, large);
  expect(await rejection(refund(build()))).toMatchObject({ name: 'ApiError', status: 400, verified: false });
});

test('a status of 500 and above without a message says that the outcome is unknown', async () => {
  running.respond = responding(502, '<html>', {});
  expect(await rejection(refund(build()))).toMatchObject({
    message: expect.stringMatching(UNKNOWN),
    code: 'HTTP_502',
    verified: false,
  });
  running.respond = responding(404, '', {});
  expect((await rejection(refund(build()))).message).not.toMatch(UNKNOWN);
});

test('each attempt counts by itself', async () => {
  const responses = [responding(503, body), responding(503, body, {})];
  running.respond = (...given) => responses.shift()?.(...given);
  const error = await rejection(refund(build({ retry: { attempts: 2, delay: 0 } })));
  expect(error).toMatchObject({ name: 'ApiError', attempts: 2, verified: false });
});

test('a wrong signature is not repeated, whatever its status', async () => {
  running.respond = responding(503, body, seal('other'));
  expect(await rejection(refund(build({ retry: { attempts: 3, delay: 0 } })))).toMatchObject({
    name: 'SignatureError',
  });
  expect(running.arrived).toBe(1);
});

test('as an interceptor: a refusal passes, a wrong signature does not', async () => {
  const dispatcher = agent.compose(verifier({ certs: { [PLATFORM_ID]: platform.publicKey } }));
  for (const headers of [seal(body), {}]) {
    running.respond = responding(400, body, headers);
    const response = await request(url(), { dispatcher });
    expect([response.statusCode, await response.body.text()]).toEqual([400, body]);
  }
  running.respond = responding(400, body, seal('other'));
  expect(await rejection(request(url(), { dispatcher }))).toBeInstanceOf(SignatureError);
});

describe('v2', () => {
  const pay = (instance: Chain) =>
    loose(instance)
      .chain('v2/pay/micropay')
      .post({ xml: { mch_id: MCHID, out_trade_no: 'A' } });
  const fields = { return_code: 'SUCCESS', result_code: 'FAIL', err_code: 'NOTENOUGH', err_code_des: '余额不足' };
  const wrong = Transformer.toXml({ ...fields, sign: 'A'.repeat(32) });
  const hmac = Transformer.toXml({ ...fields, sign: Hash.sign('HMAC-SHA256', fields, SECRET) });

  test.each([200, 400, 500])('status %i', async (status) => {
    for (const [xml, verified] of [
      [sealed(fields), true],
      [hmac, true],
      [Transformer.toXml(fields), false],
      [Transformer.toXml({ return_code: 'FAIL', return_msg: '签名错误' }), false],
    ] as const) {
      running.respond = responding(status, xml, {});
      const error = await rejection(pay(build()));
      expect(error).toBeInstanceOf(ApiError);
      expect(error).toMatchObject({ status, verified });
    }
    running.respond = responding(status, wrong, {});
    expect(await rejection(pay(build()))).toMatchObject({
      ...{ name: 'SignatureError', code: 'ERR_SIGNATURE_WRONG', message: expect.stringMatching(UNKNOWN) },
    });
  });

  test('of a download', async () => {
    const bill = (instance: Chain) =>
      loose(instance)
        .chain('v2/pay/downloadbill')
        .post({ xml: { mch_id: MCHID } });
    running.respond = responding(500, sealed(fields), {});
    expect(await rejection(bill(build()))).toMatchObject({ name: 'ApiError', verified: true });
    running.respond = responding(500, wrong, {});
    expect(await rejection(bill(build()))).toMatchObject({ name: 'SignatureError' });
  });
});
