import { randomUUID, sign } from 'node:crypto';
import {
  Builder,
  ConfigurationError,
  type NotificationOf,
  Notifications,
  SignatureError,
  type V3Notification,
} from 'wechatpay-undici';
import { rsaKeyPair, selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';
import { merchantKey, PLATFORM_ID, post, privateKey, publicKey, type Sent, seal, secret, serve, v2 } from './support';

const brandApiKey = 'brand-api-key-of-32-characters-x';
const certs = { [PLATFORM_ID]: publicKey };
const SCHEME = 'WECHATPAY-BRAND-SHA256-RSA2048';
const RESOURCE = { brand_id: '120344', coupon_code: '1', memo: '茶' };

const brand = Builder.factory({ brandId: '120344', serial: 'A1', privateKey: merchantKey, certs, brandApiKey });
const merchant = Builder.factory({ mchid: '1900000109', serial: 'A1', privateKey: merchantKey, certs });

/** What may differ in a notification. */
interface Change {
  associated_data?: string | undefined;
  key?: string;
  type?: string | undefined;
  signature?: (right: string) => string;
  members?: object;
}

/** A notification as WeChat Pay sends it to a brand. */
function sent(change: Change = {}): Sent {
  const { key = brandApiKey, signature = (right: string) => right } = change;
  const associated_data = 'associated_data' in change ? change.associated_data : 'product_coupon';
  const type = 'type' in change ? change.type : SCHEME;
  const [nonce, time] = ['0123456789ab', Math.floor(Date.now() / 1000)];
  const body = JSON.stringify({
    id: randomUUID(),
    create_time: '2026-01-01T12:00:00+08:00',
    resource_type: 'encrypt-resource',
    event_type: 'PRODUCT_COUPON.SEND',
    summary: '发券',
    resource: {
      original_type: 'product_coupon',
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: seal(JSON.stringify(RESOURCE), nonce, associated_data ?? '', key),
      associated_data,
      nonce,
    },
    ...change.members,
  });
  const right = sign('sha256', Buffer.from(`${time}\nn\n${body}\n`), privateKey).toString('base64');
  return {
    headers: {
      'Content-Type': 'application/json',
      'Wechatpay-Nonce': 'n',
      'Wechatpay-Serial': PLATFORM_ID,
      'Wechatpay-Signature': signature(right),
      'Wechatpay-Timestamp': String(time),
      ...(type !== undefined && { 'Wechatpay-Signature-Type': type }),
    },
    body,
  };
}

const receivers: [string, () => ReturnType<typeof Notifications.of>][] = [
  ['an instance', () => Notifications.of(brand)],
  ['keys', () => Notifications.of({ certs, brandApiKey })],
  [
    'an instance and a key',
    () => {
      const without = Builder.factory({ brandId: '120344', serial: 'A1', privateKey: merchantKey, certs });
      return Notifications.of(without, { brandApiKey: Buffer.from(brandApiKey) });
    },
  ],
];

test.each(receivers)('a notification is verified and decrypted with %s', async (_with, of) => {
  const parsed = await of().parse(sent());
  expect(parsed).toMatchObject({ protocol: 'v3', event_type: 'PRODUCT_COUPON.SEND', resource: RESOURCE });
});

test.each<[string, Change]>([
  ['without associated_data', { associated_data: undefined }],
  ['with empty associated_data', { associated_data: '' }],
  ['without Wechatpay-Signature-Type', { type: undefined }],
])('a notification %s is accepted', async (_how, change) => {
  expect((await Notifications.of(brand).parse(sent(change))).resource).toEqual(RESOURCE);
});

test.each<[string, () => Sent, object]>([
  ['a probe', () => sent({ signature: (right) => `WECHATPAY/SIGNTEST/${right.slice(19)}` }), { probe: true }],
  [
    'a wrong signature',
    () => sent({ signature: (right) => right.replace(/^../, 'AA') }),
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  ['the scheme of merchants', () => sent({ type: 'WECHATPAY2-SHA256-RSA2048' }), { code: 'ERR_SIGNATURE_WRONG' }],
  [
    'a changed body',
    () => {
      const { headers, body } = sent();
      return { headers, body: body.replace('SEND', 'USED') };
    },
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
])('%s is refused', async (_what, make, expected) => {
  const error = await rejection(Notifications.of(brand).parse(make()));
  expect(error).toBeInstanceOf(SignatureError);
  expect(error).toMatchObject(expected);
});

test('what is encrypted with another key says which key to compare', async () => {
  const error = await rejection(Notifications.of(brand).parse(sent({ key: 'y'.repeat(32) })));
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error.message).toContain('"brandApiKey" is not, or is no longer, this brand\'s API key');
  expect(error.message).not.toContain('APIv3');
});

test('XML is not for brands', async () => {
  const error = await rejection(Notifications.of(brand).parse(v2()));
  expect(error.message).toContain('WeChat Pay sends those to merchants');
});

test('a handler processes a notification once, over a socket', async () => {
  const seen: unknown[] = [];
  const errors: unknown[] = [];
  const notifications = Notifications.of(brand, { onError: (error) => errors.push(error) });
  const handler = notifications.nodeHandler(({ event_type, resource }) => seen.push([event_type, resource]));
  const server = await serve((request, response) => void handler(request, response));
  const once = sent();
  const probe = sent({ signature: (right) => `WECHATPAY/SIGNTEST/${right.slice(19)}` });
  const replies = [await post(server.url, probe), await post(server.url, once), await post(server.url, once)];
  await server.close();
  expect(replies.map(({ status }) => status)).toEqual([401, 204, 204]);
  expect(seen).toEqual([['PRODUCT_COUPON.SEND', RESOURCE]]);
  expect(errors).toEqual([expect.objectContaining({ probe: true })]);
});

test('what the catalogue knows of a notification types it; the others are open', async () => {
  type Known = NotificationOf<'PRODUCT_COUPON_SP.SEND'>['resource'];
  const notifications = Notifications.of(brand);
  type Received = V3Notification<'PRODUCT_COUPON.SEND', Pick<Known, 'coupon_code'>>;
  const { resource } = await notifications.parse<Received>(sent());
  expect(resource.coupon_code).toBe('1');
});

test.each<[string, () => unknown, string]>([
  [
    'no key',
    () => Notifications.of(Builder.factory({ brandId: '1', serial: 'A1', privateKey: merchantKey, certs })),
    '"brandApiKey" is missing',
  ],
  [
    'a short key',
    () => Notifications.of({ certs, brandApiKey: 'x' }),
    '"brandApiKey" must be the brand API key, 32 bytes',
  ],
  ['no certs', () => Notifications.of({ brandApiKey }), '"certs" must contain'],
  ['empty certs', () => Notifications.of({ brandApiKey, certs: {} }), '"certs" must contain'],
  [
    'a certificate',
    () => Notifications.of({ brandApiKey, certs: { [PLATFORM_ID]: selfSigned({ pair: rsaKeyPair() }) } }),
    'A brand has no platform certificates',
  ],
  [
    "the brand's own key",
    () => Notifications.of(brand, { certs: { [PLATFORM_ID]: rsaKeyPair(2048, 'other').publicKey } }),
    "is the brand's own public key",
  ],
  [
    'apiv3Key too',
    () => Notifications.of({ certs, brandApiKey, apiv3Key: brandApiKey }),
    '"apiv3Key" is for a merchant, and "brandApiKey"',
  ],
  [
    'secret on a brand',
    () => Notifications.of(brand, { secret }),
    '"secret" is for a merchant, and the instance for a brand',
  ],
  [
    'the client of a merchant',
    () => Notifications.of(merchant, { brandApiKey }),
    'The instance is for a merchant, and "brandApiKey"',
  ],
])('with %s is refused', (_what, make, message) => {
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});
