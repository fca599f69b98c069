import { publicEncrypt, type webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Chain,
  ConfigurationError,
  InvalidArgumentError,
  Media,
  TransportError,
  WechatPayError,
} from 'wechatpay-undici';
import { rejection } from '../support/rejection';
import { MCHID, PLATFORM_ID, platform, type Respond, responding, seal, sealed, wechatPay } from '../support/wechatpay';

// What has been sent may have been carried out: no error may say that nothing was sent, or look like one of the
// configuration, which is met before anything is sent.

const { running, build } = wechatPay();

const SUCCESS = { return_code: 'SUCCESS', result_code: 'SUCCESS' };
const xml = (content: string) => responding(200, `<xml>${content}</xml>`, {});
const succeeding = (content: string) =>
  xml(`<return_code>SUCCESS</return_code><result_code>SUCCESS</result_code>${content}<sign>AA</sign>`);
const otherKey = publicEncrypt({ key: platform.publicKey, oaepHash: 'sha1' }, Buffer.from('张三')).toString('base64');
const foreignKey = {
  type: 'public',
  algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-256' }, modulusLength: 2048 },
  usages: ['verify'],
} as unknown as webcrypto.CryptoKey;
const broken = () => Promise.reject(new Error('the HSM is out of order'));

type Call = (instance: Chain) => PromiseLike<unknown>;
const post: Call = (instance) =>
  instance
    .chain('v3/profitsharing/receivers/add' as string)
    .post({ json: {} })
    .json();
const refund: Call = (instance) =>
  instance
    .chain('v2/secapi/pay/refund' as string)
    .post({ xml: { mch_id: MCHID, out_refund_no: 'R' }, security: false })
    .xml();
const unsigned: Call = (instance) =>
  instance
    .chain('v2/x' as string)
    .post({ xml: { mch_id: MCHID }, unsigned: true })
    .xml();
const bill: Call = (instance) =>
  instance
    .chain('v2/pay/downloadbill' as string)
    .post({ xml: { mch_id: MCHID } })
    .text();
const statement: Call = (instance) =>
  instance
    .chain('v3/global/statements' as string)
    .get()
    .text();
const file: Call = (instance) =>
  instance
    .chain('v3/billdownload/file' as string)
    .get({ query: { token: '1' }, digest: { hash_type: 'SHA1', hash_value: '0'.repeat(40) } })
    .text();

