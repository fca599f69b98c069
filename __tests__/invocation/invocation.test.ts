import { execFile } from 'node:child_process';
import { createHash, createHmac, createPrivateKey, sign, verify } from 'node:crypto';
import { inspect, promisify } from 'node:util';
import { Builder, type ClientConfig, ConfigurationError, InvalidArgumentError, Invocation } from 'wechatpay-undici';
import { expectNoLeak } from '../crypto/support';
import { rsaKeyPair } from '../support/keys';
import { rejection } from '../support/rejection';

const MCHID = '1900000109';
/** The key in the example of WeChat Pay's page on the mini program of v2. */
const SECRET = 'qazwsxedcrfvtgbyhnujmikolp111111';
const APPID = 'wxd678efh567hg6787';
const PREPAY_ID = 'wx2017033010242291fcfe0db70013231072';

const { privateKey, publicKey } = rsaKeyPair();
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const v3 = {
  mchid: MCHID,
  serial: '3775B6A45ACD588826D15E583A95F5DD00000000',
  privateKey: pem,
  certs: { PUB_KEY_ID_0119000001092024072500000000000001: rsaKeyPair(2048, 'other').publicKey },
} satisfies ClientConfig;
const v2 = { mchid: MCHID, secret: SECRET } satisfies ClientConfig;

const of = (config: ClientConfig) => Invocation.of(Builder.factory(config));
const both = of({ ...v3, ...v2 });
const order = { appid: APPID, prepay_id: PREPAY_ID };

type Leaves = Record<string, string>;

/** The signature of v2, written down once more from its rules. */
function signV2(type: 'MD5' | 'HMAC-SHA256', fields: Leaves): string {
  const names = Object.keys(fields).sort();
  const text = [...names.map((name) => `${name}=${fields[name]}`), `key=${SECRET}`].join('&');
  const hash = type === 'MD5' ? createHash('md5') : createHmac('sha256', SECRET);
  return hash.update(text).digest('hex').toUpperCase();
}

function expectRsa(signature: string | undefined, ...lines: (string | undefined)[]): void {
  const message = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  expect(verify('sha256', message, publicKey, Buffer.from(signature ?? '', 'base64'))).toBe(true);
}

/** Every value in a result, however deep. */
function leaves(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
}

