import { inspect } from 'node:util';
import fc from 'fast-check';
import { WechatPayError } from 'wechatpay-undici';

/** How many cases each property is given; by default as many as the property says. */
const RUNS = Number(process.env.FUZZ_RUNS) || undefined;

/** The longest that one case may take before it counts as hanging, in milliseconds. */
const PATIENCE = 15_000;

/** Checks a property on many cases. fast-check prints the seed and the smallest case where it fails. */
export async function check<Values extends [unknown, ...unknown[]]>(
  runs: number,
  arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  property: (...values: Values) => unknown,
): Promise<void> {
  const before = prototypes();
  const one = async (...values: Values) => {
    await property(...values);
    expect(prototypes()).toEqual(before);
  };
  // The arbitraries are those of the values, one for each; a mapped tuple loses that when it is spread.
  const cases = fc.asyncProperty(...(arbitraries as unknown as [fc.Arbitrary<unknown>]), one as never);
  await fc.assert(cases, { numRuns: RUNS ?? runs, timeout: PATIENCE });
}

/** How long a test of many cases may take in all. */
export const LONG = 60_000 + (RUNS ?? 0) * 60;

const SHARED = [Object, Array, Function, String, Number, Promise, Map, Error, Uint8Array, RegExp];

/** What everything inherits: pollution would show here. */
function prototypes(): unknown[] {
  return SHARED.map(({ prototype }) => Reflect.ownKeys(prototype).length);
}

/** What a call came to. */
export type Outcome = { value: unknown } | { error: unknown };

/** Calls, and waits. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

/** An outcome is a value, or an error of ours; gives the error. */
export function expectOurs(outcome: Outcome): WechatPayError | undefined {
  if (!('error' in outcome)) return undefined;
  const { error } = outcome;
  if (error instanceof WechatPayError) return error;
  throw new Error(`Not an error of ours: ${inspect(error)}`, { cause: error });
}

/** Everything that a program may print of an error. */
export function printed(error: unknown): string {
  const { stack, cause } = Object(error) as Error;
  const options = { depth: Infinity, showHidden: true, maxStringLength: Infinity };
  return [inspect(error, options), inspect(cause, options), JSON.stringify(error), stack].join('\n');
}

/** What means something to HTTP, to URLs, to XML, JSON, CSV or templates. */
const TELLING = [
  ...['&', '=', '+', '%', '%2F', '%00', '#', '?', '/', '\\', ';', ',', ':', '@', '"', "'", '`', '|', '~', '*', '!'],
  ...['<', '>', ']]>', '<![CDATA[', '&amp;', '&#10;', '{', '}', '[', ']', '(', ')', '..', '.', '--', '-', '_', '$'],
  ...[
    '\r',
    '\n',
    '\t',
    ' ',
    '\0',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\uffff',
    '中',
    '😀',
    'é',
    '\\u0061',
    'a',
    'B',
    '0',
  ],
];
const telling = fc.array(fc.constantFrom(...TELLING), { maxLength: 6 }).map((pieces) => pieces.join(''));

/** Text of any characters, half surrogate pairs and controls among them. */
export const anyText = fc.oneof(
  telling,
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('\u0000', '\r\n', '\ufeff', '\ud800', '\udc00x', 'İ', '％２Ｅ', '..', '.', '%2e%2E', '%', '%zz'),
);

/** Text that can be sent as it is: of whole characters. */
export const wholeText = fc.oneof(fc.string({ unit: 'binary' }), telling);

/** Names that mean something to JavaScript, to the chain, or to us. */
export const nastyNames = fc.constantFrom(
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON', 'hasOwnProperty', 'then', 'catch'],
  ...['length', 'name', 'caller', 'arguments', 'bind', 'call', 'apply', 'inspect', 'asymmetricMatch', 'nodeType'],
  ...['get', 'post', 'put', 'patch', 'delete', 'getAsync', 'postasync', 'GET', 'chain', '_delete_', 'outTradeNo'],
  ...['json', 'xml', 'query', 'headers', 'body', 'baseUrl', 'timeout', 'signal', 'variables', 'digest', 'empty'],
  ...[
    'maxBuffer',
    'data',
    'params',
    'base_uri',
    'multipart',
    '{a}',
    '{+a*}',
    '{?a,b}',
    '{',
    '}',
    '{}',
    '',
    '..',
    '/',
    '//x',
  ],
  ...['v2', 'v3', 'v2/x', 'https://evil.example/x', '?a=b', '#f', '@', '\\', ' ', '%2e%2e', '_', '__', '___'],
);

/** A name of any kind. */
export const anyName = fc.oneof(nastyNames, anyText, fc.string());

/** Any value: objects in any form, prototype-less ones, symbols, functions, dates, numbers that are none. */
export const anyValue = fc.oneof(
  fc.anything({
    key: anyName,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withTypedArray: true,
    withSparseArray: true,
  }),
  fc.constantFrom<unknown>(
    ...[Symbol('x'), Symbol.iterator, () => 'x', class {}, new Proxy({}, {}), new Error('x'), /x/g, new URL('a:b')],
    ...[Number.NaN, -0, Infinity, 2 ** 53, 10n ** 30n, new Date(Number.NaN), new Blob(['x']), new Headers(), new Map()],
    ...[new ArrayBuffer(3), new DataView(new ArrayBuffer(3)), new URLSearchParams('a=b'), Promise.resolve(1)],
    ...[
      AbortSignal.abort(),
      Object.fromEntries([['then', 1]]),
      { toString: 1 },
      { toJSON: () => undefined },
      { [Symbol.iterator]: 1 },
    ],
  ),
  fc.constant('cycle').map(() => {
    const cycle: Record<string, unknown> = {};
    cycle.cycle = [cycle];
    return cycle;
  }),
);

/** JSON of any shape, with members named like parts of a prototype. */
export const anyJson = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }),
  fc.dictionary(anyName, fc.jsonValue({ stringUnit: 'binary' }), { noNullPrototype: true }),
);

/** Bytes. */
export const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** Whether a text has no half surrogate pair. */
export const isWhole = (text: string) => !/\p{Surrogate}/u.test(text);
