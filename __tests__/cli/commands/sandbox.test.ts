import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { Builder, Certificates } from 'wechatpay-undici';
import { selfSigned } from '../../../lib/sandbox/protocol/x509';
import { afterwards, directory, file, keepSecret, wxpay } from '../support';

afterwards();

interface Running {
  url: string;
  directory: string;
  env: Record<string, string>;
}

/** Remembers what keys a sandbox has written. */
function keepKeys(path: string): void {
  for (const name of readdirSync(path).filter((name) => !name.includes('public'))) {
    keepSecret(
      ...readFileSync(join(path, name), 'utf8')
        .split('\n')
        .filter((line) => line.length >= 32 && !line.startsWith('---')),
    );
  }
}

test('the environment that is printed serves the other commands', async () => {
  const results: unknown[] = [];
  let running: Running | undefined;
  const { code, stderr } = await wxpay(['sandbox', '--json'], {
    until: async (stdout) => {
      const { url, directory, env }: Running = JSON.parse(stdout);
      running = { url, directory, env };
      keepKeys(directory);
      expect(stdout.split('\n')).toHaveLength(2);
      expect(readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777])).toEqual([
        ['sandbox_apiv3_key.txt', 0o600],
        ['sandbox_private_key.pem', 0o600],
        ['sandbox_public_key.pem', 0o600],
        ['sandbox_secret.txt', 0o600],
      ]);
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      const order = JSON.stringify({
        ...{ appid: 'wx8888888888888888', mchid: '1900000109', description: '茶', out_trade_no: 'ORDER-1' },
        ...{ notify_url: 'https://shop.example/notify', amount: { total: 1 } },
      });
      for (const args of [
        ['doctor', '--json'],
        ['request', 'post', 'v3/pay/transactions/native', order],
        ['request', 'get', 'v3.pay.transactions.outTradeNo._no_', '-v', 'no=ORDER-1', '-q', 'mchid=1900000109'],
      ]) {
        results.push(await wxpay(args, { env }));
      }
    },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(results).toMatchObject([
    { code: 0, stderr: '' },
    { code: 0, stdout: expect.stringContaining('"code_url": "weixin://'), stderr: '' },
    { code: 0, stdout: expect.stringContaining('"trade_state": "NOTPAY"'), stderr: '' },
  ]);
  // Without -o nothing is left.
  expect(existsSync(running?.directory ?? '')).toBe(false);
  await expect(fetch(running?.url ?? '')).rejects.toThrow();
});

/** What a shell makes of the lines to paste. */
function exported(stdout: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(stdout.matchAll(/^export (\w+)='(.*)'$/gm), ([, name, value = '']) => [
      name,
      value.replaceAll("'\\''", "'"),
    ]),
  );
}

test('the text can be pasted into a shell and into a program', async () => {
  const output = join(directory(), "one's directory");
  const { code } = await wxpay(['sandbox', '-o', output], {
    until: async (stdout) => {
      keepKeys(output);
      expect(stdout).toMatch(/^The sandbox listens on http:\/\/127\.0\.0\.1:\d+\/ until Ctrl-C\.\n/);
      expect((await wxpay(['doctor'], { env: exported(stdout) })).code).toBe(0);
      const snippet = `${stdout.slice(stdout.indexOf('import '))}; exports.instance = instance;`;
      const { outputText } = ts.transpileModule(snippet, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
      const exports: { instance?: object } = {};
      const load = (name: string) => (name === 'wechatpay-undici' ? { Builder } : require(name));
      new Function('require', 'exports', outputText)(load, exports);
      await expect(Certificates.of(exports.instance ?? {}).refresh()).rejects.toThrow('has no platform certificates');
    },
  });
  expect(code).toBe(0);
  expect(readdirSync(output)).toHaveLength(5);
});

test('a second run has the same keys, and writes over its own files and nothing else', async () => {
  const output = directory();
  const target = file('elsewhere.txt', 'kept');
  writeFileSync(join(output, 'apiclient_key.pem'), 'kept');
  symlinkSync(target, join(output, 'sandbox_secret.txt'));
  await wxpay(['sandbox', '-o', output]);
  const before = readFileSync(join(output, 'sandbox_secret.txt'), 'utf8');
  await wxpay(['sandbox', '-o', output]);
  expect(readFileSync(join(output, 'sandbox_secret.txt'), 'utf8')).toBe(before);
  expect(readFileSync(join(output, 'apiclient_key.pem'), 'utf8')).toBe('kept');
  expect(readFileSync(target, 'utf8')).toBe('kept');
  expect(readdirSync(output)).toHaveLength(6);
});

test('a second run with -o goes on with the same orders', async () => {
  const output = directory();
  const order = JSON.stringify({
    ...{ appid: 'wx8888888888888888', mchid: '1900000109', description: '茶', out_trade_no: 'ORDER-1' },
    ...{ notify_url: 'https://shop.example/notify', amount: { total: 1 } },
  });
  const run = (...args: string[]) =>
    wxpay(['sandbox', '--json', '-o', output], {
      until: async (stdout) => {
        expect(await wxpay(['request', ...args], { env: JSON.parse(stdout).env })).toMatchObject({ code: 0 });
      },
    });
  expect(await run('post', 'v3/pay/transactions/native', order)).toMatchObject({ code: 0 });
  const query = ['get', 'v3.pay.transactions.outTradeNo._no_', '-v', 'no=ORDER-1', '-q', 'mchid=1900000109'];
  expect(await run(...query)).toMatchObject({ code: 0 });

  const journal = join(output, 'sandbox_journal.jsonl');
  expect(statSync(journal).mode & 0o777).toBe(0o600);
  writeFileSync(journal, `tea\n${readFileSync(journal, 'utf8')}`);
  const damaged = readFileSync(journal, 'utf8');
  expect(await wxpay(['sandbox', '-o', output])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('is not a journal of this version'),
  });
  expect(readFileSync(journal, 'utf8')).toBe(damaged);
});

