import { inspect } from 'node:util';
import { Builder, Media, Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { serve } from '../notification/support';
import { rejection } from '../support/rejection';

const PATH = 'brand/store/brandstores/{store_id}';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox.close());

const client = (change: object = {}) => Builder.factory({ ...sandbox.brandConfig, ...change });
const get = (change?: object) => client(change).chain(PATH).get({ store_id: '100088' });

test('a brand calls its operations, each response signed for it', async () => {
  sandbox.on('get', PATH, ({ variables }) => ({ store_id: variables.store_id }));
  const response = await get();
  expect(await response.json()).toEqual({ store_id: '100088' });
  expect(response.headers.get('wechatpay-signature-type')).toBe('WECHATPAY-BRAND-SHA256-RSA2048');
  expect(response.headers.get('wechatpay-serial')).toBe(Object.keys(sandbox.brandConfig.certs)[0]);
  expect(sandbox.brandConfig.certs).not.toEqual(sandbox.config.certs);
});

test('a brand uploads', async () => {
  sandbox.on('post', 'brand/card-member/media/image-upload', ({ files }) => ({ media_url: files[0]?.sha256 }));
  const body = await Media.from(Buffer.from('x'), { filename: 'a.png' });
  const { media_url } = await client().brand.cardMember.media.imageUpload.post({ body }).json();
  expect(media_url).toBe('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
});

test.each<[string, object, object]>([
  [
    'an unknown brand',
    { brandId: '1' },
    { code: 'SIGN_ERROR', message: expect.stringContaining('The brand "1" is unknown') },
  ],
  [
    'another serial number',
    { serial: 'A1' },
    { code: 'SIGN_ERROR', message: expect.stringContaining('The brand has no certificate') },
  ],
  ['the key of a merchant', () => ({ privateKey: sandbox.config.privateKey }), { code: 'SIGN_ERROR' }],
  ["the merchant's platform key", () => ({ certs: sandbox.config.certs }), { code: 'PARAM_ERROR' }],
])('%s is refused', async (_what, change, expected) => {
  sandbox.on('get', PATH, () => ({}));
  expect(await rejection(get(typeof change === 'function' ? change() : change))).toMatchObject(expected);
});

test('a merchant is refused below /brand/, and so is a request that announces no key', async () => {
  sandbox.on('get', PATH, () => ({}));
  const post = (headers: Record<string, string>) =>
    fetch(new URL('/brand/store/brandstores/1', sandbox.url), { headers: { accept: '*/*', ...headers } });
  const merchant = await post({ authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1900000109"' });
  expect(merchant.status).toBe(401);
  expect(await merchant.text()).toContain('should be WECHATPAY-BRAND-SHA256-RSA2048');
  const headers = { 'Wechatpay-Serial': 'X' };
  expect(await rejection(client().chain(PATH).get({ store_id: 1, headers }))).toMatchObject({ code: 'PARAM_ERROR' });
});

test('a response that is told to be wrong is refused by the client', async () => {
  sandbox.on('get', PATH, () => ({}));
  sandbox.misbehave({ signature: 'wrong' });
  expect(await rejection(get())).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
  sandbox.misbehave({ signature: 'probe' });
  expect(await rejection(get())).toMatchObject({ probe: true });
});

test('notifications of brands are signed and encrypted for the brand', async () => {
  const seen: unknown[] = [];
  const notifications = Notifications.of(client(), { onError: () => {} });
  const handler = notifications.nodeHandler(({ resource }) => seen.push(resource));
  const server = await serve((request, response) => void handler(request, response));
  const sent = await sandbox.notify('PRODUCT_COUPON.SEND', { coupon_code: '1' }, server.url, { probe: true });
  await server.close();
  expect(sent.attempts.map(({ probe, accepted }) => [probe, accepted])).toEqual([
    [true, false],
    [false, true],
  ]);
  expect(seen).toEqual([{ coupon_code: '1' }]);
});

test('its configuration stays the same, and hides the API key where it is printed', () => {
  const { brandConfig } = sandbox;
  expect(brandConfig).toEqual(sandbox.brandConfig);
  expect(brandConfig.brandApiKey).toMatch(/^\w{32}$/);
  expect(inspect(brandConfig) + JSON.stringify(brandConfig)).not.toContain(brandConfig.brandApiKey);
  expect({ ...brandConfig }).toHaveProperty('brandApiKey');
});
