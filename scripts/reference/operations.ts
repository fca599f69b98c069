import ts from 'typescript';
import { ALIASES } from '../../lib/openapi/generated/traits';
import { type Documentation, documentationOf } from './documentation';
import { type Member, membersOf, nameOf, type Shape, shapeOf } from './shape';
import { basesOf, commentOf, type Found, interfaceOf, type Scope, type Types } from './source';

/** An operation, read from its types. */
export interface Operation extends Documentation {
  path: string;
  verb: string;
  /** Its own options. */
  options: Member[];
  /** The body is a file. */
  upload: boolean;
  /** Its response. */
  result: Shape | 'download';
  /** Its property chain, `.v3.certificates`; some paths have none. */
  chain: Chain | undefined;
}

/** A property chain, and the options it also requires: variables with a single value. */
export interface Chain {
  text: string;
  options: Member[];
}

type Node = Found<ts.InterfaceDeclaration>;

const CALL = /^(Optional)?(Download)?Call$/;

/** All operations in the types, by path and verb. */
export function readOperations(types: Types): Operation[] {
  const chains = readChains(types);
  const nodes = readPaths(types);
  return [...nodes].flatMap(([path, node]) => {
    if (Object.hasOwn(ALIASES, path)) return [];
    const [alias] = Object.entries(ALIASES).find(([, target]) => target === path) ?? [];
    return callsOf(node).map(([verb, call, member]): Operation => {
      const text = chains.get(node.declaration);
      const detour = alias === undefined ? undefined : detourOf(types, chains, nodes.get(alias), verb);
      return {
        path,
        verb,
        ...documentationOf(commentOf(node.scope, member)),
        ...optionsOf(types, node.scope, call),
        result: resultOf(types, node.scope, call),
        chain: text === undefined ? detour : { text, options: [] },
      };
    });
  });
}

/** The property chain of a path that can be reached only through a template with a fixed value. */
function detourOf(
  types: Types,
  chains: ReadonlyMap<ts.Node, string>,
  node: Node | undefined,
  verb: string,
): Chain | undefined {
  const text = node && chains.get(node.declaration);
  const call = node && callsOf(node).find(([name]) => name === verb)?.[1];
  if (text === undefined || !call) return undefined;
  const { options } = optionsOf(types, node.scope, call);
  return { text, options: options.filter(({ name, optional }) => !optional && text.includes(`_${name}_`)) };
}

/** The node of each path: the members of the interfaces in `Paths`. */
function readPaths(types: Types): Map<string, Node> {
  const paths = new Map<string, Node>();
  const visit = (node: Node): void => {
    for (const { name, type } of propertiesOf(node)) paths.set(name, interfaceOf(types, node.scope, type.getText()));
    for (const base of basesOf(types, node)) visit(base);
  };
  visit(interfaceOf(types, types.open('paths'), 'Paths'));
  return paths;
}

/** The property chain of each node, from the roots down. */
function readChains(types: Types): Map<ts.Node, string> {
  const chains = new Map<ts.Node, string>();
  const visit = (node: Node, chain: string): void => {
    chains.set(node.declaration, chain);
    for (const { name, type } of propertiesOf(node)) {
      const inner = partsOf(type).find((part) => part.typeArguments === undefined);
      if (inner) visit(interfaceOf(types, node.scope, inner.getText()), `${chain}${accessor(name)}`);
    }
  };
  visit(interfaceOf(types, types.open('v2/index'), 'V2'), '.v2');
  visit(interfaceOf(types, types.open('v3/index'), 'V3'), '.v3');
  visit(interfaceOf(types, types.open('brand/index'), 'BrandOperations'), '.brand');
  return chains;
}

/** The verbs of a node; `postAsync` is an alias of `post`. */
function callsOf(node: Node): [verb: string, call: ts.TypeReferenceNode, member: ts.PropertySignature][] {
  return propertiesOf(node).flatMap(({ name, type, member }) => {
    const call = partsOf(type).find((part) => CALL.test(part.typeName.getText()));
    return call && !name.endsWith('Async') ? [[name, call, member]] : [];
  });
}

/** The options of a call, including inherited ones, except those that every call has. */
function optionsOf(types: Types, scope: Scope, call: ts.TypeReferenceNode): { options: Member[]; upload: boolean } {
  const options: Member[] = [];
  let upload = false;
  const visit = (from: Scope, name: string): void => {
    if (name === 'UploadOptions') upload = true;
    if (name === 'UploadOptions' || name === 'CommonOptions') return;
    const found = interfaceOf(types, from, name);
    options.push(...membersOf(types, found.scope, found.declaration));
    for (const { types: bases } of found.declaration.heritageClauses ?? [])
      for (const { expression } of bases) visit(found.scope, expression.getText());
  };
  visit(scope, call.typeArguments?.[0]?.getText() ?? 'CommonOptions');
  return { options, upload };
}

function resultOf(types: Types, scope: Scope, call: ts.TypeReferenceNode): Operation['result'] {
  const [, result] = call.typeArguments ?? [];
  return result ? shapeOf(types, scope, result) : 'download';
}

function propertiesOf({ scope, declaration }: Node) {
  return declaration.members.flatMap((member) =>
    ts.isPropertySignature(member) && member.type
      ? [{ name: nameOf({ scope }, member.name), type: member.type, member }]
      : [],
  );
}

/** A verb that is a segment as well has both types. */
function partsOf(type: ts.TypeNode): ts.TypeReferenceNode[] {
  if (ts.isParenthesizedTypeNode(type)) return partsOf(type.type);
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap(partsOf);
  return ts.isTypeReferenceNode(type) ? [type] : [];
}

function accessor(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `['${name}']`;
}
