import {
  AesGcm,
  checkDigest,
  Formatter,
  Hash,
  InvalidArgumentError,
  Media,
  parseBill,
  Rsa,
  WechatPayError,
} from 'wechatpay-undici';
import { writeBody } from '../../lib/client/request';
import { readDigest } from '../../lib/download/digest';
import { writeHeaders } from '../../lib/format/headers';
import { writeQuery } from '../../lib/format/url';
import { readRequest } from '../../lib/notification/request';
import { rsaKeyPair } from '../support/keys';

/** What the properties of this folder have found, each as plain as it can be put. */
const FINDINGS: Readonly<Record<string, (...given: never[]) => unknown>> = {
  headers: (input) => writeHeaders(input),
  query: (input) => writeQuery(input),
  json: (input) => writeBody(input, undefined),
  digest: (input) => readDigest(input),
  'a body of checkDigest': (input) => checkDigest(input, { hash_type: 'SHA1', hash_value: '0'.repeat(40) }),
  'a notification': (input) => readRequest(input, 100),
  'a bill': async (input) => {
    for await (const _ of parseBill(input));
  },
  'options of Media': (input) => Media.from(Buffer.from('x'), input),
  'Rsa.fromPkcs1': (input) => Rsa.fromPkcs1(input),
  'Rsa.fromPkcs8': (input) => Rsa.fromPkcs8(input),
  'Rsa.fromSpki': (input) => Rsa.fromSpki(input),
  'Rsa.pkcs1ToSpki': (input) => Rsa.pkcs1ToSpki(input),
  'a padding': (input) => Rsa.encrypt('x', rsaKeyPair().publicKey, input),
  'a sign type': (input) => Hash.sign(input, { a: 1 }, 'x'),
  'the size of a nonce': (input) => Formatter.nonce(input),
  'fields to sort': (input) => Formatter.ksort(input),
  'fields to join': (input) => Formatter.queryStringLike(input),
  'an AES key': (input) => AesGcm.encrypt('x', input, 'x'),
};

const cycle: Record<string, unknown> = {};
cycle.cycle = [cycle];
const bare = Object.assign(Object.create(null), { a: 1 });
const throwing = {
  toJSON() {
    throw null;
  },
};

test.each<[string, unknown]>([
  ['headers', [['__proto__', 'x']]],
  ['headers', new Set(['x'])],
  ['query', cycle],
  ['query', { a: new Map([[1, 2]]) }],
  ['query', { a: new Date() }],
  ['json', throwing],
  ['digest', null],
  ['digest', { hash_type: bare }],
  ['digest', { hash_type: 'SHA1', hash_value: '0'.repeat(40), tar_type: Symbol('x') }],
  ['a body of checkDigest', { pipe: 1 }],
  ['a notification', { headers: [[1, 2]], body: '' }],
  ['a notification', { headers: new Set(['x']), body: '' }],
  ['a notification', { headers: { a: bare }, body: '' }],
  ['a notification', { headers: {}, readableDidRead: false, iterator: 1 }],
  ['a bill', Symbol('x')],
  ['a bill', { [Symbol.iterator]: 1 }],
  ['a bill', [1]],
  ['options of Media', null],
  ['options of Media', { filename: 1 }],
  ['options of Media', { filename: 'a.png', algorithm: bare }],
  ['options of Media', { filename: 'a.png', fields: 1 }],
  ['Rsa.fromPkcs1', Symbol('x')],
  ['Rsa.fromPkcs8', bare],
  ['Rsa.fromSpki', undefined],
  ['Rsa.pkcs1ToSpki', bare],
  ['a padding', bare],
  ['a sign type', bare],
  ['the size of a nonce', Symbol('x')],
  ['fields to sort', null],
  ['fields to join', Symbol('x')],
  ['fields to join', [1]],
  ['an AES key', bare],
])('%s, finding %#: refused by an error of ours', async (what, input) => {
  const call = async () => FINDINGS[what]?.(input as never);
  await expect(call()).rejects.toBeInstanceOf(WechatPayError);
});

test('an object that only looks like a list is an object', () => {
  expect(writeHeaders({ a: 'x', [Symbol.iterator]: 1 })).toEqual({ a: 'x' });
  expect(Formatter.queryStringLike({ a: 'x', [Symbol.iterator]: 1 } as never)).toBe('a=x');
});

test('a query within a query goes 32 levels deep', () => {
  const nested = (depth: number): object => (depth === 0 ? { x: 1 } : { a: nested(depth - 1) });
  expect(writeQuery(nested(31))).toMatch(/^a(?:%5Ba%5D){30}%5Bx%5D=1$/);
  expect(() => writeQuery(nested(32))).toThrow(InvalidArgumentError);
});
