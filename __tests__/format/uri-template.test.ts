import { expandTemplate } from '../../lib/format/uri-template';

const expand = (template: string, values: Record<string, unknown>): string =>
  expandTemplate(template, (name) => (Object.hasOwn(values, name) ? values[name] : undefined));

test.each<[string, Record<string, unknown>, string]>([
  ['v3/x', {}, 'v3/x'],
  ['v3/x/{id}', { id: 0 }, 'v3/x/0'],
  ['v3/x/{id}', { id: 9007199254740993n }, 'v3/x/9007199254740993'],
  ['v3/x/{id}', { id: true }, 'v3/x/true'],
  ['v3/x/{id}', { id: 'a/b?c=d#e f%2Fg' }, 'v3/x/a%2Fb%3Fc%3Dd%23e%20f%252Fg'],
  ['v3/x/{id}', { id: '中文😀é' }, 'v3/x/%E4%B8%AD%E6%96%87%F0%9F%98%80%C3%A9'],
  ['v3/x/{id}', { id: "!$&'()*+,;=:@[]" }, 'v3/x/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40%5B%5D'],
  ['v3/x/{id}', { id: 'AZaz09-._~' }, 'v3/x/AZaz09-._~'],
  ['v3/x/{id}', { id: '{b}', b: 'B' }, 'v3/x/%7Bb%7D'],
  ['v3/x/{id}', { id: ['a', 'b c', 'd/e'] }, 'v3/x/a,b%20c,d%2Fe'],
  ['v3/x{/id*}', { id: ['a', 'b/c'] }, 'v3/x/a/b%2Fc'],
  ['v3/x/{id*}', { id: { k: 'v', 'a b': 'c d' } }, 'v3/x/k=v,a%20b=c%20d'],
  ['v3/x/{+id}', { id: "OutTradeNo/AbC(1)'*" }, "v3/x/OutTradeNo/AbC(1)'*"],
  [
    '{+url}',
    { url: new URL('https://api.mch.weixin.qq.com/v3/f?token=A%2Bd') },
    'https://api.mch.weixin.qq.com/v3/f?token=A%2Bd',
  ],
  ['v3/x{.id}', { id: 'json' }, 'v3/x.json'],
  ['v3/x{;a,b,c}', { a: '1', b: '', c: '3' }, 'v3/x;a=1;b;c=3'],
  ['v3/x{?q,lang}', { q: 'a b&c', lang: 'zh' }, 'v3/x?q=a%20b%26c&lang=zh'],
  ['v3/x{?q,lang}', { lang: 'zh' }, 'v3/x?lang=zh'],
  ['v3/x{?q,lang}', {}, 'v3/x'],
  ['v3/x{?q*}', { q: ['a', 'b'] }, 'v3/x?q=a&q=b'],
  ['v3/x?a=1{&q}', { q: 'z' }, 'v3/x?a=1&q=z'],
  ['v3/x/{id:3}', { id: 'abcdef' }, 'v3/x/abc'],
  ['v3/x/{ a , b }', { a: 1, b: 2 }, 'v3/x/1,2'],
  ['v3/x/{out-trade-no}', { 'out-trade-no': 'K-1' }, 'v3/x/K-1'],
  ['v3/x{?out-trade-no}', { 'out-trade-no': 'K' }, 'v3/x?out-trade-no=K'],
  ['v3/{a}/{a}', { a: 'Z' }, 'v3/Z/Z'],
  ['v3/applyment/{empty}', {}, 'v3/applyment/'],
  ['v3/applyment/{empty}', { empty: '' }, 'v3/applyment/'],
  ['v3/x{?q,lang}', { q: '', lang: 'zh' }, 'v3/x?q=&lang=zh'],
  ['v3/x?a=1{&q*}', { q: ['', 'b'] }, 'v3/x?a=1&q=&q=b'],
  ['v3/x/{id*}', { id: { k: '' } }, 'v3/x/k='],
  ['v3/x/{}/{id', { id: 1 }, 'v3/x/{}/{id'],
])('%s %j', (template, values, expected) => {
  expect(expand(template, values)).toBe(expected);
});

test.each<[string, Record<string, unknown>, string]>([
  ['v3/x/{id}', {}, 'The URI variable "id" of "v3/x/{id}" is missing'],
  ['v3/x/{id}/y', { id: null }, '"id" of "v3/x/{id}/y" is missing'],
  ['v3/x/{id}/y', { id: false }, '"id" of "v3/x/{id}/y" is missing'],
  ['v3/x/{id}/y', { id: [] }, '"id" of "v3/x/{id}/y" is missing'],
  ['v3/x/{a}{b}', { b: 'B' }, 'The URI variable "a"'],
  ['v3/x/{id}/close', { id: '' }, 'The URI variable "id" of "v3/x/{id}/close" is empty'],
  ['v3/x/{id}', { id: '' }, '"id" of "v3/x/{id}" is empty'],
  ['v3/x/{a}{b}', { a: '', b: 'B' }, 'The URI variable "a" of "v3/x/{a}{b}" is empty'],
  ['v3/x/{a,b}', { a: 'A', b: '' }, 'The URI variable "b" of "v3/x/{a,b}" is empty'],
  ['v3/x/{id:3}', { id: '' }, '"id" of "v3/x/{id:3}" is empty'],
  ['v3/x/{+id}/y', { id: '' }, '"id" of "v3/x/{+id}/y" is empty'],
  ['v3/x{/id}', { id: '' }, '"id" of "v3/x{/id}" is empty'],
  ['v3/x{.id}', { id: '' }, '"id" of "v3/x{.id}" is empty'],
  ['v3/x/{id}', { id: [''] }, '"id" of "v3/x/{id}" is empty'],
  ['v3/x{/id*}', { id: ['a', ''] }, '"id" of "v3/x{/id*}" is empty'],
  ['v3/x{/a,b}', { b: '2' }, 'The URI variable "a"'],
  ['v3/{constructor}', {}, 'The URI variable "constructor"'],
  ['v3/{__proto__}', {}, 'The URI variable "__proto__"'],
  ['v3/x/{id}', { id: [['a']] }, 'The URI variable "id" must be a string, a number'],
  ['v3/x/{id}', { id: ['a', null] }, 'The URI variable "id" must be a string, a number'],
  ['v3/x/{id}', { id: { a: { b: 1 } } }, 'The URI variable "id" must be a string, a number'],
  ['v3/x/{id}', { id: Number.NaN }, 'The URI variable "id" must be a string, a number'],
  ['v3/x/{id}', { id: new Date(0) }, 'The URI variable "id" must be a string, a number'],
  ['v3/x/{id}', { id: Symbol('x') }, 'The URI variable "id" must be a string, a number'],
  ['v3/x/{id}', { id: '\ud800' }, '"{id}" cannot be expanded'],
  ['v3/x/{id:0}', { id: 'abc' }, '"{id:0}" cannot be expanded'],
  ['v3/x/{=id}', { id: 'z', '=id': 'eq' }, '"{=id}" cannot be expanded'],
])('%s %p is refused', (template, values, message) => {
  expect(() => expand(template, values)).toThrow(message);
});