function expectTexts(value: unknown): void {
  const found = leaves(value);
  expect(found.length).toBeGreaterThan(0);
  for (const leaf of found) {
    expect(typeof leaf).toBe('string');
    expect(leaf).not.toBe('');
    expect(leaf).not.toMatch(/undefined|null|NaN|\[object/);
  }
}

function expectFresh(time: string | undefined, once: string | undefined): void {
  expect(time).toMatch(/^\d{10}$/);
  expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(5);
  expect(once).toMatch(/^[0-9a-f]{32}$/);
}

test('the rules of v2 above give the signatures that WeChat Pay’s pages show', () => {
  const fields = {
    appId: APPID,
    nonceStr: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
    package: `prepay_id=${PREPAY_ID}`,
    signType: 'MD5',
    timeStamp: '1490840662',
  };
  // https://pay.weixin.qq.com/doc/v2/merchant/4011939566
  expect(signV2('MD5', fields)).toBe('22D9B4E54AB1950F51E0649E8810ACD6');
});

describe.each(['jsapi', 'miniProgram'] as const)('%s', (name) => {
  test('of APIv3 is signed with RSA over four lines', async () => {
    const parameters = await both[name](order);
    expect(Object.keys(parameters)).toEqual(['appId', 'timeStamp', 'nonceStr', 'package', 'signType', 'paySign']);
    expect(parameters).toMatchObject({ appId: APPID, package: `prepay_id=${PREPAY_ID}`, signType: 'RSA' });
    const { appId, timeStamp, nonceStr, package: prepay, paySign } = parameters;
    expectRsa(paySign, appId, timeStamp, nonceStr, prepay);
    expectFresh(timeStamp, nonceStr);
    expectTexts(parameters);
  });

  test.each(['MD5', 'HMAC-SHA256'] as const)('of v2 is signed with %s over all fields', async (signType) => {
    const parameters = await both[name]({ ...order, signType });
    const { paySign, ...fields } = parameters;
    expect(fields).toMatchObject({ appId: APPID, package: `prepay_id=${PREPAY_ID}`, signType });
    expect(Object.keys(fields)).toHaveLength(5);
    expect(paySign).toBe(signV2(signType, fields));
    expectFresh(fields.timeStamp, fields.nonceStr);
    expectTexts(parameters);
  });
});

describe('app', () => {
  test.each<[string, object, string]>([
    ['its own merchant', {}, MCHID],
    ['another one', { partnerid: '1900000110' }, '1900000110'],
  ])('of APIv3 is signed with RSA over four lines, for %s', async (_name, more, partnerid) => {
    const parameters = await both.app({ ...order, ...more });
    expect(parameters).toMatchObject({ appid: APPID, partnerid, prepayid: PREPAY_ID, package: 'Sign=WXPay' });
    expect(Object.keys(parameters)).toHaveLength(7);
    const { appid, timestamp, noncestr, prepayid } = parameters;
    expectRsa(parameters.sign, appid, timestamp, noncestr, prepayid);
    expectFresh(timestamp, noncestr);
    expectTexts(parameters);
  });

  test.each(['MD5', 'HMAC-SHA256'] as const)('of v2 is signed with %s over all fields', async (signType) => {
    const parameters = await both.app({ ...order, signType });
    const { sign: signature, ...fields } = parameters;
    expect(fields).toMatchObject({ appid: APPID, partnerid: MCHID, prepayid: PREPAY_ID, package: 'Sign=WXPay' });
    expect(Object.keys(fields)).toHaveLength(6);
    expect(signature).toBe(signV2(signType, fields));
    expectTexts(parameters);
  });
});

test('no two calls are alike', async () => {
  const [one, other] = await Promise.all([both.jsapi(order), both.jsapi(order)]);
  expect(one.nonceStr).not.toBe(other.nonceStr);
  expect(one.paySign).not.toBe(other.paySign);
});

test('a function in the place of the private key signs', async () => {
  const seen: Uint8Array[] = [];
  const signing = async (message: Uint8Array) => {
    seen.push(message);
    return sign('sha256', message, createPrivateKey(pem)).toString('base64');
  };
  const {
    appId,
    timeStamp,
    nonceStr,
    package: prepay,
    paySign,
  } = await of({ ...v3, privateKey: signing }).jsapi(order);
  expectRsa(paySign, appId, timeStamp, nonceStr, prepay);
  expect(seen).toHaveLength(1);
});

describe('h5', () => {
  const URL_GIVEN = 'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20161110&package=1037687096';

  test.each<[string, string | URL | undefined, string]>([
    ['nothing', undefined, URL_GIVEN],
    [
      'a page',
      'https://www.wechatpay.com.cn',
      // https://pay.weixin.qq.com/doc/v2/merchant/4011936869
      `${URL_GIVEN}&redirect_url=https%3A%2F%2Fwww.wechatpay.com.cn`,
    ],
    [
      'a page with a query',
      'https://shop.example/paid?id=1&name=张三#top',
      `${URL_GIVEN}&redirect_url=https%3A%2F%2Fshop.example%2Fpaid%3Fid%3D1%26name%3D%E5%BC%A0%E4%B8%89%23top`,
    ],
    ['a URL', new URL('https://shop.example/paid'), `${URL_GIVEN}&redirect_url=https%3A%2F%2Fshop.example%2Fpaid`],
    ['an app', 'shop://paid', `${URL_GIVEN}&redirect_url=shop%3A%2F%2Fpaid`],
  ])('goes on to %s', (_name, redirect, expected) => {
    expect(both.h5(URL_GIVEN, redirect)).toBe(expected);
  });

  test('takes an address without a query', () => {
    expect(both.h5('https://wx.tenpay.com/pay', 'https://a.example')).toBe(
      'https://wx.tenpay.com/pay?redirect_url=https%3A%2F%2Fa.example',
    );
  });

  test.each<[string, unknown, unknown, RegExp]>([
    ['an order without h5_url', undefined, undefined, /"h5_url" must be an absolute URL/],
    ['a page without a scheme', URL_GIVEN, 'shop.example/paid', /"redirect_url" must be an absolute URL/],
    ['a page that is none', URL_GIVEN, null, /"redirect_url" must be an absolute URL/],
  ])('refuses %s', async (_name, url, redirect, message) => {
    const error = await rejection(() => both.h5(url as string, redirect as string));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toMatch(message);
  });
});

describe('coupons', () => {
  const list = [
    { stock_id: '1234567', out_request_no: 'abc123', coupon_code: 'asdsada' },
    {
      stock_id: '2345678',
      out_request_no: '123abc',
      customize_send_time: '2015-05-20T13:29:35+08:00',
      create_coupon_merchant: '10016227',
    },
  ];
  const signed = (send_coupon_merchant: string) => ({
    stock_id0: '1234567',
    out_request_no0: 'abc123',
    coupon_code0: 'asdsada',
    stock_id1: '2345678',
    out_request_no1: '123abc',
    customize_send_time1: '2015-05-20T13:29:35+08:00',
    create_coupon_merchant1: '10016227',
    send_coupon_merchant,
  });

  test.each<[string, object, string]>([
    ['its own merchant', {}, MCHID],
    ['another one', { send_coupon_merchant: '10016226' }, '10016226'],
  ])('sendCoupon signs all members, numbered, for %s', async (_name, more, merchant) => {
    const parameters = await both.sendCoupon({ send_coupon_params: list, ...more });
    expect(parameters).toEqual({
      send_coupon_params: list,
      send_coupon_merchant: merchant,
      sign: signV2('HMAC-SHA256', signed(merchant)),
    });
    expectTexts(parameters);
  });

  test('sendCoupon numbers more than ten by their names', async () => {
    const many = Array.from({ length: 11 }, (_, index) => ({ stock_id: `s${index}`, out_request_no: `o${index}` }));
    const fields = Object.fromEntries(many.flatMap((one, i) => Object.entries(one).map(([k, v]) => [`${k}${i}`, v])));
    const { sign: signature } = await both.sendCoupon({ send_coupon_params: many });
    expect(signature).toBe(signV2('HMAC-SHA256', { ...fields, send_coupon_merchant: MCHID }));
  });

  test('addCard tells the signature and the merchant with the first card', async () => {
    const parameters = await both.addCard({ send_coupon_params: list });
    expect(parameters.cardList.map(({ cardId }) => cardId)).toEqual(['1234567', '2345678']);
    const [first, second] = parameters.cardList.map(({ cardExt }) => JSON.parse(cardExt));
    expect(first).toEqual({
      out_request_no: 'abc123',
      coupon_code: 'asdsada',
      send_coupon_merchant: MCHID,
      sign: signV2('HMAC-SHA256', signed(MCHID)),
    });
    expect(second).toEqual({
      out_request_no: '123abc',
      customize_send_time: '2015-05-20T13:29:35+08:00',
      create_coupon_merchant: '10016227',
    });
    expectTexts(parameters);
  });

  test.each<[string, object]>([
    ['a code of WeChat Pay', {}],
    ['a code of the merchant', { coupon_code: 'a|b*c' }],
    ['a time of its own', { customize_send_time: '2015-05-20T13:29:35+08:00' }],
    ['another merchant', { send_coupon_merchant: '123456789' }],
  ])('couponUrl signs what it sends, with %s', async (_name, more) => {
    const coupon = { stock_id: '1234567890000000', out_request_no: '201911280000', open_id: 'oiSFDIOoijdsf' };
    const url = await both.couponUrl({ ...coupon, ...more });
    expect(url).toMatch(
      /^https:\/\/action\.weixin\.qq\.com\/busifavor\/getcouponinfo\?[^ +#]+#wechat_pay&wechat_redirect$/,
    );
    const { sign: signature, ...fields } = Object.fromEntries(new URL(url).searchParams);
    expect(fields).toEqual({ send_coupon_merchant: MCHID, ...coupon, ...more });
    expect(signature).toBe(signV2('HMAC-SHA256', fields));
  });

  test('what is undefined is neither signed nor sent', async () => {
    const coupon = { stock_id: '1', out_request_no: '2', coupon_code: undefined };
    const parameters = await both.sendCoupon({ send_coupon_params: [coupon as never] });
    expect(parameters.send_coupon_params).toEqual([{ stock_id: '1', out_request_no: '2' }]);
    expect(parameters.send_coupon_params[0]).not.toHaveProperty('coupon_code');
  });
});

describe('Pay Score', () => {
  const own = { service_id: '88888888000011', out_order_no: '1234_32|3-J*' };

  test.each<[string, string, () => Promise<Invocation.BusinessView>, Leaves]>([
    [
      'payScoreEnable by a number',
      'wxpayScoreEnable',
      () => both.payScoreEnable({ service_id: '88888888000011', out_request_no: '1234323JKH' }),
      { service_id: '88888888000011', out_request_no: '1234323JKH' },
    ],
    [
      'payScoreUse overseas',
      'wxpayScoreUse',
      () => both.payScoreUse({ package: 'AAQTnZo+/A==', signType: 'HMAC-SHA256' }),
      { package: 'AAQTnZo+/A==' },
    ],
    ['payScoreDetail', 'wxpayScoreDetail', () => both.payScoreDetail(own), own],
  ])('%s is signed', async (_name, businessType, call, fields) => {
    const view = await call();
    const { sign: signature, ...signed } = view.extraData;
    expect(view.businessType).toBe(businessType);
    expect(signed).toMatchObject({ ...fields, mch_id: MCHID, sign_type: 'HMAC-SHA256' });
    expect(Object.keys(signed)).toHaveLength(Object.keys(fields).length + 4);
    expectFresh(signed.timestamp, signed.nonce_str);
    expect(signature).toBe(signV2('HMAC-SHA256', signed));
    expect(Object.fromEntries(new URLSearchParams(view.queryString))).toEqual(view.extraData);
    expect(view.queryString).not.toMatch(/[ +|/]/);
    expectTexts(view);
  });

  test.each<[string, string, (invocation: Invocation.FrontEnd) => Promise<Invocation.BusinessView>, Leaves]>([
    [
      'payScoreEnable by a token',
      'wxpayScoreEnable',
      (invocation) => invocation.payScoreEnable({ apply_permissions_token: 'AAQT+Zo', scene: 'ORDER' }),
      { apply_permissions_token: 'AAQT+Zo', scene: 'ORDER' },
    ],
    [
      'payScoreUse',
      'wxpayScoreUse',
      (invocation) => invocation.payScoreUse({ package: 'AAQ/T' }),
      { package: 'AAQ/T' },
    ],
  ])('%s is not signed, and needs no key of v2', async (_name, businessType, call, extraData) => {
    const view = await call(of(v3));
    expect(view).toMatchObject({ businessType, extraData });
    expect(view.extraData).toEqual(extraData);
    expect(Object.fromEntries(new URLSearchParams(view.queryString))).toEqual(extraData);
    expectTexts(view);
  });
});

test.each<[string, object, object]>([
  ['', {}, {}],
  [
    ' of a service provider',
    { sub_mchid: '1230000001', sub_appid: 'wx2', openid: 'o1' },
    { subMchId: '1230000001', subAppId: 'wx2', openId: 'o1' },
  ],
])('merchantTransfer%s hands on what the response says, without a signature', (_name, more, expected) => {
  const answer = { out_bill_no: 'x', state: 'WAIT_USER_CONFIRM', package_info: 'affffddafdfafddffda==' };
  const parameters = both.merchantTransfer({ appid: APPID, ...answer, ...more });
  expect(parameters).toEqual({ mchId: MCHID, appId: APPID, package: 'affffddafdfafddffda==', ...expected });
  expectTexts(parameters);
});

describe('refuses', () => {
  const hmac = /HMAC-SHA256 signs with the APIv2 key; configure it as "secret"/;
  const coupon = { stock_id: '1', out_request_no: '2' };

  test.each<[string, () => unknown, RegExp]>([
    [
      'RSA without a private key',
      () => of(v2).jsapi(order),
      /configured for v2 only, and RSA requires "privateKey"; .+"signType"/,
    ],
    ['RSA for an app without a private key', () => of(v2).app(order), /configured for v2 only/],
    ['MD5 without a secret', () => of(v3).jsapi({ ...order, signType: 'MD5' }), /^MD5 signs with the APIv2 key/],
    ['sendCoupon without a secret', () => of(v3).sendCoupon({ send_coupon_params: [coupon] }), hmac],
    ['addCard without a secret', () => of(v3).addCard({ send_coupon_params: [coupon] }), hmac],
    ['couponUrl without a secret', () => of(v3).couponUrl({ ...coupon, open_id: 'o' }), hmac],
    ['payScoreDetail without a secret', () => of(v3).payScoreDetail({ service_id: '1', out_order_no: '2' }), hmac],
  ])('%s', async (_name, run, message) => {
    const error = await rejection(run);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(message);
    for (const secret of [pem, SECRET]) expectNoLeak(error, secret);
  });

  // What a program in JavaScript may do.
  test.each<[string, () => unknown, RegExp]>([
    ['what Builder.factory did not build', () => Invocation.of({}), /not created by Builder\.factory/],
    ['an order without prepay_id', () => both.jsapi({ appid: APPID } as never), /^"prepay_id" is missing\.$/],
    ['an empty appid', () => both.app({ ...order, appid: '' }), /^"appid" is empty\.$/],
    [
      'a number',
      () => both.app({ ...order, partnerid: 1900000109 as never }),
      /^"partnerid" is of type number; it must/,
    ],
    ['an inherited member', () => both.jsapi(Object.create(order)), /^"appid" is missing\.$/],
    ['nothing', () => both.miniProgram(undefined as never), /^The argument must be an object; it is undefined\.$/],
    ['an unknown signType', () => both.jsapi({ ...order, signType: SECRET as never }), /one of RSA, MD5, HMAC-SHA256/],
    ['an unknown signType of an app', () => both.app({ ...order, signType: 'toString' as never }), /one of RSA, MD5/],
    ['no coupons', () => both.sendCoupon({ send_coupon_params: [] }), /must be a non-empty array of coupons/],
    ['coupons that are none', () => both.addCard({} as never), /must be a non-empty array of coupons/],
    ['a coupon of null', () => both.sendCoupon({ send_coupon_params: [null as never] }), /it is null/],
    [
      'a coupon without a batch',
      () => both.couponUrl({ out_request_no: '1', open_id: 'o' } as never),
      /"stock_id" is missing/,
    ],
    ['a user that is missing', () => both.couponUrl({ ...coupon } as never), /^"open_id" is missing/],
    [
      'a token that is missing',
      () => both.payScoreEnable({ apply_permissions_token: undefined as never }),
      /_token" is missing/,
    ],
    ['no service', () => both.payScoreEnable(undefined as never), /must be an object/],
    [
      'a transfer that does not wait',
      () => both.merchantTransfer({ appid: APPID } as never),
      /^"package_info" is missing/,
    ],
  ])('%s', async (_name, run, message) => {
    const error = await rejection(run);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toMatch(message);
    for (const secret of [pem, SECRET]) expectNoLeak(error, secret);
  });
});

test('prints no secret, and gives none to the front end', async () => {
  const results = await Promise.all([
    both.jsapi(order),
    both.app({ ...order, signType: 'MD5' }),
    both.sendCoupon({ send_coupon_params: [{ stock_id: '1', out_request_no: '2' }] }),
    both.payScoreDetail({ service_id: '1', out_order_no: '2' }),
  ]);
  const options = { depth: Infinity, showHidden: true, maxStringLength: Infinity };
  const text = [both, ...results].map((value) => `${inspect(value, options)}\n${JSON.stringify(value)}`).join('\n');
  const lines = pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
  expect(lines.length).toBeGreaterThan(20);
  for (const secret of [...lines, SECRET]) expect(text).not.toContain(secret.slice(0, 20));
});

test('the example ends well', async () => {
  const run = promisify(execFile)(process.execPath, ['-r', 'esbuild-register', 'examples/jsapi-pay.ts']);
  expect((await run).stdout).toMatch(/package: 'prepay_id=wx[0-9a-f]{34}',\n\s+signType: 'RSA'/);
}, 60_000);
