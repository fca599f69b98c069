import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { EXIT_CODES } from '../../lib/cli/exit-codes';
import { SETTINGS } from '../../lib/cli/settings';
import { VERSION } from '../../lib/version';
import { useSandbox } from '../support/sandbox';
import { afterwards, environment, remember, wxpay } from './support';

const root = resolve(__dirname, '../..');
const SCRIPT = ['-r', 'esbuild-register', join(root, 'lib/cli/index.ts')];

let sandbox: Sandbox;
let env: Record<string, string>;
afterwards();

useSandbox((started) => {
  sandbox = started;
  env = environment(sandbox);
});

/** The environment of a child process, with nothing of the tests' own. */
function childEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^WECHATPAY_|^NODE_(DEBUG|OPTIONS)$|COLOR/.test(name));
  return { ...Object.fromEntries(kept), ...env };
}

/** Runs a command line of a shell, in which "wxpay" is the command. */
function shell(line: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const text = `set -o pipefail; wxpay() { '${process.execPath}' ${SCRIPT.map((part) => `'${part}'`).join(' ')} "$@"; }; ${line}`;
  return new Promise((done) => {
    execFile('bash', ['-c', text], { cwd: root, env: childEnv(), timeout: 50_000 }, (error, stdout, stderr) => {
      remember(stdout, stderr);
      done({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
  });
}

describe('help', () => {
  test('has every variable and exit code', async () => {
    const { code, stdout, stderr } = await wxpay(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { env, what } of Object.values(SETTINGS))
      expect(stdout).toMatch(new RegExp(`^ {2}${env} +.*${what.slice(0, 9)}`, 'm'));
    for (const [code, meaning] of Object.entries(EXIT_CODES)) expect(stdout).toContain(`${code}  ${meaning}`);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test.each(['request', 'certificates', 'verify', 'doctor', 'sandbox'])(
    'of %s has examples that are understood',
    async (name) => {
      const { code, stdout } = await wxpay([name, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: wxpay ${name} \\[options\\]`));
      const examples = Array.from(stdout.matchAll(/^ {2}\$ .*?(wxpay [^|<>#&\n]*)/gm), ([, example = '']) => example);
      expect(examples.length).toBeGreaterThanOrEqual(2);
      for (const example of examples) {
        const args = Array.from(
          example.trim().matchAll(/'([^']*)'|(\S+)/g),
          ([, quoted, plain]) => quoted ?? plain ?? '',
        );
        expect(args[1]).toBe(name);
        for (const option of args.filter((arg) => arg.startsWith('--'))) expect(stdout).toContain(option);
      }
      expect(await wxpay(['help', name])).toEqual({ code, stdout, stderr: '' });
    },
  );

  test('without a command it is an error', async () => {
    const { code, stdout, stderr } = await wxpay([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: wxpay[\s\S]*Exit codes:/);
  });

  test('--version', async () => {
    expect(await wxpay(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
});

describe('mistakes', () => {
  test.each([
    [['requst'], 'wxpay: unknown command \'requst\'\n(Did you mean request?)\nSee "wxpay --help".\n'],
    [['doctor', '--jsn'], 'wxpay: unknown option \'--jsn\'\n(Did you mean --json?)\nSee "wxpay doctor --help".\n'],
    [['doctor', '-m'], 'wxpay: option \'-m, --mchid <id>\' argument missing\nSee "wxpay doctor --help".\n'],
  ])('%j', async (args, stderr) => {
    expect(await wxpay(args)).toEqual({ code: 2, stdout: '', stderr });
  });

  test.each([
    ['--apiv3-kee=0123456789', '--apiv3-kee'],
    ['-z0123456789', '-z'],
    ['--apiv3-kee=012\n345', '--apiv3-kee'],
  ])('the value of an option that is none, %j, is not repeated', async (option, name) => {
    const { code, stderr } = await wxpay(['certificates', option]);
    expect(code).toBe(2);
    expect(stderr.split('\n')[0]).toBe(`wxpay: unknown option '${name}'`);
    expect(stderr).not.toMatch(/012|345/);
  });

  test('as JSON', async () => {
    const { code, stdout, stderr } = await wxpay(['doctor', '--jsn', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: { name: 'UsageError', code: 'ERR_USAGE', message: expect.stringContaining("unknown option '--jsn'") },
    });
  });

  test.each([
    ['Base64 without its PEM lines', (pem: string) => pem.replace(/-----[^-]+-----|\n/g, '')],
    ['PEM text that is cut off', (pem: string) => pem.slice(0, 900)],
    ['PEM text without its first line', (pem: string) => pem.slice(pem.indexOf('\n') + 1)],
  ])('a private key that is %s is not repeated', async (_, damage) => {
    const pem = sandbox.config.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const args = ['request', 'get', 'v3/certificates'];
    const { code, stderr } = await wxpay(args, { env: { ...env, WECHATPAY_PRIVATE_KEY: damage(pem) } });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^wxpay: WECHATPAY_PRIVATE_KEY/);
    // The directory of the tests is in no error either: the value is not taken for the name of a file.
    expect(stderr).not.toContain(root);
  });
});

test('a defect: nothing of the error but its code and where it came from', async () => {
  const stdin = Object.assign(new Readable(), { _read: () => stdin.destroy(new TypeError(sandbox.config.secret)) });
  const { code, stdout, stderr } = await wxpay(['request', 'post', 'v3/something', '-'], { env, stdin });
  expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
  expect(stderr).toMatch(/^wxpay: Internal error in wxpay \(no code\); please report it\.\n {2}stack: at /);
});

test('PEM text in the environment, line breaks written out', async () => {
  sandbox.on('get', 'v3/something', () => ({ ok: true }));
  const pem = sandbox.config.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const own = { ...env, WECHATPAY_PRIVATE_KEY: pem.replaceAll('\n', '\\n') };
  expect(await wxpay(['request', 'get', 'v3/something'], { env: own })).toMatchObject({ code: 0, stderr: '' });
});

test('an encrypted private key', async () => {
  sandbox.on('get', 'v3/something', () => ({ ok: true }));
  const passphrase = 'correct horse';
  const { privateKey } = sandbox.config;
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  const own = { ...env, WECHATPAY_PRIVATE_KEY: pem, WECHATPAY_PASSPHRASE: passphrase };
  expect((await wxpay(['request', 'get', 'v3/something'], { env: own })).code).toBe(0);
  const { code, stderr } = await wxpay(['request', 'get', 'v3/something'], {
    env: { ...own, WECHATPAY_PASSPHRASE: '' },
  });
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('is encrypted') });
});

describe('as a process', () => {
  test('pipes', async () => {
    sandbox.on('post', 'v3/something', ({ json }) => json);
    const line = `echo '{"a":1}' | wxpay request post v3/something - | cat`;
    expect(await shell(line)).toEqual({ code: 0, stdout: '{\n  "a": 1\n}\n', stderr: '' });
  });

  test('whoever reads may stop reading', async () => {
    const rows = `${'x'.repeat(99)}\n`.repeat(100_000);
    sandbox.on('get', 'v3/billdownload/file', () => new Response(rows), { signed: false });
    const printed = await shell('wxpay request get v3/billdownload/file -q token=x | head -n 1');
    expect(printed).toEqual({ code: 0, stdout: `${'x'.repeat(99)}\n`, stderr: '' });
  }, 60_000);

  test('exit codes', async () => {
    expect(await shell('wxpay request get v3/nothing --json')).toMatchObject({ code: 1, stdout: '' });
    expect(await shell('wxpay request get v3/nothing -m ""')).toMatchObject({ code: 3, stdout: '' });
    expect(await shell('wxpay nothing')).toMatchObject({ code: 2, stdout: '' });
  }, 60_000);

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('sandbox ends with %s', async (signal) => {
    const child: ChildProcess = spawn(process.execPath, [...SCRIPT, 'sandbox', '--json'], {
      cwd: root,
      env: childEnv(),
    });
    try {
      const [chunk] = await once(child.stdout ?? child, 'data');
      const { url, directory } = JSON.parse(String(chunk));
      expect((await fetch(`${url}sandbox/health`)).status).toBe(200);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([0, null]);
      await expect(fetch(url)).rejects.toThrow();
      expect(existsSync(directory)).toBe(false);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('the library does not load the parser', async () => {
    const code = `require('./lib/index.ts'); require('./lib/sandbox'); console.log(Object.keys(require.cache).filter((path) => /commander|lib\\/cli\\//.test(path)))`;
    const args = ['-r', 'esbuild-register', '-e', code];
    const stdout = await new Promise((done) => {
      execFile(process.execPath, args, { cwd: root, env: childEnv() }, (_, out) => done(out));
    });
    expect(stdout).toBe('[]\n');
  });
});
