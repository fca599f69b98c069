import fc from 'fast-check';
import { BodyError } from 'wechatpay-undici';
import { toObject, toXml } from '../../lib/format/transformer';
import {
  anyBytes,
  anyName,
  anyText,
  anyValue,
  check,
  expectOurs,
  LONG,
  outcomeOf,
  printed,
  wholeText,
} from './support';

const NAMES = ['a', 'b', 'item', 'xml', '__proto__', 'constructor', 'hasOwnProperty', 'toString', '中', 'é-1.2'];
const names = fc.oneof(fc.constantFrom(...NAMES), fc.stringMatching(/^[a-z_][\w.-]{0,5}$/));

/** Pieces of which XML is made, put together at random: now and then they make sense. */
const piece = fc.oneof(
  names.map((name) => `<${name}>`),
  names.map((name) => `</${name}>`),
  names.map((name) => `<${name}/>`),
  fc.tuple(names, names, anyText).map(([name, key, text]) => `<${name} ${key}="${text}" ${key}='1'>`),
  fc.constantFrom('<![CDATA[', ']]>', '<!--', '-->', '<?xml version="1.0"?>', '<?', '?>', '<!DOCTYPE x [', ']>'),
  fc.constantFrom(
    '<!ENTITY a "b">',
    '<!ENTITY % a SYSTEM "file:///etc/passwd">',
    '<!ELEMENT',
    '<!',
    '<',
    '>',
    '&',
    ';',
  ),
  fc.constantFrom('&lt;', '&amp;', '&a;', '&#0;', '&#x41;', '&#xD800;', '&#x110000;', '&constructor;', '&#xFFFFFFFFF;'),
  fc.constantFrom('\r\n', '\ufeff', '\u0000', '"', "'", '=', '/', ' ', 'text'),
  anyText,
);
const almostXml = fc.oneof(
  fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 12 }).map((pieces) => `<xml>${pieces.join('')}</xml>`),
);

/** Reads; what is read is texts, lists, and objects without a prototype. */
async function read(xml: string | Uint8Array): Promise<void> {
  const outcome = await outcomeOf(() => toObject(xml));
  const error = expectOurs(outcome);
  if (error) expect(error).toBeInstanceOf(BodyError);
  else if ('value' in outcome) expectPlain(outcome.value);
}

function expectPlain(value: unknown): void {
  if (typeof value === 'string') return;
  if (!Array.isArray(value)) expect(Object.getPrototypeOf(value)).toBe(null);
  for (const key of Reflect.ownKeys(Object(value))) {
    if (key !== 'length' || !Array.isArray(value)) expectPlain((value as Record<PropertyKey, unknown>)[key]);
  }
}

test('any bytes are read, or refused', () => check(500, [fc.oneof(anyBytes, anyText)], read), LONG);

test('what is almost XML is read, or refused', () => check(2000, [almostXml], read), LONG);

test(
  'no error repeats what the XML holds',
  () =>
    check(500, [almostXml, almostXml], async (before, after) => {
      const secret = 'secret-6222600260001072444';
      const error = expectOurs(await outcomeOf(() => toObject(`${before}${secret}${after}`)));
      expect(printed(error)).not.toContain(secret);
    }),
  LONG,
);

test('what the parser itself breaks at is refused like all else', () => {
  expect(() => toObject('<xml hasOwnProperty="1" b="2"><a>1</a></xml>')).toThrow(
    expect.objectContaining({ name: 'BodyError', code: 'ERR_BODY_NOT_XML' }),
  );
});

test('no name is written that could not be read', () => {
  expect(toXml({ 𐀀: 1, 𠮷: 2, 中: 3 })).toBe('<xml><item>1</item><item>2</item><中>3</中></xml>');
});

const { tree } = fc.letrec((tie) => ({
  text: fc.oneof(wholeText, anyText, fc.constantFrom('', ']]>', '\r', '\r\n', ' ', '&lt;', '<![CDATA[x]]>', '\t\n')),
  tree: fc.oneof(
    { maxDepth: 4 },
    tie('text'),
    fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
    fc.array(tie('tree'), { maxLength: 4 }),
  ),
}));

test(
  'what is written reads back the same',
  () =>
    check(1000, [fc.dictionary(names, tree, { minKeys: 1 })], async (data) => {
      const outcome = await outcomeOf(() => toXml(data as Record<string, unknown>));
      const error = expectOurs(outcome);
      if (error) return expect(error.message).toMatch(/control character/);
      return expect(toObject((outcome as { value: string }).value)).toEqual(membersOf(data as Record<string, unknown>));
    }),
  LONG,
);

test(
  'any value is written, or refused',
  () =>
    check(1000, [anyValue, anyName], async (data, root) => {
      for (const name of ['xml', root]) {
        const outcome = await outcomeOf(() => toXml(data as Record<string, unknown>, name));
        expectOurs(outcome);
        if ('value' in outcome) await read(String(outcome.value));
      }
    }),
  LONG,
);

/** What becomes of data: what is empty is '', what has `item`s alone is a list. */
function readBack(value: unknown): unknown {
  if (typeof value === 'string') return value;
  const list = Array.isArray(value) ? value : undefined;
  if (list) return list.length === 0 ? '' : list.map(readBack);
  const members = membersOf(value as Record<string, unknown>);
  const keys = Object.keys(members);
  if (keys.length === 0) return '';
  return keys.length === 1 && keys[0] === 'item' ? [members.item] : members;
}

function membersOf(value: Record<string, unknown>): Record<string, unknown> {
  return Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readBack(member)])),
  );
}
