import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { selfSigned } from '../../support/keys';
import { useSandbox } from '../../support/sandbox';
import { afterwards, environment, file, keepSecret, type Printed, wxpay } from '../support';

let sandbox: Sandbox;
let env: Record<string, string>;
afterwards();

useSandbox((started) => {
  sandbox = started;
  env = environment(sandbox);
});

const doctor = (own: Record<string, string | undefined> = {}, args: string[] = []): Promise<Printed> =>
  wxpay(['doctor', ...args], { env: { ...env, ...own } });

interface Found {
  [name: string]: { outcome: string; message: string };
}

function checksOf({ stdout }: Printed): Found {
  const { checks }: { checks: { name: string; outcome: string; message: string }[] } = JSON.parse(stdout);
  return Object.fromEntries(checks.map(({ name, ...rest }) => [name, rest]));
}

/** A certificate of the sandbox's merchant, with the serial number that it has there. */
function certificate(init: Parameters<typeof selfSigned>[0] = {}): string {
  const { serial, privateKey, mchid } = sandbox.config;
  const pair = { privateKey, publicKey: publicKeyOf(privateKey) };
  return file('apiclient_cert.pem', selfSigned({ serial, subject: mchid, pair, ...init }));
}

function publicKeyOf(privateKey: KeyObject): KeyObject {
  return createPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

describe('all is well', () => {
  test('of a merchant that has a public key alone', async () => {
    const printed = await doctor({ WECHATPAY_CERTIFICATE: certificate() });
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout.split('\n').map((line) => line.slice(0, 21).trimEnd())).toEqual([
      ...['ok       mchid', 'ok       privateKey', 'ok       certificate', 'ok       serial'],
      ...['ok       publicKey', 'ok       apiv3Key', 'ok       secret'],
      ...['ok       connection', 'ok       clock', 'ok       request', 'ok       response', ''],
    ]);
    expect(sandbox.requests.map(({ method, target, status }) => [method, target, status])).toEqual([
      ['GET', '/v3/certificates', 404],
    ]);
  });

  test('of one that has certificates and a public key', async () => {
    await sandbox.rotate();
    await sandbox.rotate('public-key');
    const printed = await doctor({}, ['--json']);
    expect(printed.code).toBe(0);
    expect(JSON.parse(printed.stdout).ok).toBe(true);
    expect(checksOf(printed)).toMatchObject({ response: { outcome: 'passed' }, certificate: { outcome: 'skipped' } });
    expect(sandbox.requests.map(({ status }) => status)).toEqual([200]);
  });

  test('of one that has certificates alone', async () => {
    await sandbox.rotate();
    const printed = await doctor({ WECHATPAY_PUBLIC_KEY: undefined, WECHATPAY_PUBLIC_KEY_ID: undefined }, ['--json']);
    expect(printed.code).toBe(0);
    expect(checksOf(printed)).toMatchObject({ publicKey: { outcome: 'skipped' }, response: { outcome: 'passed' } });
  });

  test('of one for v2 alone', async () => {
    const { WECHATPAY_MCHID, WECHATPAY_SECRET } = env;
    const { code, stdout } = await wxpay(['doctor', '--json'], { env: { WECHATPAY_MCHID, WECHATPAY_SECRET } });
    expect(code).toBe(0);
    expect(Object.keys(checksOf({ code, stdout, stderr: '' }))).toEqual(['mchid', 'secret', 'connection']);
  });

  test('the serial number from the certificate', async () => {
    const printed = await doctor({ WECHATPAY_CERTIFICATE: certificate(), WECHATPAY_SERIAL: undefined }, ['--json']);
    expect(printed.code).toBe(0);
    expect(checksOf(printed).serial).toEqual({ outcome: 'passed', message: sandbox.config.serial });
  });
});

