/** A type as it will be written; two with the same key are the same type. */
export type Type = PlainType | EnumType | ArrayType | HeldType | UnionType | ObjectType;

/** `string`, `number`, … */
export interface PlainType {
  kind: 'plain';
  text: string;
}

/** One of several literals; an open one takes any other value as well. */
export interface EnumType {
  kind: 'enum';
  literals: string[];
  open?: 'string' | 'number';
}

export interface ArrayType {
  kind: 'array';
  of: Type;
}

/** Text that holds an object: `JsonText<…>`. */
export interface HeldType {
  kind: 'held';
  alias: 'JsonText' | 'FormText';
  of: ObjectType;
}

export interface UnionType {
  kind: 'union';
  of: Type[];
}

export interface ObjectType {
  kind: 'object';
  members: Member[];
  key: string;
}

export interface Member {
  name: string;
  optional: boolean;
  type: Type;
  /** The official short name. It is no part of the type: shapes that differ in it alone are the same. */
  label?: string;
  /** What else the reader has to know. */
  note?: string;
}

export function plain(text: string): PlainType {
  return { kind: 'plain', text };
}

export function objectType(members: Member[]): ObjectType {
  const key = members.map((m) => `${m.name}${m.optional ? '?' : ''}:${keyOf(m.type)}${m.note ? `#${m.note}` : ''}`);
  return { kind: 'object', members, key: `{${key.join(';')}}` };
}

/** One type, or the union of those that differ. */
export function unionOf(types: readonly [Type, ...Type[]]): Type {
  const different = [...new Map(types.map((type) => [keyOf(type), type])).values()];
  return different.length === 1 ? types[0] : { kind: 'union', of: different };
}

export function keyOf(type: Type): string {
  switch (type.kind) {
    case 'plain':
      return type.text;
    case 'enum':
      return `${type.literals.join('|')}${type.open ? `|${type.open}` : ''}`;
    case 'array':
      return `[${keyOf(type.of)}]`;
    case 'held':
      return `${type.alias}<${type.of.key}>`;
    case 'union':
      return `(${type.of.map(keyOf).join('|')})`;
    case 'object':
      return type.key;
  }
}

/** The objects that a type is made of, but not those inside them. */
export function objectsOf(type: Type): ObjectType[] {
  switch (type.kind) {
    case 'object':
      return [type];
    case 'array':
    case 'held':
      return objectsOf(type.of);
    case 'union':
      return type.of.flatMap(objectsOf);
    default:
      return [];
  }
}