test("a merchant's own key and certificate stay where they are", async () => {
  const [keys, output] = [directory(), directory()];
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const dates = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
  const pair = { privateKey, publicKey };
  writeFileSync(join(keys, 'apiclient_key.pem'), pem);
  writeFileSync(
    join(keys, 'apiclient_cert.pem'),
    selfSigned({ serial: '5ABCDEF0', subject: '1230000109', pair, ...dates }),
  );
  const apiv3Key = file('apiv3.txt', 'v'.repeat(32));
  const secret = 'k'.repeat(32);
  keepSecret('v'.repeat(32), secret, ...pem.split('\n').filter((line) => line.length === 64));
  const env = { WECHATPAY_APIV3_KEY: apiv3Key, WECHATPAY_SECRET: secret };
  for (const _ of ['first', 'second']) {
    const { code, stderr } = await wxpay(['sandbox', '--json', '--merchant', keys, '-o', output], {
      env,
      until: async (stdout) => {
        const { env: printed } = JSON.parse(stdout);
        expect(printed).toMatchObject({ WECHATPAY_MCHID: '1230000109', WECHATPAY_SERIAL: '5ABCDEF0' });
        expect(printed.WECHATPAY_PRIVATE_KEY).toBe(pathToFileURL(join(keys, 'apiclient_key.pem')).href);
        expect(printed.WECHATPAY_APIV3_KEY).toBe(apiv3Key);
        expect(printed).not.toHaveProperty('WECHATPAY_SECRET');
        expect(await wxpay(['doctor', '--json'], { env: { ...env, ...printed } })).toMatchObject({ code: 0 });
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  expect(readdirSync(output)).toEqual(['sandbox_journal.jsonl', 'sandbox_public_key.pem']);
  const journal = readFileSync(join(output, 'sandbox_journal.jsonl'), 'utf8');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().split('\n')[1] ?? '';
  for (const one of [secret, 'v'.repeat(32), key]) expect(journal).not.toContain(one);
  expect(await wxpay(['sandbox', '-o', output])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('The journal belongs to 1230000109'),
  });
  expect(await wxpay(['sandbox', '--merchant', output])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('apiclient_key.pem cannot be read (ENOENT)'),
  });
});

describe('with TLS', () => {
  const run = promisify(execFile);
  const program = `
    const { EnvHttpProxyAgent, request } = require('undici');
    const url = process.argv[1] + 'v3/pay/transactions/id/1';
    request(url, { dispatcher: new EnvHttpProxyAgent() }).then(
      async ({ statusCode, body }) => { console.log(statusCode, (await body.json()).code); process.exit(); },
      (error) => { console.log(error.code); process.exit(); });`;
  /** Asks in a process that has this environment. */
  const ask = async (url: string, env: object) => {
    const { stdout } = await run(process.execPath, ['-e', program, url], { env: { PATH: process.env.PATH, ...env } });
    return stdout.trim();
  };

  test('the environment leads a program here by the base URL and by the proxy', async () => {
    const output = directory();
    const { code, stderr } = await wxpay(['sandbox', '--json', '--tls', '-o', output], {
      until: async (stdout) => {
        keepKeys(output);
        const { url, env }: Running = JSON.parse(stdout);
        const { HTTPS_PROXY, ...others } = env;
        expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
        expect(env).toMatchObject({
          ...{ WECHATPAY_BASE_URL: url, HTTPS_PROXY: url.replace('https', 'http') },
          ...{ NODE_EXTRA_CA_CERTS: join(output, 'sandbox_ca.pem'), SSL_CERT_FILE: join(output, 'sandbox_ca.pem') },
          WECHATPAY_CERTIFICATE: join(output, 'sandbox_certificate.pem'),
        });
        expect(await ask(url, others)).toMatch(/^4\d\d \w+$/);
        expect(await ask('https://api.mch.weixin.qq.com/', env)).toMatch(/^4\d\d \w+$/);
        expect(await ask(url, {})).not.toMatch(/^4\d\d/);
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const ca = readFileSync(join(output, 'sandbox_ca.pem'), 'utf8');
    await wxpay(['sandbox', '--tls', '-o', output]);
    expect(readFileSync(join(output, 'sandbox_ca.pem'), 'utf8')).toBe(ca);
  });

  test('the text has the same lines; the proxy is set apart', async () => {
    const { code } = await wxpay(['sandbox', '--tls'], {
      until: async (stdout) => {
        const env = exported(stdout);
        keepKeys(dirname(env.NODE_EXTRA_CA_CERTS ?? ''));
        expect(Object.keys(env)).toEqual(expect.arrayContaining(['SSL_CERT_FILE', 'HTTPS_PROXY']));
        expect(stdout).toMatch(
          /\nexport SSL_CERT_FILE='.*'\n\n# Instead of WECHATPAY_BASE_URL.*\nexport HTTPS_PROXY='http:.*'\n\n\/\/ In a program/,
        );
        expect(existsSync(env.WECHATPAY_CERTIFICATE ?? '')).toBe(true);
      },
    });
    expect(code).toBe(0);
  });
});

test('what cannot be', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await wxpay(['sandbox', '-p', String(port)])).toMatchObject({
    code: 3,
    stderr: `wxpay: The sandbox cannot listen on port ${port} of 127.0.0.1.\n`,
  });
  server.close();
  expect(await wxpay(['sandbox', '-p', '70000'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is not a port'),
  });
  const output = file('a-file', '');
  expect(await wxpay(['sandbox', '-o', output])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot be created (EEXIST)'),
  });
});
