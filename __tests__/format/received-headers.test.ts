import { InvalidArgumentError } from '../../lib/errors';
import { readHeaders, toHeaders } from '../../lib/format/headers';

const READ = { 'x-a': 'one', 'x-b': ['two', 'three'] };

test.each<[string, unknown]>([
  ['an object', { 'X-A': 'one', 'x-b': ['two', 'three'] }],
  ['an object with a name in two spellings', { 'X-A': 'one', 'x-b': 'two', 'X-B': 'three' }],
  [
    'pairs',
    [
      ['X-A', 'one'],
      ['x-b', 'two'],
      ['X-B', 'three'],
    ],
  ],
  [
    'pairs with a list',
    [
      ['X-A', 'one'],
      ['x-b', ['two', 'three']],
    ],
  ],
  ['a flat list', ['X-A', 'one', 'x-b', 'two', 'X-B', 'three']],
  ['a Map', new Map(Object.entries({ 'X-A': 'one', 'x-b': 'two', 'X-B': 'three' }))],
  ['what has no value as well', { 'X-A': 'one', 'x-b': ['two', 'three'], 'x-c': undefined, 'x-d': null }],
])('reads %s', (_, input) => {
  expect({ ...readHeaders(input) }).toEqual(READ);
});

test('reads Headers, which join what is there twice', () => {
  const headers = new Headers([
    ['X-A', 'one'],
    ['x-b', 'two'],
    ['X-B', 'three'],
  ]);
  expect({ ...readHeaders(headers) }).toEqual({ 'x-a': 'one', 'x-b': 'two, three' });
});

test.each([[{}], [[]], [new Headers()], [new Map()]])('reads none from %p', (input) => {
  expect(Object.keys(readHeaders(input))).toEqual([]);
});

test('a number is text; a name may be any', () => {
  const headers = readHeaders(JSON.parse('{ "Content-Length": 5, "__proto__": "own", "constructor": "own" }'));
  expect(headers['content-length']).toBe('5');
  expect(headers.constructor).toBe('own');
  expect(Object.keys(headers)).toEqual(['content-length', '__proto__', 'constructor']);
  expect(readHeaders({}).constructor).toBeUndefined();
});

test.each([
  [undefined],
  [null],
  ['X-A: one'],
  [5],
  [['x-a']],
  [[['x-a']]],
  [[[Object.create(null), 'x']]],
  [[Object.create(null), 'x']],
  [{ 'x-a': {} }],
  [{ 'x-a': [1] }],
  [{ 'x-a': [['x']] }],
  [['x-a', {}]],
])('refuses %p', (input) => {
  expect(() => readHeaders(input)).toThrow(InvalidArgumentError);
  expect(() => readHeaders(input)).toThrow(/"headers"/);
});

test('as Headers, a list stays two values, and what is missing is empty', () => {
  const headers = toHeaders({ 'request-id': '1', 'set-cookie': ['a=1', 'b=2'], 'x-none': undefined });
  expect([...headers]).toEqual([
    ['request-id', '1'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['x-none', ''],
  ]);
});
