import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { reference } from '../../scripts/reference/index';
import { writePages } from '../../scripts/reference/write';

const root = resolve(__dirname, '../..');
const pages = reference(resolve(root, 'lib/openapi/generated'));

const page = (name: string) => pages.get(`${name}.md`) ?? '';
const section = (text: string, title: string) => text.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const blocksOf = (text: string) =>
  [...text.matchAll(/```ts(?: \[(.*?)\])?\n([\s\S]*?)\n```/g)].map(([, title, code = '']) => ({ title, code }));

const use = page('openapi/v3/marketing/busifavor/coupons/use/post');

test('an operation: title, verb and path, tables, links', () => {
  expect(use).toContain('\n# 核销用户券 {#api}\n');
  expect(use).toContain('<span class="verb post">POST</span> <code>v3/marketing/busifavor/coupons/use</code>');
  expect(section(use, '请求参数')).toContain(
    '<tr class="d0"><td><code>json</code></td><td>object</td><td>是</td><td></td></tr>\n' +
      '<tr class="d1"><td><code>coupon_code</code></td><td>string</td><td>是</td><td>券code</td></tr>\n' +
      '<tr class="d1"><td><code>stock_id</code></td><td>string</td><td></td><td>批次号</td></tr>\n',
  );
  expect(section(use, '响应参数')).toContain(
    '<tr class="d0"><td><code>wechatpay_use_time</code></td><td>string</td><td>是</td><td>系统核销券成功的时间</td></tr>',
  );
  expect(section(use, '官方文档')).toContain('\n- <https://pay.weixin.qq.com/doc/v3/merchant/4012465292>\n');
});

test('an operation: the six call forms', () => {
  expect(blocksOf(use).map(({ title }) => title)).toEqual([
    undefined,
    'await 纯链式',
    'await 声明式',
    'await 属性式',
    'then 纯链式',
    'then 声明式',
    'then 属性式',
  ]);
  const codes = blocksOf(use).map(({ code }) => code);
  expect(codes[0]).toMatch(
    /^import type .*\n\nconst json: RequestOf<.*> ?\['json'\] = \{\n {2}coupon_code: '券code',\n/,
  );
  expect(codes[2]).toBe(
    "const result = await instance.chain('v3/marketing/busifavor/coupons/use').post({ json }).json();\nconsole.log(result);",
  );
  expect(codes[4]).toBe(
    'instance.v3.marketing.busifavor.coupons.use\n  .postAsync({ json })\n' +
      '  .then((response) => response.json())\n  .then((result) => console.log(result));',
  );
});

test.each([
  ['v2/secapi/pay/refund/post', '**商户 API 证书**'],
  ['v2/papay/querycontract/post', '`nonce_str`'],
  ['v3/transactions/native/post', '`https://api.mch.weixin.qq.com/hk/`'],
  ['v2/payitil/report/post', '**没有签名**'],
  ['v3/transferdownload/signfile/get', '**下载**'],
  ['v3/merchant-service/images/upload/post', '**上传**'],
  ['v2/papay/entrustweb/get', '**用户浏览器**'],
  ['v3/transfer/batches/post', '微信支付公钥（或平台证书）加密'],
  ['v3/transfer/batches/post', '`json.transfer_detail_list[].user_name`'],
  ['v3/smartguide/guides/get', '商户 API 私钥解密：`data[].name`、`data[].mobile`'],
])('%s says what the client does: %s', (name, note) => {
  const [box = ''] = page(`openapi/${name}`).match(/::: tip[\s\S]*?\n:::/) ?? [];
  expect(box).toContain(note);
});

test('an operation without traits has no such notes', () => {
  expect(use).not.toContain('::: tip');
});

test('a brand, and the query that tells the outcome', () => {
  expect(page('openapi/brand/store/brandstores/post')).toContain('`brandId`');
  expect(page('openapi/brand/store/brandstores/post')).toContain('instance.brand.store.brandstores');
  expect(page('openapi/v3/refund/domestic/refunds/post')).toContain('`GET v3/refund/domestic/refunds/{out_refund_no}`');
});

test('fields that several operations share, amounts, and members that are never there', () => {
  const refund = page('openapi/v3/refund/domestic/refunds/post');
  expect(section(refund, '响应参数')).toContain('<td><code>out_refund_no</code></td>');
  expect(refund).toContain('<i>单位：分</i>');
  expect([...pages.values()].filter((text) => text.includes('<td>undefined</td>'))).toEqual([]);
});

test('marks', () => {
  const stopped = [...pages.values()].filter((text) => text.includes('::: danger 已停用\n'));
  expect(stopped.length).toBeGreaterThan(0);
  const english = [...pages].filter(([, text]) =>
    / by WeChat Pay|A newer version|Closed to new|Not yet available|In beta/.test(text),
  );
  expect(english.map(([name]) => name)).toEqual([]);
});

test('fields: enums, remarks, alternatives', () => {
  expect(page('openapi/v3/smartguide/guides/post')).toContain('<td>手机号码<br><i>敏感字段</i></td>');
  expect(page('openapi/v2/secapi/mch/addInstitutionsub/post')).toContain('<code>ENTERPRISE</code>');
  expect(page('notifications/MCHWITHDRAW_CHANGE')).toContain('<em>形式 2</em>');
});

test('notifications, in JSON and in XML', () => {
  const paid = page('notifications/TRANSACTION_SUCCESS');
  expect(paid).toContain('\n# 支付成功(TRANSACTION.SUCCESS)通知 {#api}\n');
  expect(paid).toContain('<tr class="d0"><td><code>resource</code></td>');
  expect(paid).toContain('<tr class="d2"><td><code>transaction_id</code></td>');
  expect(paid).toContain("NotificationOf<'TRANSACTION.SUCCESS'>");
  expect(page('notifications/v2/refund-processed')).toContain('<span class="verb post">XML</span>');
});

test('every link between pages leads to one, and no two pages have one file', () => {
  const names = [...pages.keys()].map((name) => name.toLowerCase().replaceAll('/', '_'));
  expect(new Set(names).size).toBe(names.length);
  const sidebar = [...(pages.get('sidebar.json') ?? '').matchAll(/"link":"(.*?)"/g)];
  const links = [...pages.values()].flatMap((text) => [...text.matchAll(/\]\((\/.*?)\)/g)]).concat(sidebar);
  const dead = links.map(([, to = '']) =>
    to
      .slice(1)
      .replace(/\.html$/, '.md')
      .replace(/\/$/, '/index.md'),
  );
  expect(links.length).toBeGreaterThan(pages.size);
  expect(dead.filter((to) => !pages.has(to))).toEqual([]);
});

