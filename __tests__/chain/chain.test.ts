import { format, inspect } from 'node:util';
import { chain } from '../../lib/chain/chain';
import { InvalidArgumentError } from '../../lib/errors';

type Node = { chain(path: unknown): Node } & { [key: string | symbol]: Node } & ((options?: unknown) => unknown);

const sent: unknown[] = [];
const root = chain((verb, path, options) => {
  sent.push([verb, path, options]);
  return `${verb} ${path}`;
}) as Node;
const at = (...keys: string[]): Node => keys.reduce((node, key) => node[key] as Node, root);

beforeEach(() => {
  sent.length = 0;
});

describe('paths', () => {
  test.each<[string, string[], string]>([
    ['a property chain', ['v3', 'marketing', 'busifavor'], 'v3/marketing/busifavor'],
    ['camel case', ['v3', 'merchantService', 'outTradeNo'], 'v3/merchant-service/out-trade-no'],
    ['a first capital', ['V3', 'PayGiftActivity'], 'v3/pay-gift-activity'],
    ['a run of capitals', ['v3', 'getURL'], 'v3/get-u-r-l'],
    ['digits', ['v3', 'complaintsV2', 'x1y2', '2024'], 'v3/complaints-v2/x1y2/2024'],
    ['a variable', ['v3', '_out_trade_no_'], 'v3/{out_trade_no}'],
    ['a camel-case variable', ['v3', '_outTradeNo_'], 'v3/{out-trade-no}'],
    ['underscores that make no variable', ['v3', '_', '_a', 'a_'], 'v3/_/_a/a_'],
    ['snake case', ['v3', 'merchant', 'media', 'video_upload'], 'v3/merchant/media/video_upload'],
    ['a literal path', ['v3/pay/transactions/id/4200AbC'], 'v3/pay/transactions/id/4200AbC'],
    ['a literal with a hyphen', ['v3', 'x-Y'], 'v3/x-Y'],
    ['a literal with a dot', ['v3', 'A.b'], 'v3/A.b'],
    ['a literal beginning with a digit', ['v3', '1A'], 'v3/1A'],
    ['a literal template', ['v3/{outTradeNo}'], 'v3/{outTradeNo}'],
    ['going on after a literal', ['v3/pay', 'transactions', 'outTradeNo'], 'v3/pay/transactions/out-trade-no'],
    ['unicode', ['v3', '中文', 'a😀'], 'v3/中文/a😀'],
    ['names of functions', ['v3', 'name', 'length', 'bind', 'apply', 'call'], 'v3/name/length/bind/apply/call'],
    [
      'names of objects',
      ['v3', 'constructor', 'prototype', 'hasOwnProperty'],
      'v3/constructor/prototype/has-own-property',
    ],
    ['names of conversions', ['v3', 'toString', 'valueOf', 'toJSON'], 'v3/to-string/value-of/to-j-s-o-n'],
    ['__proto__', ['v3', '__proto__'], 'v3/{_proto_}'],
    ['names of promises', ['v3', 'catch', 'finally'], 'v3/catch/finally'],
    ['verbs as segments', ['v3', 'delete', 'get', 'postAsync'], 'v3/delete/get/post-async'],
    ['chain as a segment', ['v3', 'chain', 'z'], 'v3/chain/z'],
  ])('%s', (_name, keys, path) => {
    expect(at(...keys).get?.()).toBe(`get ${path}`);
    expect(keys.reduce((node, key) => node.chain(key), root).get?.()).toBe(`get ${path}`);
  });

  test('chain() takes numbers, and goes on', () => {
    expect(root.chain('v3').chain(7).outTradeNo?.get?.()).toBe('get v3/7/out-trade-no');
    expect(root.chain(1900000109n).get?.()).toBe('get 1900000109');
  });

  test.each([[undefined], [null], [true], [{}], [Symbol('x')]])('chain(%p) is refused', (key) => {
    expect(() => root.chain(key)).toThrow('chain() takes a path as a string');
  });

  test('the root is a path too', () => {
    expect(root.get?.()).toBe('get ');
  });

  test.each<[string, () => unknown, string]>([
    ['in brackets', () => at('v3', 'pay')[''], 'An empty key follows "v3/pay"'],
    ['in chain()', () => at('v3', 'pay').chain(''), 'An empty key follows "v3/pay"'],
    ['in brackets at the root', () => root[''], 'The path begins with an empty key'],
    ['in chain() at the root', () => root.chain(''), 'The path begins with an empty key'],
  ])('an empty key %s is refused', (_name, act, message) => {
    expect(act).toThrow(InvalidArgumentError);
    expect(act).toThrow(message);
    expect('' in at('v3', 'pay')).toBe(false);
  });
});