test.each<[string, Call, Respond, object?]>([
  ['text in the place of JSON', post, responding(200, 'no JSON')],
  ['half of JSON', post, responding(200, '{"name":')],
  ['a field encrypted for another certificate', post, responding(200, JSON.stringify({ name: otherKey }))],
  ['no signature', post, responding(200, '{}', {})],
  ['a wrong signature', post, responding(200, '{}', seal('{"a":1}'))],
  ['a wrong clock', post, responding(200, '{}', seal('{}', { skew: 999 }))],
  ['an unknown key', post, responding(200, '{}', seal('{}', { serial: 'PUB_KEY_ID_0' }))],
  ['a verify function that fails', post, responding(200, '{}'), { certs: { [PLATFORM_ID]: broken } }],
  ['a verify function that gives no boolean', post, responding(200, '{}'), { certs: { [PLATFORM_ID]: () => 'yes' } }],
  ['a CryptoKey of nobody', post, responding(200, '{}'), { certs: { [PLATFORM_ID]: foreignKey } }],
  ['a refusal that is no JSON', post, responding(400, '<html>')],
  ['a refusal of another type', post, responding(400, '{"code":5,"message":{}}')],
  ['a refusal, wrongly signed', post, responding(400, '{}', seal('{"a":1}'))],
  ['a status that is none', post, responding(999, '{}')],
  ['a gzip that is none', post, responding(200, 'x', { ...seal('x'), 'content-encoding': 'gzip' })],
  ['v2: a repeated element', refund, succeeding('<a>1</a><a>1</a>')],
  ['v2: a nested element', refund, succeeding('<a><b>1</b></a>')],
  ['v2: a list', refund, succeeding('<a><item>1</item><item>2</item></a>')],
  ['v2: return_code twice', refund, succeeding('<return_code>SUCCESS</return_code>')],
  ['v2: sign twice', refund, succeeding('<sign>AA</sign>')],
  ['v2: a nested sign', refund, xml('<return_code>SUCCESS</return_code><sign><a>1</a></sign>')],
  ['v2: a failure with a nested element', refund, xml('<return_code>FAIL</return_code><a><b/><b/></a><sign>A</sign>')],
  ['v2: no XML', refund, responding(200, 'SUCCESS', {})],
  ['v2: JSON', refund, responding(200, '{}', {})],
  ['v2: nothing', refund, responding(200, '', {})],
  ['v2: a DTD', refund, responding(200, '<!DOCTYPE xml><xml><return_code>SUCCESS</return_code></xml>', {})],
  ['v2: XML that is too deep', refund, succeeding('<a>'.repeat(50) + '</a>'.repeat(50))],
  ['v2: a control character', refund, succeeding('<a>\u0001</a>')],
  ['v2: XML that is no UTF-8', refund, (response) => response.end(Buffer.from('<xml><a>\xff</a></xml>', 'latin1'))],
  ['v2: XML that is read as JSON', (instance) => readJson(instance), responding(200, sealed(SUCCESS), {})],
  ['v2: a refusal, its XML broken', refund, responding(502, '<xml><return_code>', {})],
  ['v2: a refusal with nested elements', refund, responding(500, '<xml><a><b/></a><sign>A</sign></xml>', {})],
  ['v2: unsigned, with a wrong sign', unsigned, succeeding('')],
  ['v2: unsigned, no XML', unsigned, responding(200, 'x', {})],
  ['v2: a bill that is broken XML', bill, responding(200, '<xml><return_code>', {})],
  ['v2: a bill that is XML with a list', bill, xml('<return_code>FAIL</return_code><a/><a/>')],
  ['v2: a bill, refused by broken XML', bill, responding(500, '<xml>', {})],
  [
    'a statement with an encoding that is unknown',
    statement,
    responding(200, 'x', {
      ...seal(`{"sha1":"${'0'.repeat(40)}"}`),
      'wechatpay-statement-sha1': '0'.repeat(40),
      'content-encoding': 'br',
    }),
  ],
  ['a file of another hash', file, responding(200, 'x', {})],
])('%s', async (_name, call, respond, config = {}) => {
  running.respond = respond;
  const error = await rejection(call(build(config)));
  expect(running.arrived).toBe(1);
  expect(error).toBeInstanceOf(WechatPayError);
  expect(error).not.toBeInstanceOf(InvalidArgumentError);
  expect(error).not.toBeInstanceOf(ConfigurationError);
});

function readJson(instance: Chain): PromiseLike<unknown> {
  return instance
    .chain('v2/x' as string)
    .post({ xml: { mch_id: MCHID } })
    .json();
}

test('a repeat that cannot be signed, after a first attempt that was sent', async () => {
  running.respond = (response) => response.socket?.resetAndDestroy();
  let signed = 0;
  const privateKey = () => {
    signed += 1;
    return signed === 1 ? 'AAAA' : broken();
  };
  const instance = build({ privateKey, retry: { attempts: 2, delay: 0 } });
  const error = await rejection(
    instance
      .chain('v3/x' as string)
      .post({ json: { out_trade_no: 'A' } })
      .json(),
  );
  expect(running.arrived).toBe(1);
  expect(signed).toBe(2);
  expect(error).toBeInstanceOf(TransportError);
  expect(error.message).toMatch(/had already been sent once\. WeChat Pay may or may not have processed it/);
  expect(error.message).not.toContain('Nothing was sent');
  expect(error.cause).toBeInstanceOf(ConfigurationError);
});

test('a file to upload that is gone once the request has begun', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechatpay-gone-'));
  const path = join(folder, 'a.png');
  writeFileSync(path, Buffer.alloc(100_000));
  const media = await Media.from(path);
  rmSync(folder, { recursive: true });
  const error = await rejection(
    build()
      .chain('v3/merchant/media/upload' as string)
      .post({ body: media }),
  );
  expect(error).toBeInstanceOf(WechatPayError);
  expect(error).not.toBeInstanceOf(InvalidArgumentError);
});

test('what is met before the connection stays what it is', async () => {
  const error = await rejection(
    build({ privateKey: broken })
      .chain('v3/x' as string)
      .post({ json: {} }),
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(running.arrived).toBe(0);
});
