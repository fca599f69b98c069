import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { useSandbox } from '../../support/sandbox';
import { afterwards, directory, environment, wxpay } from '../support';

let sandbox: Sandbox;
let env: Record<string, string>;
afterwards();

useSandbox((started) => {
  sandbox = started;
  env = environment(sandbox);
});

test('each is saved under its serial number, by the short options of wechatpay-php', async () => {
  const serials = [await sandbox.rotate(), await sandbox.rotate()];
  const output = join(directory(), 'new');
  const { WECHATPAY_APIV3_KEY: k = '', WECHATPAY_MCHID: m = '', WECHATPAY_PRIVATE_KEY: f = '' } = env;
  const { WECHATPAY_SERIAL: s = '', WECHATPAY_BASE_URL: u = '' } = env;
  const args = ['certificates', '-k', k, '-m', m, '-f', f, '-s', s, '-o', output, '-u', u];
  const { code, stdout, stderr } = await wxpay(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(output).sort()).toEqual(serials.map((serial) => `wechatpay_${serial}.pem`).sort());
  for (const serial of serials) {
    const path = join(output, `wechatpay_${serial}.pem`);
    expect(stdout).toMatch(
      new RegExp(`^${serial} {2}valid from \\d{4}-\\d\\d-\\d\\d to \\d{4}-\\d\\d-\\d\\d\n  ${path}$`, 'm'),
    );
    expect(new X509Certificate(readFileSync(path)).serialNumber).toBe(serial);
  }
});

test('a saved certificate verifies responses', async () => {
  const serial = await sandbox.rotate();
  sandbox.on('get', 'v3/something', () => ({ ok: true }));
  const output = directory();
  await wxpay(['certificates', '-o', output], { env });
  const { WECHATPAY_APIV3_KEY, WECHATPAY_PUBLIC_KEY_ID, ...rest } = env;
  const own = { ...rest, WECHATPAY_PUBLIC_KEY: join(output, `wechatpay_${serial}.pem`) };
  expect(await wxpay(['request', 'get', 'v3/something'], { env: own })).toMatchObject({ code: 0, stderr: '' });
});

test('without -o into a directory of their own; --json tells where', async () => {
  const serial = await sandbox.rotate();
  const { code, stdout } = await wxpay(['certificates', '--json'], { env });
  expect(code).toBe(0);
  const { certificates } = JSON.parse(stdout);
  expect(certificates).toEqual([
    {
      serial,
      from: expect.stringMatching(/^\d{4}-.*Z$/),
      until: expect.stringMatching(/^\d{4}-.*Z$/),
      file: expect.stringMatching(new RegExp(`wxpay-certificates-\\w+.wechatpay_${serial}\\.pem$`)),
    },
  ]);
  expect(readdirSync(dirname(certificates[0].file))).toHaveLength(1);
  rmSync(dirname(certificates[0].file), { recursive: true });
});

test('the key itself is taken from the command line, with a warning', async () => {
  await sandbox.rotate();
  const { WECHATPAY_APIV3_KEY, ...rest } = env;
  const args = ['certificates', '-o', directory(), '-k', sandbox.config.apiv3Key];
  const { code, stderr } = await wxpay(args, { env: rest });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^wxpay: the APIv3 key is visible on the command line, .* or set WECHATPAY_APIV3_KEY\.\n$/);
  const quiet = await wxpay(['certificates', '-o', directory()], {
    env: { ...rest, WECHATPAY_APIV3_KEY: sandbox.config.apiv3Key },
  });
  expect(quiet).toMatchObject({ code: 0, stderr: '' });
});

describe('what goes wrong', () => {
  test('a merchant that has none', async () => {
    const { code, stdout, stderr } = await wxpay(['certificates'], { env });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(
      /^wxpay: This merchant has no platform certificates.*: WECHATPAY_PUBLIC_KEY .* and WECHATPAY_PUBLIC_KEY_ID/,
    );
  });

  test('an APIv3 key that does not open them', async () => {
    await sandbox.rotate();
    const output = directory();
    const { code, stderr } = await wxpay(['certificates', '-o', output, '-k', `${'a'.repeat(32)}`], { env });
    expect(code).toBe(3);
    expect(stderr).toContain('The platform certificates cannot be decrypted');
    expect(readdirSync(output)).toEqual([]);
  });

  test('a file of the key that is not there: its name, which may be the key, is not repeated', async () => {
    const { code, stderr } = await wxpay(['certificates', '-k', './mistyped-key'], { env });
    expect(code).toBe(3);
    expect(stderr).toBe(
      'wxpay: WECHATPAY_APIV3_KEY (or --apiv3-key) is taken as a file name, but the file cannot be read (ENOENT).\n',
    );
  });

  test('all that is missing is told at once', async () => {
    const { code, stderr } = await wxpay(['certificates', '-m', '1900000109']);
    expect(code).toBe(3);
    expect(stderr).toBe(
      'wxpay: Missing: WECHATPAY_SERIAL (or --serial), WECHATPAY_PRIVATE_KEY (or --private-key), WECHATPAY_APIV3_KEY ' +
        '(or --apiv3-key). Set them in the environment, or pass them as options; "wxpay --help" says more.\n',
    );
  });

  test('the output is a file', async () => {
    await sandbox.rotate();
    const { code, stderr } = await wxpay(['certificates', '-o', __filename], { env });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `wxpay: The directory ${__filename} cannot be created (EEXIST).\n`,
    });
    expect(sandbox.requests).toEqual([]);
  });
});
