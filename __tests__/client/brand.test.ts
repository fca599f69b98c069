import { constants, type KeyObject, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders } from 'node:http';
import { inspect } from 'node:util';
import { request } from 'undici';
import {
  type BrandChain,
  type BrandConfig,
  Builder,
  Certificates,
  ConfigurationError,
  type Diagnostic,
  InvalidArgumentError,
  Invocation,
  type LooseOptions,
  Media,
  Sensitive,
  SignatureError,
  signer,
  verifier,
} from 'wechatpay-undici';
import { rsaKeyPair, selfSigned } from '../support/keys';
import { loose, type Tree } from '../support/loose';
import { rejection } from '../support/rejection';
import { merchant, PLATFORM_ID, platform, type Respond, wechatPay } from '../support/wechatpay';

/** Keys of the brand and its WeChat Pay public key: not those of the merchant, nor the merchant's platform key. */
const own = rsaKeyPair();
const theirs = rsaKeyPair(2048, 'other');
const BRAND_ID = '120344';
const SERIAL = '5157F09EFDC096DE15EBE81A47057A7200000000';
const KEY_ID = 'PUB_KEY_ID_0000000000000024101100397200000006';
const BRAND_API_KEY = 'brand-api-key-of-32-characters-x';
const SCHEME = 'WECHATPAY-BRAND-SHA256-RSA2048';
const PLAINTEXT = '13900139000';

const { running, url, agent, build } = wechatPay();

/** What arrived last. */
const last = { method: '', target: '', headers: {} as IncomingHttpHeaders, body: '' };

/** How a response is made. */
interface Answer {
  status?: number;
  type?: string | undefined;
  key?: KeyObject;
  serial?: string;
}

/** Responds as the platform does to a brand, and keeps the request. */
function responding(body: unknown, how: Answer = {}): Respond {
  const { status = 200, key = theirs.privateKey, serial = KEY_ID } = how;
  return (response, { method = '', url: target = '', headers }, received) => {
    Object.assign(last, { method, target, headers, body: received });
    const text = body === undefined ? '' : JSON.stringify(body);
    const time = Math.floor(Date.now() / 1000);
    const type = 'type' in how ? how.type : SCHEME;
    response.writeHead(body === undefined ? 204 : status, {
      'content-type': 'application/json',
      'wechatpay-serial': serial,
      'wechatpay-timestamp': String(time),
      'wechatpay-nonce': 'n',
      'wechatpay-signature': sign('sha256', Buffer.from(`${time}\nn\n${text}\n`), key).toString('base64'),
      ...(type !== undefined && { 'wechatpay-signature-type': type }),
    });
    response.end(text);
  };
}

const config = (change: object = {}): BrandConfig => ({
  brandId: BRAND_ID,
  serial: SERIAL,
  privateKey: own.privateKey,
  certs: { [KEY_ID]: theirs.publicKey },
  baseUrl: url(),
  dispatcher: agent,
  ...change,
});
const brand = (change?: object): BrandChain => Builder.factory(config(change));

