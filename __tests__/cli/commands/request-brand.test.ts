import { Sandbox } from 'wechatpay-undici/sandbox';
import { afterwards, environment, file, keepSecret, wxpay } from '../support';

let sandbox: Sandbox;
let merchant: Record<string, string>;
let env: Record<string, string>;
afterwards();

beforeAll(async () => {
  sandbox = await Sandbox.start();
  merchant = environment(sandbox);
  const { brandId, serial, privateKey, certs, baseUrl } = await sandbox.addBrand();
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  keepSecret(...pem.split('\n').filter((line) => line.length === 64));
  const [[id = '', key] = []] = Object.entries(certs);
  env = {
    WECHATPAY_BRAND_ID: brandId,
    WECHATPAY_SERIAL: serial,
    WECHATPAY_PRIVATE_KEY: file('brand_key.pem', pem),
    WECHATPAY_PUBLIC_KEY: file('brand_pub_key.pem', String(key?.export({ type: 'spki', format: 'pem' }))),
    WECHATPAY_PUBLIC_KEY_ID: id,
    WECHATPAY_BASE_URL: baseUrl,
  };
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox.close());

const PATH = 'brand/store/brandstores/100088';

test.each([PATH, 'brand.store.brandstores.100088'])('%s is signed as the brand', async (path) => {
  sandbox.on('get', 'brand/store/brandstores/{store_id}', ({ variables }) => variables);
  // A merchant may be set as well: the path tells who signs.
  const own = { ...env, WECHATPAY_MCHID: '1900000109' };
  expect(await wxpay(['request', 'get', path], { env: own })).toEqual({
    code: 0,
    stdout: '{\n  "store_id": "100088"\n}\n',
    stderr: '',
  });
});

test('a dry run sends nothing', async () => {
  const { code, stdout } = await wxpay(['request', 'get', PATH, '--dry-run'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^authorization: WECHATPAY-BRAND-SHA256-RSA2048 brand_id="\d+",.*,signature="…"$/im);
  expect(stdout).toContain(`wechatpay-serial: ${env.WECHATPAY_PUBLIC_KEY_ID}`);
  expect(sandbox.requests).toEqual([]);
});

test('all that a brand lacks is named', async () => {
  const { code, stderr } = await wxpay(['request', 'get', PATH], { env: { WECHATPAY_BASE_URL: sandbox.url } });
  expect(code).toBe(3);
  expect(stderr).toContain('Missing: WECHATPAY_BRAND_ID (or --brand-id), WECHATPAY_SERIAL (or --serial), ');
  const mixed = await wxpay(['request', 'get', PATH], { env: merchant });
  expect(mixed.stderr).toContain('Missing: WECHATPAY_BRAND_ID (or --brand-id).');
});

test('a path of merchants needs a merchant', async () => {
  const { stderr } = await wxpay(['request', 'get', 'v3/certificates'], { env });
  expect(stderr).toContain('Missing: WECHATPAY_MCHID (or --mchid).');
});
