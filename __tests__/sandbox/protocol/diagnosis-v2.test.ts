import { createHash, createHmac } from 'node:crypto';
import { Transformer } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { send } from '../support';

let sandbox: Sandbox;
let other: Awaited<ReturnType<Sandbox['addMerchant']>>;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  other = await sandbox.addMerchant();
});
afterAll(() => sandbox.close());

type Fields = Record<string, string>;

const FIELDS: Fields = {
  nonce_str: 'n',
  mch_id: '1900000109',
  appid: 'wx8888888888888888',
  Zip: '1',
  body: '商品 <a> & b',
  device_info: '',
  out_trade_no: 'ORDER-1',
};

const textOf = (
  fields: Fields,
  key: string | undefined = sandbox.config.secret,
  change = (value: string) => value,
): string =>
  [
    ...Object.entries(fields)
      .filter(([, value]) => value !== '')
      .sort(([one], [two]) => (one < two ? -1 : 1))
      .map(([name, value]) => `${name}=${change(value)}`),
    `key=${key}`,
  ].join('&');
const md5 = (text: string): string => createHash('md5').update(text).digest('hex').toUpperCase();
const hmac = (text: string, key: string = sandbox.config.secret): string =>
  createHmac('sha256', key).update(text).digest('hex').toUpperCase();

async function refusal(sign: string, fields: Fields = FIELDS): Promise<string> {
  const body = Transformer.toXml({ ...fields, sign });
  const headers = { authorization: undefined, 'content-type': 'text/xml' };
  const { status, text } = await send(sandbox, '/pay/unifiedorder', { method: 'POST', body, headers });
  const { return_code, return_msg = '', ...rest } = Transformer.toObject(text) as Fields;
  expect({ status, return_code, rest }).toEqual({ status: 200, return_code: 'FAIL', rest: {} });
  return return_msg;
}

const joined = (pairs: [string, string][]) =>
  [...pairs, ['key', sandbox.config.secret]].map((pair) => pair.join('=')).join('&');
const typed = { ...FIELDS, sign_type: 'HMAC-SHA256' };

test.each<[string, () => Promise<string>, RegExp]>([
  ['lower-case hexadecimal', () => refusal(md5(textOf(FIELDS)).toLowerCase()), /is in lower case/],
  ['HMAC-SHA256 without sign_type', () => refusal(hmac(textOf(FIELDS))), /uses HMAC-SHA256, but there is no sign_type/],
  ['MD5 with another sign_type', () => refusal(md5(textOf(typed)), typed), /uses MD5, but sign_type is HMAC-SHA256/],
  [
    'SHA-256',
    () => refusal(createHash('sha256').update(textOf(typed)).digest('hex').toUpperCase(), typed),
    /uses SHA256, but/,
  ],
  ['an unknown sign_type', () => refusal('X', { ...FIELDS, sign_type: 'SM3' }), /sign_type is "SM3"/],
  ['empty values', () => refusal(md5(joined(Object.entries(FIELDS).sort()))), /fields that are empty/],
  [
    'unsorted fields',
    () => refusal(md5(joined(Object.entries(FIELDS).filter(([, value]) => value !== '')))),
    /not sorted/,
  ],
  [
    'fields sorted without case',
    () => {
      const pairs = Object.entries(FIELDS).filter(([, value]) => value !== '');
      return refusal(md5(joined(pairs.sort(([one], [two]) => (one.toLowerCase() < two.toLowerCase() ? -1 : 1)))));
    },
    /sorted without case/,
  ],
  ['values encoded for a URL', () => refusal(md5(textOf(FIELDS, undefined, encodeURIComponent))), /encoded for a URL/],
  [
    'values with XML escapes',
    () =>
      refusal(
        md5(
          textOf(FIELDS, undefined, (value) =>
            value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
          ),
        ),
      ),
    /XML escapes/,
  ],
  ['no key', () => refusal(md5(textOf(FIELDS).replace(/&key=.*/, ''))), /"&key=" and the key at the end are missing/],
  ['the key alone', () => refusal(md5(textOf(FIELDS).replace('&key=', ''))), /"&key=" before the key is missing/],
  ['KEY', () => refusal(md5(textOf(FIELDS).replace('&key=', '&KEY='))), /"KEY" must be in lower case/],
  [
    'the APIv3 key',
    () => refusal(md5(textOf(FIELDS, sandbox.config.apiv3Key))),
    /APIv3 key; it must use the APIv2 key/,
  ],
  [
    'the APIv3 key in HMAC',
    () => refusal(hmac(textOf(typed, sandbox.config.apiv3Key), sandbox.config.apiv3Key), typed),
    /APIv3 key/,
  ],
  ['the key of another merchant', () => refusal(md5(textOf(FIELDS, other.secret))), /key of the merchant 1900000110/],
  ['a line feed after the key', () => refusal(md5(`${textOf(FIELDS)}\n`)), /line feed stands after the key/],
  ['a field less', () => refusal(md5(textOf({ ...FIELDS, nonce_str: '' }))), /the field nonce_str is not signed/],
  ['Base64', () => refusal(createHash('md5').update(textOf(FIELDS)).digest('base64')), /in Base64/],
  ['half a sign', () => refusal('ABCD'), /has 4 characters; .* must have 32/],
  ['no sign', () => refusal(''), /sign is missing or empty/],
  [
    'two mistakes',
    () => refusal(md5(textOf(FIELDS, sandbox.config.apiv3Key, encodeURIComponent)).toLowerCase()),
    /lower case.*encoded for a URL.*APIv3 key/,
  ],
])('%s: return_msg names it, and shows no key', async (_, refused, message) => {
  const return_msg = await refused();
  expect(return_msg).toMatch(/^签名错误，请检查后再试: /);
  expect(return_msg).toMatch(message);
  for (const key of [sandbox.config.secret, sandbox.config.apiv3Key]) expect(return_msg).not.toContain(key);
});

test('a sign of something else is wrong, and no more is said', async () => {
  expect(await refusal('0'.repeat(32))).toBe('签名错误，请检查后再试');
});
