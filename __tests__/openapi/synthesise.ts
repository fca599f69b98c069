import ts from 'typescript';

/** A value as TypeScript, and what it is with one required member taken away. */
export interface Synthesised {
  text: string;
  without: { member: string; text: string }[];
}

/** Makes values of types. `full` has the optional members as well, as far as they go without repeating themselves. */
export interface Synthesis {
  checker: ts.TypeChecker;
  full: boolean;
}

/** A value of a type: of an array one element, of a union the simplest of its types. */
export function written(type: ts.Type, synthesis: Synthesis): Synthesised {
  const { checker } = synthesis;
  const types = (type.isUnion() ? type.types : [type]).filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
  const literal = types.map(literalOf).find((text) => text !== undefined);
  if (literal !== undefined) return { text: literal, without: [] };
  const shapes = types.filter((one) => isShape(one, checker));
  // Of headers, those that the operation documents.
  const shape = shapes.find((one) => one.isIntersection()) ?? shapes[0] ?? types[0];
  if (shape === undefined) throw new Error(`Nothing to write for ${checker.typeToString(type)}.`);
  if (checker.isArrayType(shape)) {
    const [element] = checker.getTypeArguments(shape as ts.TypeReference);
    if (element === undefined) throw new Error(`No element in ${checker.typeToString(shape)}.`);
    const { text, without } = written(element, synthesis);
    return {
      text: `[${text}]`,
      without: without.map((one) => ({ member: `[].${one.member}`, text: `[${one.text}]` })),
    };
  }
  return objectOf(shape, shapes, synthesis);
}

/**
 * An object with its required members.
 * @param own names of members to write in any case
 * @param skipped names of members not to write
 */
export function objectOf(
  type: ts.Type,
  alternatives: readonly ts.Type[],
  synthesis: Synthesis,
  skipped: ReadonlySet<string> = new Set(),
): Synthesised {
  const { checker, full } = synthesis;
  const members = checker
    .getPropertiesOfType(type)
    .filter((member) => !skipped.has(member.name) && (full || !isOptional(member)))
    // A member of another alternative is never there.
    .filter((member) => checker.getTypeOfSymbol(member).flags !== ts.TypeFlags.Undefined)
    .map((member) => ({
      member,
      required: [type, ...alternatives].every((one) => isRequiredIn(one, member.name, checker)),
      value: written(checker.getTypeOfSymbol(member), synthesis),
    }));
  const write = (texts: readonly string[]) => `{ ${texts.join(', ')} }`;
  const line = (name: string, text: string) => `${JSON.stringify(name)}: ${text}`;
  const texts = members.map(({ member, value }) => line(member.name, value.text));
  const replaced = (index: number, ...by: string[]) =>
    write([...texts.slice(0, index), ...by, ...texts.slice(index + 1)]);
  const without = members.flatMap(({ member: { name }, required, value }, index) => [
    ...(required ? [{ member: name, text: replaced(index) }] : []),
    // Where another alternative has no such member, it may well take the object without what is inside.
    ...(alternatives.every((one) => one === type) || required
      ? value.without.map((one) => ({ member: `${name}.${one.member}`, text: replaced(index, line(name, one.text)) }))
      : []),
  ]);
  return { text: write(texts), without };
}

export function isOptional(member: ts.Symbol): boolean {
  return (member.flags & ts.SymbolFlags.Optional) !== 0;
}

function isRequiredIn(type: ts.Type, name: string, checker: ts.TypeChecker): boolean {
  if (!isShape(type, checker) || checker.isArrayType(type)) return true;
  const member = checker.getPropertyOfType(type, name);
  return member !== undefined && !isOptional(member);
}

/** An object or an array of the catalogue's: not a class such as `Headers`, not something to iterate over. */
function isShape(type: ts.Type, checker: ts.TypeChecker): boolean {
  if (checker.isArrayType(type)) return true;
  if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return false;
  return checker
    .getPropertiesOfType(type)
    .every(({ flags, name }) => !(flags & ts.SymbolFlags.Method) && !name.startsWith('__@'));
}

/** A simple value, where the type has one. */
function literalOf(type: ts.Type): string | undefined {
  if (type.isStringLiteral()) return JSON.stringify(type.value);
  if (type.isNumberLiteral()) return String(type.value);
  // Text that holds JSON is a string with a mark.
  if (type.isIntersection() && type.types.some(({ flags }) => flags & ts.TypeFlags.String)) return `'x'`;
  if (type.flags & ts.TypeFlags.String) return `'x'`;
  if (type.flags & ts.TypeFlags.NumberLike) return '1';
  if (type.flags & ts.TypeFlags.BooleanLike)
    return (type as unknown as { intrinsicName: string }).intrinsicName === 'false' ? 'false' : 'true';
  if (type.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.NonPrimitive)) return '{}';
  return undefined;
}
