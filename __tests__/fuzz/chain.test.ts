import { inspect } from 'node:util';
import fc from 'fast-check';
import { chain, type Send } from '../../lib/chain/chain';
import { anyName, anyText, anyValue, check, expectOurs, LONG, outcomeOf, wholeText } from './support';

type Sent = { verb: string; path: string; options: unknown };
/** A node as JavaScript sees it: whatever is asked of it. */
type Loose = { (...args: unknown[]): unknown; readonly [name: string | symbol]: Loose } & {
  chain(path: unknown): Loose;
  get(options?: unknown): Sent;
};

const send: Send = (verb, path, options): Sent => ({ verb, path, options });
const root = chain(send) as Loose;

const step = fc.oneof(
  anyName.map((name) => ({ how: 'property' as const, name })),
  anyName.map((name) => ({ how: 'chain' as const, name })),
);

test(
  'any property, any chain() and any verb lead to a path or to an error of ours',
  () =>
    check(750, [fc.array(step, { maxLength: 6 }), anyName, anyValue], async (steps, last, argument) => {
      let node = root;
      for (const { how, name } of steps) {
        const go = () => (how === 'chain' ? node.chain(name) : node[name]);
        if (name === '') return expect(go).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
        const next = go();
        if (next === undefined) return;
        node = next as Loose;
      }
      expectOurs(await outcomeOf(() => node[last]?.(argument)));
      expect(typeof String(node)).toBe('string');
      expect(inspect(node)).toBe(String(node));
      expect(JSON.stringify(node)).toBe(JSON.stringify(String(node)));
      expect(await node).toBe(node);
    }),
  LONG,
);

test(
  'a literal path arrives as it was written, in brackets as by chain()',
  () =>
    check(
      500,
      [anyText.filter((text) => /[/{.-]/.test(text) && text !== 'then'), fc.constantFrom('get', 'postAsync')],
      (path, verb) => {
        for (const node of [root[path], root.chain(path)]) {
          expect(node?.[verb]?.({ a: 1 })).toMatchObject({ path, options: { a: 1 } });
        }
      },
    ),
  LONG,
);

test(
  'segments are joined by one slash each, of whatever characters they are',
  () =>
    check(
      250,
      [
        fc.array(
          wholeText.filter((text) => /[^\p{ID_Continue}$]/u.test(text)),
          { minLength: 1 },
        ),
      ],
      (segments) => {
        const node = segments.reduce((at, segment) => at[segment] as Loose, root);
        expect(node.get()).toMatchObject({ verb: 'get', path: segments.join('/') });
      },
    ),
  LONG,
);

test(
  'no symbol is a segment, and nothing on a node can be set, defined or deleted',
  () =>
    check(
      250,
      [
        anyName.filter((name) => name !== ''),
        fc.oneof(anyName, fc.constantFrom(...Object.values(symbols()))),
        anyValue,
      ],
      (name, key, value) => {
        const node = root.chain(name);
        if (typeof key === 'symbol') expect(['undefined', 'function']).toContain(typeof node[key]);
        for (const change of [
          () => Object.assign(node, { [key]: value }),
          () => Object.defineProperty(node, key, { value }),
          () => delete (node as Record<PropertyKey, unknown>)[key],
          () => Object.setPrototypeOf(node, { key }),
        ]) {
          expect(change).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
        }
        expect(Object.freeze(node)).toBe(node);
        expect(Reflect.ownKeys(node)).toEqual([]);
      },
    ),
  LONG,
);

test('a segment of a million characters, and a path of 10,000 segments', () => {
  for (const letter of ['a', 'A', '_', '中', '-', '{', '%']) {
    const long = letter.repeat(1_000_000);
    expect(root[long]?.get()).toMatchObject({ verb: 'get' });
    expect(root.chain(long)).toBeDefined();
  }
  let node = root;
  for (let at = 0; at < 10_000; at++) node = node.x as Loose;
  expect(node.get().path).toHaveLength(19_999);
});

function symbols() {
  const known = Object.getOwnPropertyNames(Symbol).map((name) => Symbol[name as 'iterator']);
  return known.filter((value) => typeof value === 'symbol');
}
