import { InvalidArgumentError } from '../../lib/errors';
import * as Hash from '../../lib/signature/hash';
import { expectNoLeak } from '../crypto/support';
import { rejection } from '../support/rejection';

/** The example of https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=4_3, whose key is public. */
const KEY = '192006250b4c09247ec02edce69f6a2d';
const FIELDS = {
  appid: 'wxd930ea5d5a258f4f',
  mch_id: '10000100',
  device_info: '1000',
  body: 'test',
  nonce_str: 'ibuaiVcKdpRxkhJA',
};
const TEXT = 'appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA';
const MD5 = '9A0A8659F005D6984697E2CA0A9CF3B7';
const HMAC = '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6';

describe('md5', () => {
  test.each<[string, Parameters<typeof Hash.md5>, string]>([
    ['of nothing', [''], 'd41d8cd98f00b204e9800998ecf8427e'],
    ['of text in UTF-8', ['中文'], 'a7bac2239fcdcb3a067903d8077c4a07'],
    ['of bytes', [Buffer.from('中文')], 'a7bac2239fcdcb3a067903d8077c4a07'],
    ['with a key', [TEXT, KEY], MD5.toLowerCase()],
    ['with a key as bytes', [TEXT, Buffer.from(KEY)], MD5.toLowerCase()],
    ['with a key written behind it', [`${TEXT}&key=${KEY}`], MD5.toLowerCase()],
    ['with an empty key', [TEXT, '', true], Hash.md5(TEXT)],
    ['with a key of WeCom', [TEXT, KEY, true], Hash.md5(`${TEXT}&secret=${KEY}`)],
    ['with the agent id of WeCom', [TEXT, KEY, 1000002], Hash.md5(`${TEXT}&secret=${KEY}`)],
    ['with an agency that is none', [TEXT, KEY, 0], MD5.toLowerCase()],
  ])('%s', (_, input, digest) => {
    expect(Hash.md5(...input)).toBe(digest);
  });
});

describe('hmac', () => {
  test('is keyed and has the key behind the message, as v2 wants it', () => {
    expect(Hash.hmac(TEXT, KEY)).toBe(HMAC.toLowerCase());
    expect(Hash.hmac(Buffer.from(TEXT), Buffer.from(KEY), 'sha256')).toBe(HMAC.toLowerCase());
  });

  test('takes another hash', () => {
    expect(Hash.hmac(TEXT, KEY, 'sha512')).toHaveLength(128);
  });

  test.each(['md6', '', 'toString'])('refuses the hash %p', (algorithm) => {
    expect(() => Hash.hmac(TEXT, KEY, algorithm)).toThrow(InvalidArgumentError);
  });

  test('refuses what is neither text nor bytes, and does not show it', async () => {
    const error = await rejection(() => Hash.hmac(TEXT, 13800138000 as unknown as string));
    expect(error.message).toBe('"key" must be a string or bytes, not number.');
  });
});