/** What `Authorization` of the last request says; its signature is checked over what arrived. */
function authorization(signed = last.body): Record<string, string> {
  const [, list = ''] = /^WECHATPAY-BRAND-SHA256-RSA2048 (\S+)$/.exec(String(last.headers.authorization)) ?? [];
  const members = Object.fromEntries(list.split(',').map((pair) => /^(\w+)="(.*)"$/.exec(pair)?.slice(1) ?? []));
  const { timestamp, nonce_str, signature = '' } = members;
  const message = `${last.method}\n${last.target}\n${timestamp}\n${nonce_str}\n${signed}\n`;
  expect(verify('sha256', Buffer.from(message), own.publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  return members;
}

beforeEach(() => {
  running.respond = responding({ store_id: '100088' });
});

describe('a request', () => {
  const calls: [string, (instance: BrandChain) => PromiseLike<unknown>, string, string][] = [
    ['a property chain', (one) => one.brand.store.brandstores.get({ query: { limit: 5 } }), 'GET', '?limit=5'],
    [
      'chain()',
      (one) => one.chain('brand/store/brandstores').post({ json: { store_address: {} } as never }),
      ...(['POST', ''] as const),
    ],
    [
      'brackets',
      (one) => one['brand/store/brandstores/{store_id}'].delete({ store_id: 7 }),
      ...(['DELETE', '/7'] as const),
    ],
    ['a path of tomorrow', (one) => one.brand.store.chain('brandstores').get(), 'GET', ''],
  ];

  test.each(calls)('by %s is signed as the brand and announces its public key', async (_how, call, method, rest) => {
    await call(brand());
    expect([last.method, last.target]).toEqual([method, `/brand/store/brandstores${rest}`]);
    const { brand_id, serial_no, nonce_str } = authorization();
    expect({ brand_id, serial_no }).toEqual({ brand_id: BRAND_ID, serial_no: SERIAL });
    expect(nonce_str).toMatch(/^\w{32}$/);
    expect(last.headers['wechatpay-serial']).toBe(KEY_ID);
  });

  test('has the parts of Authorization in the documented order, on one line', async () => {
    await brand().brand.store.brandstores.get();
    expect(last.headers.authorization).toMatch(
      new RegExp(
        `^${SCHEME} brand_id="${BRAND_ID}",nonce_str="\\w{32}",timestamp="\\d{10}",serial_no="${SERIAL}",signature="[\\w+/=]{344}"$`,
      ),
    );
  });

  test('of an upload is signed over its meta', async () => {
    const body = await Media.from(Buffer.from('image'), { filename: 'a.png' });
    await brand().brand.cardMember.media.imageUpload.post({ body });
    expect(last.headers['content-type']).toMatch(/^multipart\/form-data/);
    expect(last.body).toContain(body.meta);
    authorization(body.meta);
  });

  test('is signed by functions in the place of keys as well', async () => {
    const privateKey = (message: Uint8Array) => sign('sha256', message, own.privateKey).toString('base64');
    const check = (message: Uint8Array, signature: string) =>
      verify('sha256', message, theirs.publicKey, Buffer.from(signature, 'base64'));
    await brand({ privateKey, certs: { [KEY_ID]: check } }).brand.store.brandstores.get();
    expect(authorization()).toMatchObject({ brand_id: BRAND_ID });
  });

  test('is signed afresh where it is repeated, at the second host too', async () => {
    const nonces: unknown[] = [];
    running.respond = (response, incoming, body) => {
      responding({}, { status: nonces.length === 0 ? 503 : 200 })(response, incoming, body);
      nonces.push(authorization().nonce_str);
    };
    const retrying = brand({ retry: { delay: 0 }, baseUrl: 'http://127.0.0.1:1/', failover: url() });
    await retrying.brand.store.brandstores.get();
    expect(new Set(nonces).size).toBe(2);
  });

  test('is reported without its signature', async () => {
    const reported: unknown[] = [];
    const listener = (message: unknown) => reported.push(message);
    channel('wechatpay').subscribe(listener);
    await brand().brand.store.brandstores.get();
    channel('wechatpay').unsubscribe(listener);
    expect(reported.map((one) => (one as Diagnostic).phase)).toEqual(['request', 'response']);
    expect(JSON.stringify(reported)).not.toMatch(/signature|Authorization/i);
  });

  test('is signed by the interceptors alone as well', async () => {
    const { brandId, serial, privateKey, certs } = config();
    const options = { brandId, serial, privateKey, certs, baseUrl: url() };
    const dispatcher = agent.compose(verifier(options), signer(options));
    expect((await request(new URL('/brand/x', url()), { dispatcher })).statusCode).toBe(200);
    expect(authorization()).toMatchObject({ brand_id: BRAND_ID });
    running.respond = responding({}, { type: 'WECHATPAY2-SHA256-RSA2048' });
    await expect(request(new URL('/brand/x', url()), { dispatcher })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_WRONG',
    });
  });
});

describe('a response', () => {
  const get = () => rejection(brand().brand.store.brandstores.get());

  test("is verified with the brand's WeChat Pay public key", async () => {
    expect(await brand().brand.store.brandstores.get().json()).toEqual({ store_id: '100088' });
    running.respond = responding({}, { type: undefined });
    expect((await brand().brand.store.brandstores.get()).status).toBe(200);
    running.respond = responding(undefined);
    expect((await brand().brand.store.brandstores.get()).status).toBe(204);
  });

  test.each<[string, Answer, object]>([
    ["by the brand's own key", { key: own.privateKey }, { code: 'ERR_SIGNATURE_WRONG' }],
    ['by a key of another id', { serial: PLATFORM_ID }, { code: 'ERR_SIGNATURE_SERIAL', serial: PLATFORM_ID }],
    [
      'by the scheme of merchants',
      { type: 'WECHATPAY2-SHA256-RSA2048' },
      { code: 'ERR_SIGNATURE_WRONG', message: expect.stringContaining(`of a brand it is ${SCHEME}`) },
    ],
    ['of a failure, wrongly', { status: 500, key: own.privateKey }, { code: 'ERR_SIGNATURE_WRONG' }],
  ])('signed %s is refused', async (_how, how, expected) => {
    running.respond = responding({}, how);
    const error = await get();
    expect(error).toBeInstanceOf(SignatureError);
    expect(error).toMatchObject(expected);
  });

  test('with a number of another request is refused', async () => {
    running.respond = responding({ out_request_no: 'B' });
    const json = { out_request_no: 'A' } as never;
    const call = brand().chain('brand/marketing/product-coupon/product-coupons').post({ json });
    expect(await rejection(call)).toMatchObject({ code: 'ERR_SIGNATURE_OTHER_REQUEST' });
  });

  test('that fails is an API error, verified where it is signed', async () => {
    running.respond = responding({ code: 'NO_AUTH', message: 'no' }, { status: 403 });
    expect(await get()).toMatchObject({ name: 'ApiError', status: 403, code: 'NO_AUTH', verified: true });
  });
});

describe('sensitive fields', () => {
  const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
  const encrypted = publicEncrypt({ key: own.publicKey, ...oaep }, Buffer.from(PLAINTEXT)).toString('base64');
  const decrypted = (ciphertext: string) =>
    privateDecrypt({ key: theirs.privateKey, ...oaep }, Buffer.from(ciphertext, 'base64')).toString();

  test("of an operation are encrypted with WeChat Pay's key and decrypted with the brand's", async () => {
    running.respond = responding({ phone_number: encrypted });
    const json = { out_request_no: 'A', phone_number: PLAINTEXT };
    const path = 'brand/card-member/user-cards/import-by-openid';
    const { phone_number } = await brand()
      .chain(path)
      .post({ json: json as never })
      .json();
    expect(phone_number).toBe(PLAINTEXT);
    expect(last.body).not.toContain(PLAINTEXT);
    expect(decrypted(JSON.parse(last.body).phone_number)).toBe(PLAINTEXT);
    expect(last.headers['wechatpay-serial']).toBe(KEY_ID);
    authorization();
  });

  test('are encrypted and decrypted by hand', async () => {
    const sensitive = Sensitive.of(brand());
    expect(sensitive.headers).toEqual({ 'Wechatpay-Serial': KEY_ID });
    expect(decrypted(await sensitive.encrypt(PLAINTEXT))).toBe(PLAINTEXT);
    expect(await sensitive.decrypt(encrypted)).toBe(PLAINTEXT);
  });
});

describe('one client is one identity', () => {
  const needsBrand = 'Builder.factory({ brandId, serial, privateKey, certs })';
  const needsMerchant = 'Builder.factory({ mchid, serial, privateKey, certs })';
  const options = { json: { phone_number: PLAINTEXT } };
  const spelled = (first: string): [string, LooseOptions][] => [
    [`${first}/card-member/user-cards/import-by-openid`, options],
    [`/${first}/a.b`, {}],
    [`x/../${first}/a`, {}],
    [`%${first.charCodeAt(0).toString(16)}${first.slice(1)}/a`, {}],
    [first, {}],
    ['{+path}', { variables: { path: `${first}/a` } }],
    [`${first.toUpperCase()}/a`, {}],
    ['a/b', { baseUrl: new URL(`/${first}/`, url()) }],
    [new URL(`/${first}/a?b=1`, url()).href, {}],
    ...(first === 'v3' ? [[`https://api.mch.weixin.qq.com/${first}/a`, {}] as [string, LooseOptions]] : []),
  ];

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('a merchant calls no operation of brands, spelling %i', async (index) => {
    const [path = '', more] = spelled('brand')[index] ?? [];
    const error = await rejection(loose(build()).chain(path).post(more));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(
      'is an operation for a brand, and this client signs as a merchant. Nothing was sent.',
    );
    expect(error.message).toContain(needsBrand);
    expect(inspect(error)).not.toContain(PLAINTEXT);
    expect(running.arrived).toBe(0);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('a brand calls no operation of merchants, spelling %i', async (index) => {
    const [path = '', more] = spelled('v3')[index] ?? [];
    const error = await rejection(loose(brand()).chain(path).post(more));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(
      'is an operation for a merchant, and this client signs as a brand. Nothing was sent.',
    );
    expect(error.message).toContain(needsMerchant);
    expect(running.arrived).toBe(0);
  });

  test.each(['v2/pay/unifiedorder', 'V2/pay/unifiedorder', 'v2'])('a brand has no v2: %s', async (path) => {
    const error = await rejection(
      loose(brand())
        .chain(path)
        .post(path === 'v2' ? {} : { xml: {} }),
    );
    expect(error.message).toContain(needsMerchant);
    expect(running.arrived).toBe(0);
  });

  test('a merchant of v2 alone is told so before its fields are encrypted', async () => {
    const v2Alone = build({ serial: undefined, privateKey: undefined, certs: undefined });
    const error = await rejection(loose(v2Alone).chain('brand/card-member/user-cards/import-by-openid').post(options));
    expect(error.message).toContain(needsBrand);
  });

  test('partners call operations about brands as the merchants that they are', async () => {
    running.respond = responding({}, { key: platform.privateKey, serial: PLATFORM_ID, type: undefined });
    await loose(build()).chain('v3/brand/partner/store/brandstores').get();
    expect(last.headers.authorization).toMatch(/^WECHATPAY2-SHA256-RSA2048 mchid="/);
    const gateway = build({ baseUrl: new URL('/brand/', url()) });
    await loose(gateway).chain('v3/certificates').get();
    expect(last.target).toBe('/brand/v3/certificates');
  });

  test.each<[string, (instance: BrandChain) => unknown, string]>([
    ['platform certificates', (one) => Certificates.of(one), 'WeChat Pay has no platform certificates for brands'],
    ['invocations', (one) => Invocation.of(one), 'This is the client of a brand'],
  ])('a brand has no %s', (_what, use, message) => {
    expect(() => use(brand())).toThrow(message);
  });
});

describe('a configuration', () => {
  test.each<[string, object, string]>([
    ['mchid too', { mchid: '1900000109' }, '"mchid" and "brandId" are given together: one client is one identity.'],
    ['no id', { brandId: undefined }, '"brandId" is missing.'],
    ['an id that is none', { brandId: '1"' }, '"brandId" is not a string without'],
    ['an id that is a number', { brandId: 120344 }, '"brandId" is not a string without'],
    [
      'secret',
      { secret: 'x' },
      '"secret" is an option for a merchant, and this client is for a brand. Valid options: brandId,',
    ],
    ['merchant', { merchant: {} }, '"merchant" is an option for a merchant'],
    ['apiv3Key', { apiv3Key: BRAND_API_KEY }, '"apiv3Key" is an option for a merchant'],
    ['certificateCache', { certificateCache: {} }, '"certificateCache" is an option for a merchant'],
    ['payBankKey', { payBankKey: '' }, '"payBankKey" is an option for a merchant'],
    ['an unknown option', { brandid: '1' }, 'Unknown option "brandid". Valid options: brandId, serial,'],
    ['no serial', { serial: undefined }, '"serial" is missing.'],
    ['no certs', { certs: undefined }, '"certs" must contain'],
    ['empty certs', { certs: {} }, '"certs" must contain'],
    [
      'a short key for notifications',
      { brandApiKey: 'x' },
      '"brandApiKey" must be the brand API key, 32 bytes; found 1 bytes.',
    ],
    ['its own public key', { certs: { [KEY_ID]: own.publicKey } }, "is the brand's own public key"],
    ['its own serial', { certs: { [SERIAL]: theirs.publicKey } }, 'has the id of no public key'],
    [
      'a platform certificate',
      { certs: { [KEY_ID]: selfSigned({ pair: theirs }) } },
      'is a certificate. A brand has no platform',
    ],
    ['a timeout that is none', { timeout: 0 }, '"timeout"'],
  ])('with %s is refused', (_what, change, message) => {
    const make = () => brand(change);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });

  test('of a merchant has no option of brands', () => {
    expect(() => build({ brandApiKey: BRAND_API_KEY })).toThrow(
      '"brandApiKey" is an option for a brand, and this client is for a merchant. Valid options: mchid,',
    );
    expect(() => build({ brandId: undefined })).not.toThrow();
    expect(() => brand({ mchid: undefined })).not.toThrow();
  });

  test('with two public keys announces the first and verifies with either', async () => {
    const next = 'PUB_KEY_ID_0000000000000024101100397200000007';
    running.respond = responding({}, { serial: next, key: merchant.privateKey });
    const instance = brand({
      privateKey: rsaKeyPair(3072).privateKey,
      certs: { [KEY_ID]: theirs.publicKey, [next]: merchant.publicKey },
    });
    expect((await instance.brand.store.brandstores.get()).status).toBe(200);
    expect(last.headers['wechatpay-serial']).toBe(KEY_ID);
  });
});

test('nothing that a client of a brand prints has a secret in it', async () => {
  const pem = own.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const secrets = [
    ...pem.split('\n').filter((line) => line.length > 20 && !line.includes('-----')),
    BRAND_API_KEY,
    PLAINTEXT,
  ];
  const instance: Tree<'brand'> = loose(brand({ privateKey: pem, brandApiKey: BRAND_API_KEY }));
  running.respond = responding({ code: 'X', message: 'x' }, { status: 400 });
  const options = { json: { phone_number: PLAINTEXT } };
  const values: unknown[] = [
    instance,
    instance.brand,
    signer({ ...config({ privateKey: pem }) }),
    await rejection(instance.chain('brand/card-member/user-cards/import-by-openid').post(options)),
    await rejection(instance.chain('v3/profitsharing/receivers/add').post(options)),
    ...[
      { privateKey: pem.slice(0, 900) },
      { brandApiKey: `${BRAND_API_KEY}x` },
      { brandId: pem },
      { certs: { [KEY_ID]: pem } },
    ].map((change) => {
      try {
        return brand({ brandApiKey: BRAND_API_KEY, ...change });
      } catch (error) {
        return error;
      }
    }),
  ];
  expect(values.slice(3).every((value) => value instanceof Error)).toBe(true);
  const text = values
    .map((value) => [
      inspect(value, { depth: Infinity, showHidden: true }),
      JSON.stringify(value),
      String(value),
      (value as Error).stack,
    ])
    .join('\n');
  for (const secret of secrets) expect(text).not.toContain(secret);
});
