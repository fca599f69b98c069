import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const CALL = `
const instance = Builder.factory({
  mchid: '1900000109',
  serial: '00',
  privateKey: 'file:///apiclient_key.pem',
  certs: { PUB_KEY_ID_0: 'file:///pub_key.pem' },
});
const json = { appid: 'wx', mchid: '1', description: 'd', out_trade_no: '1', notify_url: 'https://a.cn/', amount: { total: 1 } };
export const url = instance.v3.pay.transactions.native.post({ json }).json().then(({ code_url }) => code_url);
`;
/** The same file without the import. */
const WITHOUT = `
declare const Builder: {
  factory(config: object): { v3: { pay: { transactions: { native: { post(options: object): { json(): Promise<{ code_url: string }> } } } } } };
};
${CALL}`;
const WITH = `import { Builder } from 'wechatpay-undici';\n${CALL}`;

/** Programs of the project's own installation of TypeScript. */
export const typescript = (name: 'tsc' | 'tsserver') => join(ROOT, 'node_modules/typescript/lib', `${name}.js`);

/** Makes a project that has the package installed, built as it is published, and removes it after the work. */
export async function withConsumer(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wechatpay-consumer-'));
  try {
    install(folder);
    for (const [name, text] of Object.entries({ with: WITH, without: WITHOUT })) {
      writeFileSync(join(folder, `${name}.ts`), text);
      writeFileSync(join(folder, `tsconfig.${name}.json`), tsconfig(`${name}.ts`));
    }
    writeFileSync(join(folder, 'tsconfig.json'), tsconfig('*.ts'));
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(folder: string): void {
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'wechatpay-undici');
  mkdirSync(own, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(own, 'package.json'));
  const build = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(own, 'dist')];
  execFileSync(process.execPath, [typescript('tsc'), ...build], { stdio: 'inherit' });
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object };
  mkdirSync(join(modules, '@types'));
  for (const name of [...Object.keys(dependencies), 'undici-types', '@types/node']) {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  if (!readdirSync(join(own, 'dist')).includes('index.d.ts')) throw new Error('The package was not built.');
}

function tsconfig(file: string): string {
  const compilerOptions = {
    target: 'ES2023',
    module: 'node20',
    lib: ['ES2023', 'ESNext.Disposable'],
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  return JSON.stringify({ compilerOptions, include: [file] });
}
