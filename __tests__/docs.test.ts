import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import * as publicNames from 'wechatpay-undici';

const root = resolve(__dirname, '..');
const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const documents = ['README.md', 'README.zh-CN.md', ...guides.map((name) => `docs/${name}`)];

/** What the snippets take for granted. */
const GLOBALS = `
import type { KeyObject } from 'node:crypto';
import type { ApiError, Chain, KeyInput, SignatureError } from 'wechatpay-undici';
declare global {
  const instance: Chain;
  const config: { mchid: string; serial: string; privateKey: string; certs: Record<string, KeyInput>; secret: string };
  const { mchid, serial, privateKey, certs, secret }: typeof config;
  const [apiv2Key, apiv3Key, agentSecret, passphrase, uri, path, pem, base64, text, xmlText]: string[];
  const [ciphertext, nonce, aad, signature, time, appid, prepay_id, h5_url, openid, ca]: string[];
  const publicKey: KeyObject;
  const error: ApiError & SignatureError;
  const data: Record<string, string>;
  // Whatever the operation in question wants.
  const [json, xml, query, headers]: any[];
  const digest: { hash_type: string; hash_value: string };
  const [bytes, file]: Buffer[];
  const stream: import('node:stream').Readable;
  const response: import('node:http').ServerResponse;
}
`;

interface Snippet {
  readonly where: string;
  readonly code: string;
}

/** The blocks of TypeScript of a document. */
function blocks(document: string): Snippet[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ 1: code = '', index }) => ({
    where: `${document}:${lineOf(text, index) + 1}`,
    code,
  }));
}

/**
 * The code in the last column of tables that are headed by the name of this package. Names of options are no code, nor is
 * what stands between double backticks.
 */
function cells(document: string): Snippet[] {
  const text = readFileSync(join(root, document), 'utf8');
  const tables = [...text.matchAll(/^\|.*\| wechatpay-undici *\|\n\|[-| ]+\n((?:\|.*\n)+)/gm)];
  return tables.flatMap(({ 0: table, 1: rows = '', index }) => {
    const first = lineOf(text, index + table.length - rows.length);
    return rows
      .trimEnd()
      .split('\n')
      .flatMap((row, number) => {
        const cell = row.split(/(?<!\\)\|/).at(-2) ?? '';
        const spans = [...cell.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, code = '']) => code);
        const where = `${document}:${first + number}`;
        return spans.filter((code) => !/^[a-z_]\w*$/.test(code)).map((code) => ({ where, code }));
      });
  });
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** What a snippet may use without importing it: a cell of a table has no room for it. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'wechatpay-undici': Object.keys(publicNames),
  'node:crypto': ['createCipheriv', 'createHash', 'KeyObject', 'X509Certificate'],
  'node:fs': ['createReadStream', 'createWriteStream'],
  'node:stream/promises': ['pipeline'],
  undici: ['Agent', 'EnvHttpProxyAgent', 'interceptors', 'ProxyAgent'],
};

function importsFor(code: string): string {
  const own = [...code.matchAll(/^import .*/gm)].join('\n');
  const lines = Object.entries(IMPORTS).map(([module, names]) => {
    const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(own));
    return `import { ${missing.join(', ')} } from '${module}';`;
  });
  return lines.join(' ');
}

/** What the compiler says of the snippets, each a module of its own. */
function compile(snippets: readonly Snippet[]): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.Node20,
    types: ['node'],
    paths: {
      'wechatpay-undici': [join(root, 'lib/index.ts')],
      'wechatpay-undici/sandbox': [join(root, 'lib/sandbox/index.ts')],
    },
    skipLibCheck: true,
  };
  const modules = snippets.map(({ where, code }, index) => ({
    where,
    name: join(root, `__tests__/snippet-${index}.mts`),
    text: `${importsFor(code)} export {}; ${code}`,
  }));
  const globals = join(root, '__tests__/snippets.d.mts');
  const sources = new Map([[globals, GLOBALS], ...modules.map(({ name, text }) => [name, text] as const)]);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) => {
    const text = sources.get(name);
    return text === undefined ? getSourceFile(name, language, ...rest) : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((name) => {
    const source = program.getSourceFile(name);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    const where = modules.find((module) => module.name === name)?.where ?? relative(root, name);
    return found.map(({ messageText }) => `${where}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  });
}

test('the code in README and guides compiles', () => {
  const snippets = documents.flatMap((document) => [...blocks(document), ...cells(document)]);
  expect(snippets.length).toBeGreaterThan(100);
  expect(compile(snippets)).toEqual([]);
}, 120_000);

test('what does not compile is found', () => {
  const wrong = ['instance.chain(true);', 'Rsa.sign(text);', 'const a: string = 1;'];
  const found = compile(wrong.map((code, index) => ({ where: `line ${index}`, code })));
  expect(found.map((message) => message.slice(0, 6))).toEqual(['line 0', 'line 1', 'line 2']);
}, 120_000);

test('the tests that SECURITY.md names are there', () => {
  const named = [...readFileSync(join(root, 'SECURITY.md'), 'utf8').matchAll(/__tests__\/[\w/-]+/g)].map(
    ([path]) => path,
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(root, path)) && !existsSync(join(root, `${path}.test.ts`)))).toEqual(
    [],
  );
});

/** The code of a document without its comments, which are in the language of the document; that of its tables in any order. */
function codeOf(document: string): string[] {
  const uncommented = blocks(document).map(({ code }) => code.replace(/(^|\s)\/\/.*/g, ''));
  const ofTables = cells(document).map(({ code }) => code);
  return [...uncommented, ...ofTables.sort()];
}

test.each(documents.filter((document) => !document.endsWith('.zh-CN.md')))(
  '%s has the same code in Chinese',
  (document) => {
    expect(codeOf(document.replace(/md$/, 'zh-CN.md'))).toEqual(codeOf(document));
  },
);
