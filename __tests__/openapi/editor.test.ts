import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';

const file = resolve(__dirname, 'virtual.ts');
/** What is asked about stands before a mark. */
const marked = `import type { Chain } from '../../lib/openapi/chain';
declare const instance: Chain;
instance.v3.pay.«1»;
instance.v3.pay.transactions.native.«2»;
instance.chain('v3/pay/transactions/native').«3»;
instance.v3.marketing.busifavor.coupons.use.post«4»({ json: { «5» } });
instance['v2/applyment/micro/getstate'].post«6»;
instance.v3.not.known.«7»;
`;
const source = marked.replace(/«\d»/g, '');
const host: ts.LanguageServiceHost = {
  getCompilationSettings: () => ({
    strict: true,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.Node20,
    types: ['node'],
  }),
  getScriptFileNames: () => [file],
  getScriptVersion: () => '1',
  getScriptSnapshot: (name) => {
    const text = name === file ? source : ts.sys.fileExists(name) ? readFileSync(name, 'utf8') : undefined;
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => resolve(__dirname, '../..'),
  getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
  fileExists: ts.sys.fileExists,
  readFile: ts.sys.readFile,
  directoryExists: ts.sys.directoryExists,
  getDirectories: ts.sys.getDirectories,
};
const service = ts.createLanguageService(host);
const at = (mark: number) => marked.slice(0, marked.indexOf(`«${mark}»`)).replace(/«\d»/g, '').length;
const names = (mark: number) =>
  service.getCompletionsAtPosition(file, at(mark), {})?.entries.map(({ name }) => name) ?? [];
const hover = (mark: number) => {
  const info = service.getQuickInfoAtPosition(file, at(mark));
  return { text: ts.displayPartsToString(info?.documentation), tags: info?.tags?.map(({ name }) => name) ?? [] };
};

test('completion walks to the operations', () => {
  expect(names(1)).toEqual(expect.arrayContaining(['transactions', 'partner', 'chain']));
  expect(names(1).length).toBeLessThan(20);
  expect(names(2).sort()).toEqual(['chain', 'post', 'postAsync']);
  expect(names(3).sort()).toEqual(['chain', 'post', 'postAsync']);
  expect(names(7)).toEqual(expect.arrayContaining(['chain', 'delete', 'get', 'post', 'put', 'patchAsync']));
});

test('completion knows the members of a body', () => {
  expect(names(5)).toEqual(expect.arrayContaining(['coupon_code', 'stock_id', 'appid', 'use_time', 'use_request_no']));
});

test('hovering shows the official name, the link, and what has been taken offline', () => {
  expect(hover(4)).toEqual({ text: expect.stringMatching(/^核销用户券\nhttps:\/\/pay\.weixin\.qq\.com\//), tags: [] });
  expect(hover(6)).toEqual({ text: expect.stringContaining('查询申请状态'), tags: ['deprecated'] });
});
