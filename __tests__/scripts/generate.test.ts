import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { writeCatalogue } from './catalogue';

const root = resolve(__dirname, '../..');
const openapi = join(root, 'lib/openapi');
const folder = mkdtempSync(join(tmpdir(), 'wechatpay-generated-'));
const catalogue = join(folder, 'catalogue');
const written = join(folder, 'openapi');
const out = join(written, 'generated');
const command = ['-r', 'esbuild-register', 'scripts/generate.ts'];
const generate = (...args: string[]) =>
  execFileSync(process.execPath, [...command, ...args], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
const read = (file: string) => readFileSync(join(out, `${file}.ts`), 'utf8');
let said: string;

beforeAll(() => {
  writeCatalogue(catalogue);
  said = generate(catalogue, out);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A declaration with the comment above it, on one line. */
function declaration(file: string, name: string): string {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2023, true);
  const found = source.statements.filter(
    (one) => (ts.isInterfaceDeclaration(one) || ts.isTypeAliasDeclaration(one)) && one.name.text === name,
  );
  expect(found).toHaveLength(1);
  return found
    .map((one) => one.getFullText())
    .join()
    .replace(/\s+/g, ' ')
    .replace(/([:=<(]) \| /g, '$1 ')
    .trim();
}

const V3 = 'v3/shop';
const V2 = 'v2/risk';
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: types of TypeScript, as text
test.each<[what: string, file: string, name: string, ...parts: string[]]>([
  ['the title', V3, 'ShopGoodsPostJson', '/** 新建商品 */ export'],
  [
    'enums of a request are closed where they are said to be',
    V3,
    'ShopGoodsPostJson',
    ` kind: 'SMALL' | 'BIG';`,
    ' level?: 1 | 2 | (number & {}) | undefined;',
  ],
  [
    'enums of a response are open',
    V3,
    'ShopGoodsPostResult',
    ` kind: 'SMALL' | 'BIG' | (string & {});`,
    ' level: 1 | 2 | (number & {});',
    ` states?: ('ON' | 'OFF' | (string & {}))[];`,
  ],
  [
    'arrays',
    V3,
    'ShopGoodsPostJson',
    ' tags: string[];',
    ` states: ('ON' | 'OFF' | (string & {}))[];`,
    ' parts?: { id: string;',
  ],
  ['objects without members', V3, 'ShopGoodsPostJson', ' extra?: object | undefined;'],
  ['objects without members in a response', V3, 'ShopGoodsPostResult', ' extra?: Record<string, unknown>;'],
  ['nesting', V3, 'ShopGoodsPostJson', 'owner?: { name: string; phone: string; } | undefined; }[] | undefined;'],
  ['number and boolean', V3, 'ShopGoodsPostJson', ' rate: number;', ' fresh?: boolean | undefined;'],
  [
    'labels and notes',
    V3,
    'ShopGoodsPostJson',
    '/** 持有人 (encrypted with RSA, at most 8 characters) */ holder: string;',
  ],
  ['a shape that others share', V3, 'ShopGoodsPostJson', '/** 金额 */ amount: ShopGoodsAmount;'],
  ['the same shape in a response', V3, 'ShopGoodsPostResult', '/** 金额 */ amount: ShopGoodsAmount;'],
  [
    'that shape; abroad, amounts are not in fen',
    V3,
    'ShopGoodsAmount',
    '/** 金额 */ export',
    '/** 总金额 */ total: number;',
    ' currency?: string | undefined;',
  ],
  [
    'a shape shared across files, with its unit',
    'shapes/common',
    'Amount',
    '/** 金额 */ export',
    '/** 总金额 (分) */ total: number;',
    ' currency?: string;',
  ],
  ['a shape shared inside a file', V3, 'ShopScenesPostJson', ' address?: Address | undefined;'],
  [
    'alternatives by `when`',
    V3,
    'ShopScenesPostJson',
    ' scene_info: { line: string; start?: string | undefined; plate?: undefined; color?: undefined; } |',
    ' { plate: string; color?: string | undefined; line?: undefined; start?: undefined; };',
  ],
  [
    'a name that stands twice is optional if one of them is',
    V3,
    'ShopScenesPostJson',
    ' codes?: string[] | { code: string; memo?: string | undefined; }[] | undefined;',
  ],
  ['a name that stands twice with one type', V3, 'ShopScenesPostJson', ' same: string;'],
  [
    'encoded text',
    V3,
    'ShopSearchGetQuery',
    ' filter: JsonText<{ city?: string | undefined; size: number; }>;',
    ' form?: FormText<{ a: string; b: number; }> | undefined;',
  ],
  ['options', V3, 'ShopSearchGet', '{ query: ShopSearchGetQuery; }'],
  ['a variable', V3, 'ShopGoodsByGoodsIdDelete', '/** 商品ID */ goods_id: string | number;'],
  [
    'a variable of an enum',
    V3,
    'ShopGoodsByGoodsIdCopiesByNumberPost',
    ` number: 'ONE' | 'TWO' | (string & {});`,
    ' json?: ',
  ],
  [
    'headers, of which the client sets Wechatpay-Serial',
    V3,
    'ShopGoodsByGoodsIdDelete',
    ` headers: HeadersWith<{ 'Wechatpay-Serial'?: string | undefined; 'X-Trace': string; }>;`,
  ],
  ['the header that the client sets', V3, 'ShopGoodsByGoodsIdPost', '{ goods_id: string | number; }'],
  ['204', V3, 'ShopGoodsByGoodsId', ' deleteAsync: Call<ShopGoodsByGoodsIdDelete, undefined>;'],
  ['no documented response', V3, 'ShopGoodsByGoodsId', ' post: Call<ShopGoodsByGoodsIdPost, unknown>;'],
  ['no option needed', V3, 'ShopStatus', ' get: OptionalCall<CommonOptions, unknown>;'],
  [
    'marks and links',
    V3,
    'ShopGoods',
    [
      '/** * 新建商品 * Closed to new merchants. * https://example.com/1 * https://example.com/2',
      '* @deprecated No longer maintained by WeChat Pay. */ readonly post: Call<ShopGoodsPost, ShopGoodsPostResult>;',
    ].join(' '),
  ],
  ['both names of a verb', V3, 'ShopGoods', ' readonly postAsync: Call<ShopGoodsPost, ShopGoodsPostResult>;'],
  ['a variable of the chain', V3, 'ShopGoods', ' readonly _goods_id_: ShopGoodsByGoodsId;'],
  ['camelCase in the chain', V3, 'Shop', ' readonly cardHolders: ShopCardHolders;'],
  [
    'a segment named like a verb that its path has',
    V3,
    'ShopCardHoldersPreEntry',
    ' delete: OptionalCall<CommonOptions, unknown> & ShopCardHoldersPreEntryDeletePath;',
  ],
  [
    'a path that ends in a verb',
    V3,
    'ShopCardHoldersPreEntryDeletePath',
    ' post: Call<ShopCardHoldersPreEntryDeletePost,',
  ],
  [
    'an alias with an empty variable',
    V3,
    'ShopCardsByEmptyPost',
    `extends ShopCardsSlashPost { empty?: '' | undefined; }`,
  ],
  ['an alias in the chain', V3, 'ShopCards', ' _empty_: ShopCardsByEmpty;'],
  [
    'an alias and its path',
    V3,
    'ShopPaths',
    `/** A title */ readonly 'v3/shop/cards/': ShopCardsSlash;`,
    ` 'v3/shop/cards/{empty}': ShopCardsByEmpty;`,
  ],
  ['a path outside the chain', V3, 'ShopPaths', ` readonly 'v3/shop/{goodsId}': ShopByGoodsId;`],
  ['a download', V3, 'ShopBill', ' readonly get: DownloadCall<ShopBillGet>;'],
  ['an upload', V3, 'ShopImage', ' readonly post: Call<UploadOptions, ShopImagePostResult>;'],
  [
    'XML out: what the client adds is optional, an index is a pattern',
    V2,
    'V2RiskAddCardPostXml',
    ' nonce_str?: string | undefined; sign?: string | undefined; /** (分) */ fee: number;',
    ' [name: `coupon_id_${number}`]: string | undefined;',
    ` state: 'A' | 'B' | (string & {});`,
  ],
  [
    'XML in: every value is text',
    V2,
    'V2RiskAddCardPostResult',
    ' fee: `${number}`; open: string;',
    ` level?: '1' | '2' | (string & {});`,
    ' [name: `coupon_fee_${number}`]: `${number}` | undefined;',
    ' detail?: JsonText<{ goods: string; count: number; }>;',
  ],
  ['v2 answering in JSON', V2, 'V2RiskTokenGetResult', ' ttl: number;'],
  ['an alias with a fixed value', V2, 'V2RiskByCardPost', `extends V2RiskAddCardPost { card: 'addCard'; }`],
  ['what the client sets is no option', V2, 'V2RiskPageGet', '{ query: V2RiskPageGetQuery; }'],
  [
    'a JSON notification',
    'notifications/goods',
    'GoodsSoldResource',
    '* https://example.com/sold',
    ` state: 'SOLD' | (string & {});`,
    ' amount: Amount;',
  ],
  [
    'alternative resources',
    'notifications/goods',
    'GoodsMovedResource',
    ' = GoodsMovedAwayResource | GoodsMovedBackResource;',
  ],
  [
    'members of the other alternatives, at every depth, are never there',
    'notifications/goods',
    'GoodsMovedAwayResource',
    '{ from: string; by: string; place: { road: string; city?: string; country?: undefined; }; to?: undefined; }',
  ],
  [
    'and of the other one',
    'notifications/goods',
    'GoodsMovedBackResource',
    '{ to: string; by?: string; place?: { road?: string; country: string; city?: undefined; }; from?: undefined; }',
  ],
  [
    'a notification of several products',
    'notifications/goods',
    'GoodsSharedResource',
    '{ one_id?: string; other_id?: number; part?: { id?: string; by?: string; }; }',
  ],
  [
    'an XML notification',
    'notifications/v2',
    'V2RefundDoneNotification',
    ' req_info?: string; resource: { /** (分) */ fee: `${number}`; memo?: string; };',
  ],
  [
    'notifications by event type',
    'notifications/index',
    'JsonNotifications',
    ` 'GOODS.SOLD': Notified<'GOODS.SOLD', GoodsSoldResource>;`,
  ],
  [
    'a product of a family',
    'v3/marketing/gifts',
    'MarketingGiftsPaths',
    ` 'v3/marketing/gifts/gifts': MarketingGiftsGifts;`,
  ],
  [
    'a family',
    'v3/marketing',
    'Marketing',
    ' readonly gifts: MarketingGifts; /** A title */ readonly stamps: MarketingStamps;',
  ],
  [
    'bodies that several operations share have a name each',
    'v3/marketing/gifts',
    'MarketingGiftsGiftsPostResult',
    ' extends MarketingGiftsGiftsResult {}',
  ],
  [
    'a path of brands',
    'brand/shop',
    'BrandsShopGoods',
    ' readonly post: Call<BrandsShopGoodsPost, BrandsShopGoodsPostResult>;',
  ],
  ['the paths of brands', 'paths', 'PathsOfBrands', ' extends BrandsShopPaths {}'],
  ['notifications by name', 'notifications/index', 'XmlNotifications', ` 'v2/refund-done': V2RefundDoneNotification;`],
])('%s', (_what, file, name, ...parts) => {
  const text = declaration(file, name);
  for (const part of parts) expect(text).toContain(part);
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: types of TypeScript, as text

test('what is no option, what no chain reaches, what has one name', () => {
  const [v2, v3] = [read(V2), read(V3)];
  expect(v2).not.toMatch(/ (security|nonceless|base_uri|fragment)\??:/);
  expect(v2).not.toContain('addCard:');
  expect(declaration(V3, 'Shop')).not.toContain('goodsId');
  const everything = ['shapes/common', V3, V2, 'notifications/goods'].map(read).join('\n');
  expect(everything.match(/ total: number;/g)).toHaveLength(3); // both amounts, and the member of what the search gives
  expect(everything.match(/ street\?: /g)).toHaveLength(1);
  expect(v3.match(/interface ShopCardHoldersPreEntryDelete\w*/g)).toEqual([
    'interface ShopCardHoldersPreEntryDeletePostJson',
    'interface ShopCardHoldersPreEntryDeletePost',
    'interface ShopCardHoldersPreEntryDeletePath',
  ]);
});

test('the table of traits', () => {
  const { TRAITS, ALIASES } = evaluate(
    read('traits'),
  ) as unknown as typeof import('../../lib/openapi/generated/traits');
  const outcome = {
    verb: 'get',
    path: 'v3/marketing/gifts/gifts/{out_request_no}',
    take: { out_request_no: 'json.out_request_no' },
    also: { 'query.sub_mchid': 'json.sub_mchid' },
  };
  const hk = 'https://apihk.mch.weixin.qq.com/';
  expect(Object.fromEntries(Object.entries(TRAITS).map(([area, operations]) => [area, operations()]))).toEqual({
    'v2/risk': {
      'post v2/risk/addCard': { security: true, nonceless: true, unsigned: true },
      'get v2/risk/page': { base: 'https://payapp.weixin.qq.com/', redirect: '#there' },
      'get v2/risk/token': { unsigned: true, json: true },
    },
    'v3/marketing': { 'post v3/marketing/gifts/gifts': { outcome } },
    'v3/shop': {
      'get v3/shop/bill': { download: true, unsigned: true },
      'post v3/shop/goods': {
        base: hk,
        encrypt: [{ key: 'platform', path: 'json.holder' }],
        decrypt: [{ key: 'merchant', path: 'holder' }],
      },
      'post v3/shop/image': { upload: true },
      // Without traits, but not to be taken for the template below.
      'get v3/shop/search': {},
      'get v3/shop/status': {},
      'get v3/shop/{goodsId}': { base: hk },
    },
  });
  expect(ALIASES).toEqual({ 'v2/risk/{card}': 'v2/risk/addCard', 'v3/shop/cards/{empty}': 'v3/shop/cards/' });
});

function evaluate(source: string): Record<string, unknown> {
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const module = { exports: {} as Record<string, unknown> };
  new Function('module', 'exports', outputText)(module, module.exports);
  return module.exports;
}

test('a second run writes nothing; a file that is no longer made goes, one that is not generated stays', () => {
  const files = () => readdirSync(out, { recursive: true, encoding: 'utf8' }).sort();
  const before = files().map((file) => [file, statSync(join(out, file)).mtimeMs]);
  expect(said).toContain(': 15 written, 0 removed');
  expect(generate(catalogue, out)).toContain(': 0 written, 0 removed');
  expect(files().map((file) => [file, statSync(join(out, file)).mtimeMs])).toEqual(before);

  writeFileSync(join(out, 'v3/stale.ts'), '// Generated by scripts/generate.ts; do not edit.\n');
  writeFileSync(join(out, 'v3/mine.ts'), '// By hand.\n');
  expect(generate(catalogue, out)).toContain(': 0 written, 1 removed');
  expect(files()).toEqual([...before.map(([file]) => file), 'v3/mine.ts'].sort());
  rmSync(join(out, 'v3/mine.ts'));
});

test('what is wrong with a catalogue is said, and nothing is written', () => {
  const [broken, nowhere] = [join(folder, 'broken'), join(folder, 'nowhere')];
  writeCatalogue(broken, [{ path: 'v3/a' } as never], []);
  writeFileSync(join(broken, 'operations.jsonl'), '{"path":"v3/a","request":[]}\nnot json\n');
  const { status, stderr } = spawnSync(process.execPath, [...command, broken, nowhere], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain('operations.jsonl:2 is not JSON');
  expect(() => statSync(nowhere)).toThrow();
  const usage = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  expect(usage).toMatchObject({ status: 2, stderr: expect.stringContaining('Usage: npm run generate') });
});

const USE = `
import type { Chain } from './chain';
import type { RequestOf, ResponseOf } from './operation';
import type { NotificationOf } from './notification';
declare const instance: Chain;
export async function main() {
  const json: RequestOf<'v3/shop/goods', 'post'>['json'] = {
    kind: 'BIG', tags: [], states: ['ON'], holder: '', rate: 1, amount: { total: 1 },
  };
  const { level } = await instance.v3.shop.goods.post({ json }).json();
  level.toFixed();
  const none: undefined = await instance.v3.shop.goods._goods_id_.delete({ goods_id: 1, headers: { 'X-Trace': '' } }).json();
  await instance.v3.shop.cardHolders.preEntry.delete();
  await instance.v3.shop.cardHolders.preEntry.delete.post({ json: { card: '', pin: '' } });
  (await instance.v3.shop.bill.get({ query: { date: '' } })).body.getReader();
  (await instance.v3.shop.image.post({ body: 'x' }).json()).media_id.at(0);
  await instance.v3.shop.cards._empty_.post({ json: { card: '', pin: '' } });
  await instance.chain('v3/shop/{goodsId}').get({ goodsId: 'x' });
  await instance['v2/risk/addCard'].post({ xml: { mch_id: '', fee: 1, state: 'A', coupon_id_0: '' } }).xml();
  const sold = {} as NotificationOf<'GOODS.SOLD'>;
  const fee: \`\${number}\` = ({} as ResponseOf<'v2/risk/addCard', 'post'>).fee;
  const response = {} as ResponseOf<'v3/shop/goods', 'post'>;
  response.kind = 'another';
  json.level = 3;
  const moved = {} as NotificationOf<'GOODS.MOVED'>;
  const { from, to, place } = moved.resource;
  if (from !== undefined && moved.resource.from !== undefined) moved.resource.place.road.at(0);
  [from?.at(0), to?.at(0), place?.city?.at(0), place?.country?.at(0)];
  return [none, fee, sold.resource.amount.total.toFixed()];
}
export async function wrong(json: RequestOf<'v3/shop/goods', 'post'>['json']) {
  json.kind = 'another';
  json.level = '3';
  await instance.v3.shop.goods.get();
  await instance.chain('v3/shop/{goodsId}').get({});
  await instance['v2/risk/addCard'].post({ xml: { mch_id: '', state: 'A' } });
}
`;

test('the files and those written by hand are one set of types', () => {
  const byHand = readdirSync(openapi).filter((file) => file.endsWith('.ts'));
  for (const file of byHand) copyFileSync(join(openapi, file), join(written, file));
  writeFileSync(join(written, 'use.ts'), USE);
  const files = readdirSync(written, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const program = ts.createProgram(
    files.map((file) => join(written, file)),
    {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUnusedLocals: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.Node20,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: true,
    },
  );
  const found = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line : 0;
    return `${file?.fileName.slice(written.length + 1)}: ${file?.text.split('\n')[line]?.trim()}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  const wrong = USE.slice(USE.indexOf('function wrong')).split('\n').slice(1, -2);
  expect(wrong).toHaveLength(5);
  expect(found).toEqual(wrong.map((line) => expect.stringContaining(`use.ts: ${line.trim()}`)));
});
