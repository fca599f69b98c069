import { InvalidArgumentError } from '../../lib/errors';
import { fieldText, ksort, queryStringLike, sortedEntries } from '../../lib/format/fields';

describe('ksort', () => {
  test.each<[string, string[], string[]]>([
    ['capitals before small letters', ['b', 'A', 'a', 'B', 'Z'], ['A', 'B', 'Z', 'a', 'b']],
    ['digits and underscores as bytes', ['a1', 'a_1', 'a10', 'a2', 'a'], ['a', 'a1', 'a10', 'a2', 'a_1']],
    ['what is shorter first', ['attach', 'appid', 'app', ''], ['', 'app', 'appid', 'attach']],
    ['by UTF-8 and not by UTF-16', ['\u{1F600}', '\uFF5E', '中', 'é', 'z'], ['z', 'é', '中', '\uFF5E', '\u{1F600}']],
    ['names that objects have by themselves', ['toString', 'constructor'], ['constructor', 'toString']],
  ])('%s', (_, names, sorted) => {
    const fields = Object.fromEntries(names.map((name, index) => [name, index]));
    expect(Object.keys(ksort(fields))).toEqual(sorted);
    expect(ksort(fields)).toEqual(fields);
  });

  test('leaves its argument as it is', () => {
    const fields = { b: 1, a: 2 };
    expect(Object.keys(ksort(fields))).toEqual(['a', 'b']);
    expect(Object.keys(fields)).toEqual(['b', 'a']);
  });

  test('keeps a field named __proto__ a field', () => {
    const sorted = ksort(JSON.parse('{"b":1,"__proto__":{"polluted":true}}'));
    expect(Object.keys(sorted)).toEqual(['__proto__', 'b']);
    expect('polluted' in sorted).toBe(false);
  });

  test('sortedEntries orders whole numbers as text, which no object can', () => {
    expect(sortedEntries({ 9: 'b', 10: 'a', '1a': 'c' }).map(([name]) => name)).toEqual(['10', '1a', '9']);
  });
});

describe('queryStringLike', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['joins in the order given', { b: '1', a: '2' }, 'b=1&a=2'],
    ['encodes nothing', { a: '<中&=+ %>' }, 'a=<中&=+ %>'],
    ['leaves out sign', { a: '1', sign: 'X', Sign: 'Y' }, 'a=1&Sign=Y'],
    ['leaves out what is empty', { a: '', b: null, c: undefined, d: ' ', e: '0', f: 0 }, 'd= &e=0&f=0'],
    ['gives nothing for nothing', {}, ''],
  ])('%s', (_, fields, text) => {
    expect(queryStringLike(fields)).toBe(text);
    expect(queryStringLike(Object.entries(fields))).toBe(text);
    expect(queryStringLike(new Map(Object.entries(fields)))).toBe(text);
  });

  test('names the field that has no text', () => {
    expect(() => queryStringLike({ a: '1', detail: ['recognisable'] })).toThrow(/^The field "detail" is an array/);
  });

  test('does not mind what sign is', () => {
    expect(queryStringLike({ sign: false, a: 'b' })).toBe('a=b');
  });
});

describe('fieldText', () => {
  test.each<[unknown, string]>([
    ['text', 'text'],
    [1, '1'],
    [-1.5, '-1.5'],
    [0, '0'],
    [9007199254740993n, '9007199254740993'],
    [true, '1'],
    [null, ''],
    [undefined, ''],
    [new URL('https://x/?a=1&b=2'), 'https://x/?a=1&b=2'],
  ])('%p', (value, text) => {
    expect(fieldText('name', value)).toBe(text);
  });

  test.each<[unknown, RegExp]>([
    [false, /"name" is false, .* omit it/],
    [Number.NaN, /"name" is NaN; pass a finite number/],
    [Number.POSITIVE_INFINITY, /is Infinity/],
    [['recognisable'], /"name" is an array, .* JSON\.stringify/],
    [{ recognisable: 'recognisable' }, /"name" is of type object/],
    [Buffer.from('recognisable'), /of type object/],
    [() => 'recognisable', /of type function/],
    [Symbol('recognisable'), /of type symbol/],
  ])('refuses %p', (value, message) => {
    expect(() => fieldText('name', value)).toThrow(InvalidArgumentError);
    expect(() => fieldText('name', value)).toThrow(message);
    expect(() => fieldText('name', value)).not.toThrow(/recognisable/);
  });
});
