import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chain } from '../../lib/chain/chain';

type Node = { readonly [key: string]: Node } & { chain(path: string): Node; get(): string };

const root = chain((_verb, path) => path) as Node;

/** The segments of all operations, as the generated types name their paths. */
const segments = [...new Set(knownPaths().flatMap((path) => path.split('/')))];

function knownPaths(): string[] {
  const folder = resolve(__dirname, '../../lib/openapi');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
  // What has a dot is a notification.
  const paths = [...text.matchAll(/^ {2}readonly '((?:v2|v3|brand)\/[^'.]+)'/gm)].map(([, path = '']) => path);
  // Two paths end in a slash, which the chain writes as a variable.
  return paths.map((path) => path.replace(/\/$/, '/{empty}'));
}

/** How a segment is written as a property: `outTradeNo`, `_out_trade_no_`. */
function property(segment: string): string {
  return segment.replace(/^\{(.*)\}$/, '_$1_').replace(/-([a-z])/g, (_hyphen, letter: string) => letter.toUpperCase());
}

test('the catalogue is read', () => {
  expect(knownPaths().length).toBeGreaterThan(1000);
  expect(segments).toEqual(
    expect.arrayContaining(['apply', 'bind', 'close', 'query', 'state', 'id', 'find', 'search', 'add', 'delete']),
  );
});

test.each([
  ['at the root', root, ''],
  ['below v3', root.v3 as Node, 'v3/'],
])('no segment of any operation is hidden %s', (_where, node, prefix) => {
  const lost = segments.filter((segment) => {
    const key = property(segment);
    // Three paths of v2 have a capital, which a chain of properties writes with a hyphen.
    const path = prefix + segment.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
    return !(key in node) || node[key]?.get() !== path || node.chain(key).get() !== path;
  });
  expect(lost).toEqual([]);
});

test.each([
  'then',
  'asymmetricMatch',
  'getter',
  'setter',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
  '__v_raw',
  '__v_isRef',
  '__v_skip',
])('%s is hidden, except in a literal path and from chain()', (key) => {
  for (const node of [root, root.v3 as Node]) {
    expect(node[key]).toBeUndefined();
    expect(key in node).toBe(false);
    expect(node.chain(key).get()).toMatch(/\w$/);
  }
  expect(root[`v3/${key}`]?.get()).toBe(`v3/${key}`);
});

test.each([
  ['getters', 'v3/getters'],
  ['Then', 'v3/then'],
  ['onModule', 'v3/on-module'],
  ['__v_', 'v3/{_v}'],
  ['__v_raw-1', 'v3/__v_raw-1'],
  ['_v_raw', 'v3/_v_raw'],
  ['__proto__', 'v3/{_proto_}'],
])('%s is not hidden', (key, path) => {
  expect(root.v3?.[key]?.get()).toBe(path);
});