describe('sign', () => {
  test.each<[Hash.SignType, string]>([
    ['MD5', MD5],
    ['HMAC-SHA256', HMAC],
  ])('%s is that of the documentation', (type, signature) => {
    expect(Hash.sign(type, FIELDS, KEY)).toBe(signature);
    expect(Hash.sign(type, { ...FIELDS, sign: 'X', attach: '', detail: null, scene: undefined }, KEY)).toBe(signature);
    expect(Hash.sign(type, TEXT, KEY)).toBe(signature);
  });

  // What wechatpay-php 1.4.12 sends with the key of its own documentation.
  test.each<[string, Record<string, unknown>, string]>([
    ['plain', { a: 'b', B: 'c', _: 'd' }, '253595B49889BF1789F87E9486414C59'],
    [
      'special characters',
      { a: `<b>&"c"'d'`, amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" },
      '67E8343E2552504CF9626B49B2E58257',
    ],
    ['white space', { a: ' x ', b: '\t\r\n', c: 'l1\nl2' }, '0A734B91728546ACF89FAF3EED0BA8A3'],
    ['control characters', { a: 'x\u0001y' }, 'D964D273D3261D3E33FF8047AA5EECEF'],
    ['empty values', { a: '', b: null, c: '0', d: 0 }, 'C8B0B6E61CCD4E2322D94A3C6FF52B9E'],
    ['numbers', { a: 1, b: -1, c: 9007199254740993n }, '64F8CE421C5D47386DE74B5F3275040F'],
    [
      'JSON',
      { scene_info: '{"h5_info":{"type":"Wap"}}', detail: '["\\u4e2d\\/"]' },
      'B52C575F0E8C5DA327A969028A056259',
    ],
    ['a URL', { a: new URL('https://x/?a=1&b=2') }, '4AC2679AC72378246C996F0BC74C86F0'],
    [
      'odd names',
      {
        'a b': '1',
        '1a': '2',
        中: '3',
        'a-b': '4',
        'a.b': '5',
        'a:b': '6',
        5: '7',
        '': '8',
        '-': '9',
        xml: '10',
        0: '11',
      },
      '4A9F824413C0F9B75D320593D2BA3390',
    ],
    [
      'the order of names',
      { b: '1', A: '2', a: '3', B: '4', a1: '5', a_1: '6', a10: '7', a2: '8', Z: '9', 10: '10', 9: '11' },
      'C201E11968B5D2338DB1416EBE66A477',
    ],
    ['sign_type', { sign_type: 'MD5', a: 'b' }, '3B9E796932B93E52B9A71B20B5A49A5E'],
    ['sign_type null', { sign_type: null, a: 'b' }, '622BE013FDCA6F23D3F956796DDDFB73'],
    ['sign given', { sign: 'MINE', a: 'b' }, '622BE013FDCA6F23D3F956796DDDFB73'],
  ])('agrees with wechatpay-php: %s', (_, fields, signature) => {
    expect(Hash.sign('MD5', { mch_id: '1900000109', ...fields }, 'exposed_your_key_here_have_risks')).toBe(signature);
  });

  test('agrees with wechatpay-php: HMAC-SHA256', () => {
    const fields = { mch_id: '1900000109', sign_type: 'HMAC-SHA256', a: 'b' };
    expect(Hash.sign('HMAC-SHA256', fields, 'exposed_your_key_here_have_risks')).toBe(
      '98012B40F694ADB50B8A9CCD36407549E276A8A5C6DC9109645257AFF4084474',
    );
  });

  test.each<[string, unknown, unknown, unknown, RegExp]>([
    ['a sign type in lower case', 'hmac-sha256', FIELDS, KEY, /must be one of MD5, HMAC-SHA256/],
    ['an empty sign type', '', FIELDS, KEY, /must be one of/],
    ['a sign type that objects have', 'constructor', FIELDS, KEY, /must be one of/],
    ['an empty key', 'MD5', FIELDS, '', /"key" is empty: pass the APIv2 key/],
    ['a key that is missing', 'MD5', FIELDS, undefined, /"key" must be a string or bytes/],
    ['false', 'MD5', { ...FIELDS, is_raw: false }, KEY, /field "is_raw" is false/],
    ['an array', 'MD5', { ...FIELDS, goods: ['recognisable'] }, KEY, /field "goods" is an array/],
    ['an object', 'MD5', { ...FIELDS, goods: { recognisable: 1 } }, KEY, /field "goods" is of type object/],
    ['fields that are an array', 'MD5', ['recognisable'], KEY, /"data" must be an object of fields/],
    ['no fields', 'MD5', null, KEY, /"data" must be/],
    ['a number for fields', 'MD5', 5, KEY, /"data" must be an object of fields/],
    ['true for fields', 'MD5', true, KEY, /"data" must be an object of fields/],
  ])('refuses %s', async (_, type, data, key, message) => {
    const error = await rejection(() => Hash.sign(type as Hash.SignType, data as string, key as string));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toMatch(message);
    expectNoLeak(error, `${KEY} recognisable ${FIELDS.nonce_str}`);
  });
});

describe('equals', () => {
  test.each<[string, string | null | undefined, boolean]>([
    [MD5, MD5, true],
    ['中文', '中文', true],
    [MD5, MD5.toLowerCase(), false],
    [MD5, MD5.slice(1), false],
    [MD5, `${MD5} `, false],
    [MD5, '', false],
    [MD5, undefined, false],
    [MD5, null, false],
    [undefined as unknown as string, undefined, false],
    [5 as unknown as string, '5', false],
    ['5', 5 as unknown as string, false],
    [[MD5] as unknown as string, MD5, false],
  ])('%p and %p: %p', (known, user, result) => {
    expect(Hash.equals(known, user)).toBe(result);
  });
});

test.each<[string, () => unknown, string]>([
  ['no message of md5', () => Hash.md5(undefined as unknown as string), '"message" must be a string or bytes'],
  ['no key of md5', () => Hash.md5('x', null as unknown as string), '"key" must be a string or bytes'],
  ['no message of hmac', () => Hash.hmac(undefined as unknown as string, KEY), '"message" must be a string or bytes'],
  ['no key of hmac', () => Hash.hmac('x', undefined as unknown as string), '"key" must be a string or bytes'],
  ['no hash', () => Hash.hmac('x', KEY, 'sha'), '"algorithm" must be a hash that OpenSSL supports'],
])('an error names what is wrong: %s', (_, call, message) => {
  expect(call).toThrow(InvalidArgumentError);
  expect(call).toThrow(message);
});
