import { readFileSync } from 'node:fs';
import * as client from 'wechatpay-undici';
import * as sandbox from 'wechatpay-undici/sandbox';

const dom = readFileSync(require.resolve('typescript/lib/lib.dom.d.ts'), 'utf8');
const GLOBALS = new Set([
  ...[...dom.matchAll(/^declare (?:var|function|const|let) (\w+)/gm)].map(([, name]) => name),
  ...Object.getOwnPropertyNames(globalThis),
]);

test('the globals of the DOM and of Node are known', () => {
  for (const name of ['Notification', 'Response', 'Buffer', 'process']) expect(GLOBALS).toContain(name);
});

test.each([
  ['the client', client],
  ['the sandbox', sandbox],
])('no value that %s exports shadows a global', (_, exported) => {
  const names = Object.keys(exported);
  expect(names).not.toHaveLength(0);
  expect(names.filter((name) => GLOBALS.has(name))).toEqual([]);
});
