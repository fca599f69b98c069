import { inspect } from 'node:util';
import { Builder, Media, Notifications } from 'wechatpay-undici';
import { Sandbox, type SandboxBrandConfig } from 'wechatpay-undici/sandbox';
import { serve } from '../notification/support';
import { rejection } from '../support/rejection';

const PATH = 'brand/store/brandstores/{store_id}';

let sandbox: Sandbox;
let brandConfig: SandboxBrandConfig;
beforeAll(async () => {
  sandbox = await Sandbox.start();
  brandConfig = await sandbox.addBrand();
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox.close());

const client = (change: object = {}) => Builder.factory({ ...brandConfig, ...change });
const get = (change?: object) => client(change).chain(PATH).get({ store_id: '100088' });

test('a brand calls its operations, each response signed for it', async () => {
  sandbox.on('get', PATH, ({ variables }) => ({ store_id: variables.store_id }));
  const response = await get();
  expect(await response.json()).toEqual({ store_id: '100088' });
  expect(response.headers.get('wechatpay-signature-type')).toBe('WECHATPAY-BRAND-SHA256-RSA2048');
  expect(response.headers.get('wechatpay-serial')).toBe(Object.keys(brandConfig.certs)[0]);
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
    { code: 'SIGN_ERROR', message: expect.stringContaining('The brand "1" does not exist') },
  ],
  [
    'another serial number',
    { serial: 'A1' },
    { code: 'SIGN_ERROR', message: expect.stringMatching(/The brand \d+ has no certificate/) },
  ],
  ['the key of a merchant', () => ({ privateKey: sandbox.config.privateKey }), { code: 'SIGN_ERROR' }],
])('%s is refused', async (_what, change, expected) => {
  sandbox.on('get', PATH, () => ({}));
  expect(await rejection(get(typeof change === 'function' ? change() : change))).toMatchObject(expected);
});

test('a merchant is refused below /brand/, and a brand elsewhere', async () => {
  sandbox.on('get', PATH, () => ({}));
  const post = (headers: Record<string, string>) =>
    fetch(new URL('/brand/store/brandstores/1', sandbox.url), { headers: { accept: '*/*', ...headers } });
  const merchant = await post({ authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1900000109"' });
  expect(merchant.status).toBe(401);
  expect(await merchant.text()).toContain('must be WECHATPAY-BRAND-SHA256-RSA2048');
  const authorization = 'WECHATPAY-BRAND-SHA256-RSA2048 brand_id="1"';
  const elsewhere = await fetch(new URL('/v3/certificates', sandbox.url), {
    headers: { accept: '*/*', authorization },
  });
  expect(elsewhere.status).toBe(401);
  expect(await elsewhere.text()).toContain('must be WECHATPAY2-SHA256-RSA2048');
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

test('its configuration hides the API key where it is printed', () => {
  expect(brandConfig.brandApiKey).toMatch(/^\w{32}$/);
  expect(inspect(brandConfig) + JSON.stringify(brandConfig)).not.toContain(brandConfig.brandApiKey);
  expect({ ...brandConfig }).toHaveProperty('brandApiKey');
});
