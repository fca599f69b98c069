import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';

const file = resolve(__dirname, 'virtual.ts');
/** What is asked about stands before a mark. */
const marked = `import type { Chain } from '../../lib/openapi/chain';
import type { NotificationOf } from '../../lib/openapi/notification';
import type { RequestOf } from '../../lib/openapi/operation';
declare const instance: Chain;
instance.v3.pay.«1»;
instance.v3.pay.transactions.native.«2»;
instance.chain('v3/pay/transactions/native').«3»;
instance.v3.marketing.busifavor.coupons.use.post«4»({ json: { «5» } });
instance['v2/applyment/micro/getstate'].post«6»;
instance.v3.chain('not').known.«7»;
instance.v3.pay.transactions.native«8»;
instance['v3/marketing/busifavor/coupons/use'];
instance.v3.pay.transactions«10».native.post({ json: { amount: { total: 1 } } } as never);
instance.v3.pay.transactions.outTradeNo«11»;
declare const order: RequestOf<'v3/pay/transactions/native', 'post'>['json'];
order.amount.total«12»;
declare const receiver: RequestOf<'v3/profitsharing/receivers/add', 'post'>['json'];
receiver.type«13»;
receiver.name«14»;
declare const paid: NotificationOf<'TRANSACTION.SUCCESS'>['resource'];
paid.amount?.payer_total«15»;
`;
const source = marked.replace(/«\d+»/g, '');
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
const at = (mark: number) => marked.slice(0, marked.indexOf(`«${mark}»`)).replace(/«\d+»/g, '').length;
const names = (mark: number) =>
  service.getCompletionsAtPosition(file, at(mark), {})?.entries.map(({ name }) => name) ?? [];
const hover = (mark: number) => {
  const info = service.getQuickInfoAtPosition(file, at(mark));
  const [text, type] = [info?.documentation, info?.displayParts].map((parts) => ts.displayPartsToString(parts));
  return { text, type, tags: info?.tags?.map(({ name }) => name) ?? [] };
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
  expect(hover(4)).toMatchObject({
    text: expect.stringMatching(/^核销用户券\nhttps:\/\/pay\.weixin\.qq\.com\//),
    tags: [],
  });
  expect(hover(6)).toMatchObject({ text: expect.stringContaining('查询申请状态'), tags: ['deprecated'] });
});

test('hovering over a path shows the title and the official page of what can be called there', () => {
  expect(hover(8).text).toMatch(/^Native下单\nhttps:\/\/pay\.weixin\.qq\.com\/doc\/v3\/merchant\/\d+$/);
  expect(hover(10)).toMatchObject({ type: expect.stringContaining('PayTransactions'), text: '`v3/pay/transactions`' });
  expect(hover(11).text).toBe('`v3/pay/transactions/out-trade-no`');
});

test('hovering over a field shows its label, its unit, and the values that it may have', () => {
  expect(hover(12)).toMatchObject({ text: expect.stringMatching(/金额.*分/), type: expect.stringContaining('number') });
  expect(hover(13)).toMatchObject({
    text: expect.stringContaining('类型'),
    type: expect.stringContaining(`"MERCHANT_ID" | "PERSONAL_OPENID" | "PERSONAL_SUB_OPENID"`),
  });
  expect(hover(14).text).toMatch(/encrypted with RSA/);
  expect(hover(15).text).toContain('分');
});