const DAY = 86_400_000;
const another = generateKeyPairSync('rsa', { modulusLength: 2048 });
const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
const pem = (key: typeof another.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
keepSecret(
  ...pem(another.privateKey)
    .split('\n')
    .filter((line) => line.length === 64),
);

describe('what is wrong with a setting', () => {
  test.each<[string, () => Record<string, string | undefined>, string, string]>([
    ['no mchid', () => ({ WECHATPAY_MCHID: undefined }), 'mchid', 'Missing: WECHATPAY_MCHID (or --mchid). Set it'],
    ['no private key', () => ({ WECHATPAY_PRIVATE_KEY: undefined }), 'privateKey', 'Missing: WECHATPAY_PRIVATE_KEY'],
    [
      'a file that is not there',
      () => ({ WECHATPAY_PRIVATE_KEY: '/nowhere/key.pem' }),
      'privateKey',
      'WECHATPAY_PRIVATE_KEY (or --private-key) refers to the file /nowhere/key.pem, which cannot be read (ENOENT).',
    ],
    ['a short key', () => ({ WECHATPAY_PRIVATE_KEY: file('key.pem', pem(short.privateKey)) }), 'privateKey', '1024'],
    [
      'a certificate in the place of the key',
      () => ({ WECHATPAY_PRIVATE_KEY: certificate() }),
      'privateKey',
      'WECHATPAY_PRIVATE_KEY (or --private-key) should hold an RSA private key; found a certificate',
    ],
    [
      'a key of another certificate',
      () => ({ WECHATPAY_CERTIFICATE: certificate({ pair: another }) }),
      'certificate',
      'the private key does not match it',
    ],
    [
      'a key in the place of the certificate',
      () => ({ WECHATPAY_CERTIFICATE: env.WECHATPAY_PRIVATE_KEY }),
      'certificate',
      'is not a readable certificate',
    ],
    [
      'the certificate of another merchant',
      () => ({ WECHATPAY_CERTIFICATE: certificate({ subject: '1900009999' }) }),
      'certificate',
      'it belongs to merchant 1900009999, not 1900000109',
    ],
    [
      'an expired certificate',
      () => ({
        WECHATPAY_CERTIFICATE: certificate({
          notBefore: new Date(Date.now() - 2 * DAY),
          notAfter: new Date(Date.now() - DAY),
        }),
      }),
      'certificate',
      'it has expired',
    ],
    [
      'another serial number than that of the certificate',
      () => ({ WECHATPAY_CERTIFICATE: certificate({ serial: `4${'0'.repeat(39)}` }) }),
      'serial',
      `does not match the certificate; set WECHATPAY_SERIAL to 4${'0'.repeat(39)}`,
    ],
    [
      'a decimal serial number',
      () => ({ WECHATPAY_SERIAL: '1'.repeat(48) }),
      'serial',
      'up to 40 upper-case hexadecimal digits',
    ],
    [
      'the id of the public key as the serial number',
      () => ({ WECHATPAY_SERIAL: env.WECHATPAY_PUBLIC_KEY_ID }),
      'serial',
      "is the id of WeChat Pay's public key",
    ],
    [
      'a public key of their own',
      () => ({
        WECHATPAY_PUBLIC_KEY: file(
          'key.pem',
          publicKeyOf(sandbox.config.privateKey).export({ type: 'spki', format: 'pem' }),
        ),
      }),
      'publicKey',
      'this is the key of your own certificate',
    ],
    [
      'a public key without its id',
      () => ({ WECHATPAY_PUBLIC_KEY_ID: undefined }),
      'publicKey',
      'Missing: WECHATPAY_PUBLIC_KEY_ID',
    ],
    ['an id that is none', () => ({ WECHATPAY_PUBLIC_KEY_ID: '0119' }), 'publicKey', 'does not begin with PUB_KEY_ID_'],
    [
      'an APIv3 key that is too short',
      () => ({ WECHATPAY_APIV3_KEY: 'a'.repeat(31) }),
      'apiv3Key',
      '32 bytes; found 31 bytes',
    ],
    [
      'an APIv2 key that is too long',
      () => ({ WECHATPAY_SECRET: 'a'.repeat(33) }),
      'secret',
      '32 bytes; found 33 bytes',
    ],
  ])('%s', async (_, change, name, text) => {
    const printed = await doctor(change(), ['--json']);
    expect(printed).toMatchObject({ code: 1, stderr: '' });
    const { [name]: check, ...others } = checksOf(printed);
    expect(check).toEqual({ outcome: 'failed', message: expect.stringContaining(text) });
    expect(others.connection).toEqual({ outcome: 'skipped', message: 'not tried: fix the failures above first' });
    expect(sandbox.requests).toEqual([]);
  });

  test('a certificate that ends soon is a warning', async () => {
    const printed = await doctor({ WECHATPAY_CERTIFICATE: certificate({ notAfter: new Date(Date.now() + 10 * DAY) }) });
    expect(printed.code).toBe(0);
    expect(printed.stdout).toMatch(/^warning {2}certificate .*: renew it soon$/m);
  });

  test('all of them are told at once', async () => {
    const { code, stdout } = await wxpay(['doctor'], { env: {} });
    expect(code).toBe(1);
    expect(stdout.match(/^FAILED /gm)).toHaveLength(4);
  });
});

describe('what is wrong with the connection', () => {
  test('a private key of another merchant', async () => {
    const printed = await doctor({ WECHATPAY_PRIVATE_KEY: file('key.pem', pem(another.privateKey)) }, ['--json']);
    expect(printed.code).toBe(1);
    expect(checksOf(printed)).toMatchObject({
      connection: { outcome: 'passed' },
      request: { outcome: 'failed', message: expect.stringContaining('do not belong together, or the clock is off') },
      response: { outcome: 'skipped' },
    });
  });

  test('another public key than that of the id', async () => {
    const key = another.publicKey.export({ type: 'spki', format: 'pem' });
    const printed = await doctor({ WECHATPAY_PUBLIC_KEY: file('pub_key.pem', key) }, ['--json']);
    expect(printed.code).toBe(1);
    expect(checksOf(printed)).toMatchObject({
      request: { outcome: 'passed' },
      response: { outcome: 'failed', message: expect.stringContaining('does not match') },
    });
  });

  test.each([
    [400, 1, 'failed', /^this machine is (?:399|400|401) s behind WeChat Pay; at most 300 s is allowed/],
    [-400, 1, 'failed', /^this machine is (?:399|400|401) s ahead of WeChat Pay; at most 300 s is allowed/],
    [100, 0, 'warning', /^this machine is (?:99|100|101) s behind WeChat Pay; keep the clock in sync with NTP/],
  ])('a clock of the platform that is %i s ahead', async (skew, code, outcome, message) => {
    const date = new Date(Date.now() + skew * 1000).toUTCString();
    sandbox.misbehave({ headers: { Date: date } }, Number.POSITIVE_INFINITY);
    const printed = await doctor({}, ['--json']);
    expect(printed.code).toBe(code);
    expect(checksOf(printed).clock).toEqual({ outcome, message: expect.stringMatching(message) });
  });

  test('nobody there', async () => {
    const other = await Sandbox.start();
    const own = environment(other);
    await other.close();
    const printed = await wxpay(['doctor', '--json'], { env: own });
    expect(printed.code).toBe(1);
    expect(checksOf(printed).connection).toEqual({
      outcome: 'failed',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\); check the network/),
    });
  });

  test('a merchant without certificates that has no public key configured', async () => {
    const printed = await doctor({ WECHATPAY_PUBLIC_KEY: undefined }, ['--json']);
    expect(printed.code).toBe(1);
    expect(checksOf(printed).response).toEqual({
      outcome: 'failed',
      message: expect.stringContaining('This merchant has no platform certificates'),
    });
  });

  test('an APIv3 key that does not open the certificates', async () => {
    await sandbox.rotate();
    const own = { WECHATPAY_PUBLIC_KEY: undefined, WECHATPAY_APIV3_KEY: 'a'.repeat(32) };
    const printed = await doctor(own, ['--json']);
    expect(checksOf(printed).response).toEqual({
      outcome: 'failed',
      message: expect.stringContaining('WECHATPAY_APIV3_KEY (or --apiv3-key) is not, or is no longer, this merchant'),
    });
  });

  test('a request that is refused', async () => {
    sandbox.misbehave({ status: 403 });
    expect(checksOf(await doctor({}, ['--json'])).request).toEqual({
      outcome: 'failed',
      message: expect.stringMatching(/^is refused: NO_AUTH, .*\. Check WECHATPAY_BASE_URL/),
    });
  });

  test('WeChat Pay is overloaded', async () => {
    sandbox.misbehave({ status: 503 });
    const printed = await doctor({}, ['--json']);
    expect(printed.code).toBe(0);
    expect(checksOf(printed).request).toEqual({ outcome: 'warning', message: expect.stringContaining('is refused: ') });
  });
});
