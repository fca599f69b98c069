import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FACTS } from '../lib/sandbox/catalogue/facts';
import manifest from '../package.json';

const run = promisify(execFile);
const root = resolve(__dirname, '..');

let folder: string;
let files: { path: string; size: number }[];
let unpackedSize: number;

/** The package as it is published, built from the sources as they are now, apart from the `dist` of the working copy. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechatpay-packed-'));
  const dist = join(folder, 'dist');
  const node = (...args: string[]) => run(process.execPath, args, { cwd: root });
  // `npm run typecheck` checks the types.
  await node(require.resolve('typescript/bin/tsc'), ...['-p', 'tsconfig.build.json', '--noCheck', '--outDir', dist]);
  await node(resolve(root, 'scripts/bundle.mjs'), dist);
  const others = manifest.files.map((name) => name.split('/')[0] ?? name).filter((name) => name !== 'dist');
  for (const name of [...others, 'package.json', 'README.md', 'LICENSE']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: folder });
  [{ files, unpackedSize }] = JSON.parse(stdout);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files of the package that a program loads. */
async function loadedBy(code: string): Promise<string[]> {
  const print = 'console.log(JSON.stringify(Object.keys(require.cache)))';
  const { stdout } = await run(process.execPath, ['-e', `${code};${print}`], { cwd: folder });
  const paths: string[] = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  return paths.flatMap((path) => (path.includes('/dist/') && !path.includes('/node_modules/') ? [path] : []));
}

test('it takes under 4.5 MB unpacked', () => {
  expect(unpackedSize).toBeLessThan(4_500_000);
});

test('nothing is in it twice: the facts of the sandbox are in one file', async () => {
  const piece = FACTS.slice(0, 60);
  expect(piece).toHaveLength(60);
  const { stdout } = await run('grep', ['-rlF', piece, 'dist'], { cwd: folder });
  expect(stdout.trim().split('\n')).toHaveLength(1);
});

test("require('wechatpay-undici') loads nothing of the sandbox, nor of the command", async () => {
  const client = await loadedBy("require('./dist')");
  const sandbox = await loadedBy("require('./dist/sandbox')");
  expect(client.length).toBeGreaterThan(0);
  const { stdout } = await run('grep', ['-lE', 'class Sandbox|sandbox/orders|commander', ...sandbox], { cwd: folder });
  const ofSandbox = stdout.trim().split('\n');
  // Were it not found in the sandbox's own files, the next line could not fail.
  expect(ofSandbox.length).toBeGreaterThan(0);
  expect(client.filter((file) => ofSandbox.includes(file))).toEqual([]);
  expect(client.filter((file) => /dist\/(?:sandbox|cli)\//.test(file))).toEqual([]);
});

test('the entries have their declarations, and whatever these mention is packed', () => {
  const packed = new Set(files.map(({ path }) => path));
  const { '.': main, './sandbox': sandbox } = manifest.exports;
  for (const path of [main.types, main.default, sandbox.types, sandbox.default, ...Object.values(manifest.bin)]) {
    expect(packed).toContain(path.replace(/^\.\//, ''));
  }
  expect([...packed].filter((path) => /^dist\/openapi\/generated\/v3\/.*\.d\.ts$/.test(path)).length).toBeGreaterThan(
    100,
  );
});

test('the command runs, and its sandbox is the one of the package', async () => {
  const { stdout } = await run(process.execPath, ['dist/cli/index.js', 'sandbox', '--help'], { cwd: folder });
  expect(stdout).toMatch(/^Usage: wxpay sandbox/);
  const code = `const { Sandbox } = require('./dist/sandbox'); const { Builder, ConfigurationError } = require('./dist');
    Sandbox.start({ port: 1, host: '192.0.2.1' }).catch((error) => console.log(error instanceof ConfigurationError, error.constructor === ConfigurationError))`;
  expect((await run(process.execPath, ['-e', code], { cwd: folder })).stdout).toBe('true true\n');
});
