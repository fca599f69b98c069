import type { Field } from './catalogue';
import { quoted } from './names';
import { apart, type Member, type ObjectType, objectType, plain, type Type, unionOf } from './type';
import { isFen } from './units';

/** The context of fields: request or response, JSON or XML; XML values are received as strings. */
export interface Place {
  side: 'request' | 'response';
  format: 'json' | 'xml';
  /** Abroad, amounts are not in fen. */
  foreign?: boolean;
}

/** The type of an object with these fields. A name that appears more than once has alternative types. */
export function objectOf(fields: readonly Field[], place: Place): ObjectType {
  const byName = new Map<string, [Field, ...Field[]]>();
  for (const field of fields) byName.set(field.name, [...(byName.get(field.name) ?? []), field] as [Field, ...Field[]]);
  return objectType([...byName.values()].map((same) => memberOf(same, place)));
}

function memberOf(same: readonly [Field, ...Field[]], place: Place): Member {
  const [field] = same;
  const label = same.find((one) => one.label)?.label;
  const note = noteOf(field, place);
  const types = same.map((one) => typeOf(one, place)) as [Type, ...Type[]];
  return {
    name: field.name,
    optional: !same.every(({ required }) => required) || (place.format === 'xml' && isSignedByClient(field, place)),
    type: unionOf(apart(types)),
    ...(label && { label }),
    ...(note && { note }),
  };
}

/** v2: the client adds these itself. */
function isSignedByClient({ name }: Field, { side }: Place): boolean {
  return side === 'request' && (name === 'sign' || name === 'nonce_str');
}

function noteOf(field: Field, { foreign = false }: Place): string | undefined {
  const { encrypted, maxLength } = field;
  const notes: string[] = [];
  if (isFen(field, foreign)) notes.push('分');
  if (encrypted === 'rsa') notes.push('encrypted with RSA');
  else if (encrypted) notes.push('encrypted with AES');
  if (maxLength) notes.push(`at most ${maxLength} characters`);
  return notes.length > 0 ? notes.join(', ') : undefined;
}

/** The type of one field. */
export function typeOf(field: Field, place: Place): Type {
  if (field.encoded && field.fields) {
    const form = field.encoded === 'urlencode';
    const of = objectOf(field.fields, { ...place, format: form ? 'xml' : 'json' });
    return { kind: 'held', alias: form ? 'FormText' : 'JsonText', of };
  }
  const value = valueType(field, place);
  return field.type.endsWith('[]') ? { kind: 'array', of: value } : value;
}

function valueType(field: Field, place: Place): Type {
  switch (field.type.replace('[]', '')) {
    case 'object':
      if (field.fields?.length) return objectOf(field.fields, place);
      return plain(place.side === 'request' ? 'object' : 'Record<string, unknown>');
    case 'string':
      return enumOf(field, field.enum?.map(quoted), 'string', place);
    case 'boolean':
      return plain(isText(place) ? 'string' : 'boolean');
    default:
      return numberOf(field, place);
  }
}

function numberOf(field: Field, place: Place): Type {
  const { enum: tokens = [] } = field;
  const literals = tokens.every((token) => /^-?\d+$/.test(token)) ? tokens : [];
  if (!isText(place)) return enumOf(field, literals, 'number', place);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a type of TypeScript, as text
  return literals.length > 0 ? enumOf(field, literals.map(quoted), 'string', place) : plain('`${number}`');
}

/** An enum is closed only if an official source says so: WeChat Pay adds values to the others. */
function enumOf({ closed }: Field, literals: string[] = [], base: 'string' | 'number', { side }: Place): Type {
  if (literals.length === 0) return plain(base);
  const different = [...new Set(literals)];
  return { kind: 'enum', literals: different, ...(!(closed && side === 'request') && { open: base }) };
}

function isText({ side, format }: Place): boolean {
  return side === 'response' && format === 'xml';
}
