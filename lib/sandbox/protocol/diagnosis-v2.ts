import { createHash, createHmac } from 'node:crypto';
import type { Identities, Identity } from '../identity';

type Fields = Readonly<Record<string, string>>;

/** A mistake and its effect; the text is empty if there is none. */
interface Variant<Value> {
  readonly text: string;
  readonly value: Value;
}

type Pairs = readonly (readonly [name: string, value: string])[];
type Algorithm = (text: string, key: string) => string;

const of = <Value>(text: string, value: Value): Variant<Value> => ({ text, value });
const hashed = (name: string) => (text: string) => createHash(name).update(text).digest('hex').toUpperCase();
const hmac = (text: string, key: string) => createHmac('sha256', key).update(text).digest('hex').toUpperCase();

const ALGORITHMS: readonly (readonly [name: string, algorithm: Algorithm])[] = [
  ['MD5', hashed('md5')],
  ['HMAC-SHA256', hmac],
  ['SHA256', hashed('sha256')],
  ['SHA1', hashed('sha1')],
];

/**
 * Says why the `sign` of a v2 request is wrong, by trying common mistakes; empty if none of them fits. Call it
 * only for wrong signatures.
 * @param order the fields in the order in which they were sent
 */
export function diagnoseV2(order: Fields, identity: Identity, identities: Identities): string {
  const { sign = '', sign_type } = order;
  if (sign === '') return 'The field sign is missing or empty.';
  const declared = sign_type || 'MD5';
  if (declared !== 'MD5' && declared !== 'HMAC-SHA256') {
    return `The sign_type is "${declared}"; it must be MD5 or HMAC-SHA256.`;
  }
  const isTold = sign_type === undefined ? 'there is no sign_type, which means MD5' : `sign_type is ${declared}`;
  const algorithms = ALGORITHMS.map(([name, value]) =>
    of(name === declared ? '' : `it uses ${name}, but ${isTold}`, value),
  ).sort((one, other) => one.text.length - other.text.length);
  const parts = { texts: texts(order), ends: ends(identity, identities), algorithms };

  const wanted = sign.trim().toUpperCase();
  const cases =
    sign === wanted
      ? []
      : [sign.trim() === sign ? 'it is in lower case; it must be in upper case' : 'it has white space around it'];
  let best: readonly string[] | undefined;
  for (const { text, value: pairs } of parts.texts) {
    for (const { text: end, value } of parts.ends) {
      for (const { text: algorithm, value: algorithmOf } of parts.algorithms) {
        const mistakes = [text, end, algorithm].filter((one) => one !== '');
        if (best && mistakes.length >= best.length) continue;
        if (algorithmOf(pairs + value.text, value.key) === wanted) best = mistakes;
      }
    }
  }
  if (!best && Buffer.from(sign, 'base64').length === (declared === 'MD5' ? 16 : 32) && !/^[0-9a-f]+$/i.test(sign)) {
    return 'The sign is in Base64; it must be in upper-case hexadecimal.';
  }
  const expected = declared === 'MD5' ? 32 : 64;
  if (!best && wanted.length !== expected) {
    return `The sign has ${wanted.length} characters; ${isTold}, so it must have ${expected}.`;
  }
  if (!best) return '';
  return `The sign is wrong: ${[...cases, ...best].join('; and ')}.`;
}

/** What stands after the fields, and the key of an HMAC. */
interface End {
  readonly text: string;
  readonly key: string;
}

function ends({ secret, apiKey, id, kind }: Identity, identities: Identities): Variant<End>[] {
  const withKey = (text: string, key: string) => of(text, { text: `&key=${key}`, key });
  const others = identities.all().filter((one) => one.kind !== kind || one.id !== id);
  return [
    withKey('', secret),
    withKey('it uses the APIv3 key; it must use the APIv2 key', apiKey),
    ...others.map((other) => withKey(`it uses the key of the ${other.kind} ${other.id}`, other.secret)),
    of('"&key=" and the key at the end are missing', { text: '', key: secret }),
    of('"&key=" before the key is missing', { text: secret, key: secret }),
    of('the key is added by "&" alone; it must be "&key="', { text: `&${secret}`, key: secret }),
    of('the key is added by "key="; it must be "&key="', { text: `key=${secret}`, key: secret }),
    of('"KEY" must be in lower case: "&key="', { text: `&KEY=${secret}`, key: secret }),
    of('the key is added by "&secret="; it must be "&key="', { text: `&secret=${secret}`, key: secret }),
    withKey('the key is in lower case', secret.toLowerCase()),
    withKey('the key is in upper case', secret.toUpperCase()),
    withKey('a line feed stands after the key', `${secret}\n`),
    withKey('a space stands after the key', `${secret} `),
    withKey('the key is empty', ''),
  ];
}

/** The fields as one string, in every known form. */
function texts(order: Fields): Variant<string>[] {
  const { sign, ...rest } = order;
  const sent = Object.entries(rest);
  const sorted = sortedBy(sent, (name) => name);
  const filled = ([, value]: readonly [string, string]) => value !== '';
  const right = sorted.filter(filled);
  const without = (name: string) => right.filter(([one]) => one !== name);
  const php = (value: string) => encodeURIComponent(value).replace(/%20/g, '+');
  const mapped = (change: (value: string) => string): Pairs => right.map(([name, value]) => [name, change(value)]);
  const variants: [string, Pairs][] = [
    ['', right],
    ['it has fields that are empty; these are left out', sorted],
    ['the fields are not sorted by name', sent.filter(filled)],
    ['the fields are not sorted by name and have empty ones', sent],
    ['the fields are sorted without case; what counts is ASCII', sortedBy(right, (name) => name.toLowerCase())],
    ['the values are encoded for a URL; they are signed as they are', mapped(encodeURIComponent)],
    ['the values are encoded for a URL; they are signed as they are', mapped(php)],
    ['the values have XML escapes; they are signed as they are', mapped(escapedXml)],
    ['the values stand in CDATA; they are signed as they are', mapped((value) => `<![CDATA[${value}]]>`)],
    ['the values are trimmed, but sent with white space', mapped((value) => value.trim())],
    ['the field sign itself is signed', sortedBy([...right, ['sign', sign ?? '']], (name) => name)],
    ...right.map(([name]): [string, Pairs] => [`the field ${name} is not signed`, without(name)]),
  ];
  const joined = variants.map(([text, pairs]) => of(text, pairs.map(([name, value]) => `${name}=${value}`).join('&')));
  return [
    ...joined,
    of('"&" between the fields is missing', right.map(([name, value]) => `${name}=${value}`).join('')),
  ];
}

function sortedBy(pairs: Pairs, of: (name: string) => string): Pairs {
  return [...pairs].sort(([one], [other]) => (of(one) < of(other) ? -1 : 1));
}

function escapedXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