describe('verbs', () => {
  test.each(['get', 'post', 'put', 'patch', 'delete'])('%s and its Async twin', (verb) => {
    const options = { json: {} };
    at('v3', 'x')[verb]?.(options);
    at('v3', 'x')[`${verb}Async`]?.(options);
    expect(sent).toEqual([
      [verb, 'v3/x', options],
      [verb, 'v3/x', options],
    ]);
  });

  test('a verb is a function and a segment at once', () => {
    expect(at('v3', 'receivers', 'delete').post?.()).toBe('post v3/receivers/delete');
    expect(at('v3', 'receivers').delete?.()).toBe('delete v3/receivers');
  });

  test('a verb can be taken from its node', () => {
    const { post } = at('v3', 'x');
    expect(post?.({})).toBe('post v3/x');
  });

  test('anything else is no function', () => {
    expect(() => at('v3', 'x')()).toThrow('"v3/x" is a path, not a function; end it with one of get, post');
    expect(() => at('v3', 'head')()).toThrow('is a path, not a function');
    expect(() => root()).toThrow('start with a path');
  });
});

describe('a node survives', () => {
  const node = at('v3', 'pay');

  test('await and Promise.resolve', async () => {
    expect((await node) === node).toBe(true);
    expect(String(await Promise.resolve(root))).toBe('/');
    expect('then' in node).toBe(false);
    expect(sent).toEqual([]);
  });

  test('printing', () => {
    expect(String(node)).toBe('v3/pay');
    expect(`${node}`).toBe('v3/pay');
    expect(`${node.toString?.()}`).toBe('v3/pay');
    expect(inspect(node)).toBe('v3/pay');
    expect(inspect({ node }, { depth: Infinity, showHidden: true })).toBe('{ node: v3/pay }');
    expect(() => inspect(node, { showProxy: true })).not.toThrow();
    expect(JSON.stringify({ node })).toBe('{"node":"v3/pay"}');
    expect(inspect(root)).toBe('/');
    expect(Object.prototype.toString.call(node)).toBe('[object Function]');
  });

  test('being looked at', () => {
    expect(Object.keys(node)).toEqual([]);
    expect({ ...(node as object) }).toEqual({});
    expect('anything' in node).toBe(true);
    expect(node[Symbol.iterator]).toBeUndefined();
    expect(Reflect.ownKeys(node)).toEqual([]);
    expect(Object.getOwnPropertyDescriptor(node, 'name')).toBeUndefined();
    expect(typeof node).toBe('function');
    expect(node).toBeInstanceOf(Function);
    expect(() => structuredClone(node)).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  });

  test("jest's matchers and their messages", () => {
    expect(node).not.toEqual({});
    expect(() => expect(node).toBe(1)).toThrow(/v3\/pay/);
    expect(() => expect({ node }).toEqual({ node: 1 })).toThrow();
    expect(() => expect(node).toMatchObject({ a: 1 })).toThrow();
  });

  test('strict matchers, and mocks that it is given to', () => {
    const mock = jest.fn((value: unknown) => value);
    mock(node);
    mock({ node });
    expect(mock).toHaveBeenCalledWith(node);
    expect(mock).toHaveBeenLastCalledWith({ node });
    expect(mock).toHaveReturnedWith(node);
    expect({ node }).toStrictEqual({ node });
    expect({ node }).not.toStrictEqual({ node: at('v3', 'pay') });
    expect(() => expect(mock).toHaveBeenCalledWith(1)).toThrow(/v3\/pay/);
  });

  test('being frozen, as it is already', () => {
    expect(Object.isFrozen(node)).toBe(true);
    expect(Object.freeze(node)).toBe(node);
    expect(node.transactions?.get?.()).toBe('get v3/pay/transactions');
  });

  test('being printed with all that is hidden', () => {
    const secret = 'what the client closes over';
    const client = chain(Object.assign(() => {}, { secret }));
    for (const text of [format('%o', client), inspect(client, { customInspect: false, showHidden: true })]) {
      expect(text).not.toContain(secret);
    }
  });

  test.each<[string, (target: object) => unknown]>([
    ['set', (target) => Object.assign(target, { a: 1 })],
    ['delete', (target) => Reflect.deleteProperty(target, 'a')],
    ['define', (target) => Object.defineProperty(target, 'a', { value: 1 })],
    ['set the prototype of', (target) => Object.setPrototypeOf(target, null)],
  ])('nobody can %s it', (_name, act) => {
    expect(() => act(node)).toThrow('"v3/pay" is a path; properties on it cannot be set, defined or deleted.');
  });
});
