import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { FACTS } from '../../lib/sandbox/catalogue/facts';
import { readCatalogue } from '../../scripts/generate/catalogue';
import { factsText, writeFacts } from '../../scripts/generate/facts';
import { writeCatalogue } from './catalogue';

const folder = mkdtempSync(join(tmpdir(), 'wechatpay-facts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function facts() {
  writeCatalogue(folder);
  const text = factsText(readCatalogue(folder));
  const [index, ...lines] = text.split('\n').map((line) => JSON.parse(line));
  return { text, index, lines };
}

test('each operation and each notification has a line, in the order of the index', () => {
  const { index, lines } = facts();
  const names = lines.slice(0, index.operations.length).map(({ protocol, verb, path }) => [protocol, verb, path]);
  expect(index.operations.map((row: string[]) => row.slice(0, 3))).toEqual(names);
  expect(
    lines.slice(index.operations.length).map(({ protocol, name }) => (protocol === 'v2' ? `v2/${name}` : name)),
  ).toEqual(index.notifications);
  expect(index.v2Fields).toContain('mch_id');
});

test('a fact has what the sandbox needs of an operation, and not what is for the client', () => {
  const { lines } = facts();
  const goods = lines.find(({ path, verb }) => path === 'v3/shop/goods' && verb === 'post');
  const [json] = goods.request.filter(({ name }: { name: string }) => name === 'json');
  expect(json.fields).toContainEqual({
    name: 'kind',
    type: 'string',
    required: true,
    enum: ['SMALL', 'BIG'],
    label: '种类',
    closed: true,
  });
  // What may be missing says nothing about it.
  expect(json.fields).toContainEqual(expect.not.objectContaining({ required: false }));
  expect(lines.flatMap(({ request = [] }) => request.map(({ name }: { name: string }) => name))).not.toContain(
    'security',
  );
});

test('the module is written once, and again only if it would hold something else', () => {
  const { text } = facts();
  const file = join(folder, 'facts.ts');
  expect(writeFacts(file, text)).toBe(true);
  const { mtimeMs } = statSync(file);
  expect(writeFacts(file, text)).toBe(false);
  expect(statSync(file).mtimeMs).toBe(mtimeMs);
  const [, held = ''] = /'(.*)'/.exec(readFileSync(file, 'utf8')) ?? [];
  expect(brotliDecompressSync(Buffer.from(held, 'base64')).toString()).toBe(text);
  expect(writeFacts(file, `${text}\n{}`)).toBe(true);
});

test('the module of the package is small', () => {
  expect(readFileSync(resolve(__dirname, '../../lib/sandbox/catalogue/facts.ts'), 'utf8')).toContain(FACTS);
  expect(FACTS.length).toBeLessThan(250_000);
  // Of type string: the declaration would hold them all over again.
  expect(readFileSync(resolve(__dirname, '../../lib/sandbox/catalogue/facts.ts'), 'utf8')).toContain('FACTS: string =');
});