test('pages are written in place of what was there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reference-'));
  try {
    writePages(folder, new Map([['old/page.md', '']]));
    writePages(folder, new Map([['a/b/get.md', use]]));
    expect(readdirSync(folder)).toEqual(['a']);
    expect(readFileSync(join(folder, 'a/b/get.md'), 'utf8')).toBe(use);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what a page shows compiles', () => {
  const names = [
    'v3/marketing/busifavor/coupons/use/post',
    'v3/marketing/busifavor/coupons/_card_id_/send/post',
    'v3/certificates/get',
    'v3/profitsharing/receivers/delete/post',
    'v3/ecommerce/applyments/_empty_/post',
    'v3/smartguide/guides/_guide_id_/patch',
    'v3/transferdownload/signfile/get',
    'v3/merchant-service/images/upload/post',
    'v3/marketing/partnerships/build/post',
    'v2/secapi/mch/addInstitutionsub/post',
    'v2/appauth/getaccesstoken/get',
    'v2/papay/entrustweb/get',
    'v2/pay/downloadbill/post',
  ];
  expect(names.filter((name) => blocksOf(page(`openapi/${name}`)).length < 6)).toEqual([]);
  const broken = page('openapi/v3/certificates/get').replace('certificates.get(', 'certificates.post(');
  const notifications = ['notifications/TRANSACTION_SUCCESS', 'notifications/v2/refund-processed'];
  const texts = [...names.map((name) => `openapi/${name}`), ...notifications].map(
    (name) => [name, page(name)] as const,
  );
  expect(compileAll(new Map([...texts, ['broken', broken]]))).toEqual([
    expect.stringMatching(/broken\.ts: Property 'post' does not exist on type 'Certificates'/),
  ]);
});

/** What the compiler says of the code of pages: each a module with its own imports, each call in a block of its own. */
function compileAll(texts: ReadonlyMap<string, string>): string[] {
  const sources = new Map(
    [...texts].map(([name, text]) => [
      resolve(root, `__tests__/scripts/${name.replaceAll('/', '_')}.ts`),
      moduleOf(text),
    ]),
  );
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.Node20,
    types: ['node'],
    paths: { 'wechatpay-undici': [resolve(root, 'lib/index.ts')] },
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) => {
    const source = sources.get(name);
    return source === undefined ? getSourceFile(name, language, ...rest) : ts.createSourceFile(name, source, language);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((name) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(name))
      .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  );
}

function moduleOf(text: string): string {
  const blocks = blocksOf(text);
  const setup = blocks.filter(({ title }) => title === undefined).flatMap(({ code }) => code.split('\n'));
  const isImport = (line: string) => line.startsWith('import ');
  return [
    "import type { Chain } from 'wechatpay-undici';",
    ...setup.filter(isImport),
    'declare const instance: Chain;',
    'declare const apiv3Key: string, secret: string;',
    'async function main() {',
    ...setup.filter((line) => !isImport(line)),
    ...blocks.filter(({ title }) => title !== undefined).map(({ code }) => `{\n${code}\n}`),
    '}',
    'main;',
  ].join('\n');
}
