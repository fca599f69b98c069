/** A type as it will be written; two with the same key are the same type. */
export type Type = PlainType | EnumType | ArrayType | HeldType | UnionType | ObjectType;

/** `string`, `number`, … */
export interface PlainType {
  kind: 'plain';
  text: string;
}

/** One of several literals; an open enum accepts any other value as well. */
export interface EnumType {
  kind: 'enum';
  literals: string[];
  open?: 'string' | 'number';
}

export interface ArrayType {
  kind: 'array';
  of: Type;
}

/** A string that contains an object: `JsonText<…>`. */
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
  /** The official short name. It is not part of the type: shapes that differ only in it are the same. */
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

/** Types that stand in each other's place; the objects among them can then be told apart, and read without a cast. */
export function apart(types: readonly [Type, ...Type[]]): [Type, ...Type[]];
export function apart(types: readonly Type[]): Type[];
export function apart(types: readonly Type[]): Type[] {
  const [first] = types;
  if (types.length < 2 || first === undefined) return [...types];
  if (areAll(types, 'object')) return apartObjects(types);
  if (areAll(types, 'array')) {
    const of = apart(types.map((type) => type.of));
    return types.map((type, index) => ({ ...type, of: of[index] ?? type.of }));
  }
  if (areAll(types, 'held')) {
    const of = apartObjects(types.map((type) => type.of));
    return types.map((type, index) => ({ ...type, of: of[index] ?? type.of }));
  }
  return [...types];
}

/**
 * Gives each object the members of the others as ones that are never there: `resource.mchid` can then be read whichever
 * object it is, and looking at a member tells which one that is.
 */
export function apartObjects(objects: readonly ObjectType[]): ObjectType[] {
  const all = objects.flatMap(({ members }) => members.map(({ name }) => name));
  // An index stands for names that need not be there.
  const names = [...new Set(all)].filter((name) => !name.includes('$'));
  const parted = objects.map(() => new Map<string, Member>());
  for (const name of names) {
    const found = objects.map(({ members }) => members.find((member) => member.name === name));
    const types = apart(found.flatMap((member) => (member ? [member.type] : [])));
    for (const [index, member] of found.entries()) {
      const never: Member = { name, optional: true, type: plain('undefined') };
      parted[index]?.set(name, member ? { ...member, type: types.shift() ?? member.type } : never);
    }
  }
  return objects.map(({ members }, index) => {
    const own = members.map((member) => parted[index]?.get(member.name) ?? member);
    const never = [...(parted[index]?.values() ?? [])].filter(
      ({ name }) => !own.some((member) => member.name === name),
    );
    return objectType([...own, ...never]);
  });
}

function areAll<Kind extends Type['kind']>(
  types: readonly Type[],
  kind: Kind,
): types is readonly Extract<Type, { kind: Kind }>[] {
  return types.every((type) => type.kind === kind);
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

/** Whether an object has a single member that is not an object. */
export function isSingle({ members: [first, ...others] }: ObjectType): boolean {
  return first !== undefined && others.length === 0 && objectsOf(first.type).length === 0;
}
