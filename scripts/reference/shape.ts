import ts from 'typescript';
import { labelOf } from './label';
import { basesOf, commentOf, type Scope, type Types } from './source';

/** A type in the form used by tables and samples. */
export type Shape =
  | { kind: 'plain'; text: string }
  | { kind: 'enum'; values: string[] }
  | { kind: 'array'; of: Shape }
  | { kind: 'held'; format: 'JSON' | 'form'; of: Shape }
  | { kind: 'union'; of: Shape[] }
  | ObjectShape;

export interface ObjectShape {
  kind: 'object';
  members: Member[];
}

/** A field: a member of a request or a response. */
export interface Member {
  name: string;
  optional: boolean;
  shape: Shape;
  label: string;
  /** Remarks, in Chinese. */
  notes: string[];
}

/** The context of a type: its file and enclosing declarations, so that none is read within itself. */
interface Place {
  types: Types;
  scope: Scope;
  inside: readonly ts.Node[];
}

const HELD = new Map<string, 'JSON' | 'form'>([
  ['JsonText', 'JSON'],
  ['FormText', 'form'],
]);

/** Parses a type. */
export function shapeOf(types: Types, scope: Scope, type: ts.TypeNode): Shape {
  return read({ types, scope, inside: [] }, type);
}

/** The members that an interface declares itself, not those that it inherits. */
export function membersOf(types: Types, scope: Scope, declaration: ts.InterfaceDeclaration): Member[] {
  return readMembers({ types, scope, inside: [declaration] }, declaration.members);
}

function read(place: Place, type: ts.TypeNode): Shape {
  if (ts.isParenthesizedTypeNode(type)) return read(place, type.type);
  if (ts.isArrayTypeNode(type)) return { kind: 'array', of: read(place, type.elementType) };
  if (ts.isTypeLiteralNode(type)) return { kind: 'object', members: readMembers(place, type.members) };
  if (ts.isUnionTypeNode(type)) return readUnion(place, type.types);
  if (ts.isLiteralTypeNode(type) && type.literal.kind !== ts.SyntaxKind.NullKeyword)
    return { kind: 'enum', values: [textOf(place, type)] };
  if (ts.isTypeReferenceNode(type)) return readReference(place, type);
  return { kind: 'plain', text: textOf(place, type) };
}

/** Literals are an enum; `undefined` and what keeps an enum open, `(string & {})`, are not values. */
function readUnion(place: Place, all: readonly ts.TypeNode[]): Shape {
  const types = all
    .map((type) => (ts.isParenthesizedTypeNode(type) ? type.type : type))
    .filter((type) => type.kind !== ts.SyntaxKind.UndefinedKeyword && !ts.isIntersectionTypeNode(type));
  const shapes = types.map((type) => read(place, type));
  if (shapes.length === 1 && shapes[0]) return shapes[0];
  const values = shapes.flatMap((shape) => (shape.kind === 'enum' ? shape.values : []));
  const others = shapes.filter(({ kind }) => kind !== 'enum');
  if (others.length === 0) return { kind: 'enum', values };
  if (shapes.every(({ kind }) => kind === 'plain'))
    return { kind: 'plain', text: types.map((type) => textOf(place, type)).join(' | ') };
  return { kind: 'union', of: values.length > 0 ? [{ kind: 'enum', values }, ...others] : others };
}

function readReference(place: Place, type: ts.TypeReferenceNode): Shape {
  const name = textOf(place, type.typeName);
  const [first] = type.typeArguments ?? [];
  const format = HELD.get(name);
  if (first && format) return { kind: 'held', format, of: read(place, first) };
  if (first && name === 'HeadersWith') return read(place, first);
  const found = place.types.find(place.scope, name);
  if (!found || place.inside.includes(found.declaration)) return { kind: 'plain', text: textOf(place, type) };
  const { scope, declaration } = found;
  const inner: Place = { types: place.types, scope, inside: [...place.inside, declaration] };
  if (ts.isTypeAliasDeclaration(declaration)) return read(inner, declaration.type);
  const inherited = basesOf(place.types, { scope, declaration }).flatMap((base) =>
    readMembers({ ...inner, scope: base.scope }, base.declaration.members),
  );
  return { kind: 'object', members: [...readMembers(inner, declaration.members), ...inherited] };
}

function readMembers(place: Place, members: readonly ts.TypeElement[]): Member[] {
  return members.flatMap((member): Member[] => {
    // A member of another alternative, which is never present.
    if (ts.isPropertySignature(member) && member.type?.kind === ts.SyntaxKind.UndefinedKeyword) return [];
    const about = labelOf(commentOf(place.scope, member).join(' '));
    if (ts.isPropertySignature(member) && member.type) {
      const shape = read(place, member.type);
      return [{ name: nameOf(place, member.name), optional: member.questionToken !== undefined, shape, ...about }];
    }
    const [parameter] = ts.isIndexSignatureDeclaration(member) ? member.parameters : [];
    if (!parameter?.type || !ts.isIndexSignatureDeclaration(member)) return [];
    const pattern = textOf(place, parameter.type).replaceAll('`', '').replaceAll('$'.concat('{number}'), '$n');
    return [{ name: pattern, optional: true, shape: read(place, member.type), ...about }];
  });
}

/** The name of a member, without the quotes it may have. */
export function nameOf(place: { scope: Scope }, name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) || ts.isNumericLiteral(name)
    ? name.text
    : textOf(place, name);
}

function textOf({ scope }: { scope: Scope }, node: ts.Node): string {
  return scope.text.slice(node.getStart(), node.getEnd()).replace(/\s+/g, ' ').replace(/^\| /, '');
}
