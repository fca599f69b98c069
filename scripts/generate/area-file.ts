import type { Area } from './areas';
import { sorted } from './catalogue';
import { documentation } from './marks';
import { memberName, quoted } from './names';
import type { OperationModel, Part } from './operation';
import { comment, nameOf, type Printer, printFile, printMember, printMembers, printType, use } from './print';
import { sharedIn } from './shape-files';
import { isSingle } from './shapes';
import type { Node } from './tree';
import type { ObjectType } from './type';

/** The name of the interface of an area's paths. */
export function pathsName({ nodes: [top] }: Area): string {
  return `${top.name}Paths`;
}

/** The paths of an area, each with the interface of its node. */
function pathsOf(area: Area): [path: string, name: string][] {
  const called = area.nodes.filter(({ operations }) => operations.length > 0);
  return sorted(
    called.map(({ path, name }): [string, string] => [path, name]),
    ([path]) => path,
  );
}

export function hasPaths(area: Area): boolean {
  return area.nodes.some(({ operations }) => operations.length > 0);
}

/** Prints the file of an area: shapes that only it uses, options and answers, nodes, paths. */
export function printArea(printer: Printer, area: Area, fileOfNode: ReadonlyMap<Node, string>): string {
  const declarations = sharedIn(printer);
  for (const node of area.nodes) {
    for (const model of node.operations) declarations.push(...declare(printer, model));
    declarations.push(printNode(printer, node, fileOfNode));
  }
  if (hasPaths(area)) {
    const paths = pathsOf(area).map(([path, name]) => `readonly ${quoted(path)}: ${name};`);
    declarations.push(`export interface ${pathsName(area)} {\n${paths.join('\n')}\n}`);
  }
  return printFile(printer, declarations);
}

/** The interfaces of an operation: its bodies, its options, its answer. */
function declare(printer: Printer, model: OperationModel): string[] {
  const { operation, name, options, base, result } = model;
  const title = comment([operation.title]);
  const declared: string[] = [];
  const part = ({ name, type }: Part) => {
    const shared = sharedPart(printer, type);
    if (shared === undefined) declared.push(`${title}export interface ${name} ${printMembers(printer, type)}`);
    return shared ?? name;
  };
  if (options.length > 0) {
    const members = options.map((option) => {
      const type = option.part ? part(option.part) : printType(printer, option.type);
      const text = option.name === 'headers' ? `${use(printer, 'options', 'HeadersWith')}<${type}>` : type;
      return printMember(option, text, { written: true, ...(option.label && { label: option.label }) });
    });
    // `Call` adds the common options: an interface that extended them would be compared with them, each time.
    const parent = base ?? (operation.upload ? use(printer, 'options', 'UploadOptions') : undefined);
    const heritage = parent ? ` extends ${parent}` : '';
    declared.push(`${title}export interface ${name}${heritage} {\n${members.join('\n')}\n}`);
  }
  // The model of the path declares the answer; that of its property chain shares it.
  if (result.kind === 'part' && result.part.name === `${name}Result`) part(result.part);
  return declared;
}

/** The name of the shape that a body or an answer shares; one with a single member is clearer by its own name. */
function sharedPart(printer: Printer, type: ObjectType): string | undefined {
  return isSingle(type) ? undefined : nameOf(printer, type);
}

function printNode(printer: Printer, node: Node, fileOfNode: ReadonlyMap<Node, string>): string {
  const verbs = node.operations.flatMap((model) => {
    const child = node.children.get(model.operation.verb);
    const type = printCall(printer, model) + (child ? ` & ${printChild(printer, child, fileOfNode)}` : '');
    const { title, marks, links, verb } = model.operation;
    const about = comment(documentation(title, marks, links));
    return [`${about}readonly ${verb}: ${type};`, `${about}readonly ${verb}Async: ${type};`];
  });
  const children = [...node.children]
    .filter(([key]) => !node.operations.some(({ operation }) => operation.verb === key))
    .map(([key, child]) => `readonly ${memberName(key)}: ${printChild(printer, child, fileOfNode)};`);
  return `export interface ${node.name} {\n${[...verbs, ...children].join('\n')}\n}`;
}

function printChild(printer: Printer, child: Node, fileOfNode: ReadonlyMap<Node, string>): string {
  return `${use(printer, 'node', 'KnownNode')}<${use(printer, fileOfNode.get(child) ?? printer.file, child.name)}>`;
}

function printCall(printer: Printer, { operation, name, options, base, needed, result }: OperationModel): string {
  const common = operation.upload ? 'UploadOptions' : 'CommonOptions';
  const type = options.length > 0 ? name : (base ?? use(printer, 'options', common));
  if (result.kind === 'download') {
    return `${use(printer, 'node', needed ? 'DownloadCall' : 'OptionalDownloadCall')}<${type}>`;
  }
  const answer = result.kind === 'plain' ? result.text : (sharedPart(printer, result.part.type) ?? result.part.name);
  return `${use(printer, 'node', needed ? 'Call' : 'OptionalCall')}<${type}, ${answer}>`;
}

/** The names that nodes, their options and their answers take; each must be unique. */
export function namesIn(nodes: Iterable<Node>): string[] {
  const names = [...nodes].flatMap((node) => [
    node.name,
    ...node.operations.flatMap(({ name, options, result }) => [
      name,
      ...options.flatMap(({ part }) => (part ? [part.name] : [])),
      ...(result.kind === 'part' && result.part.name === `${name}Result` ? [result.part.name] : []),
    ]),
  ]);
  const seen = new Set<string>();
  const repeated = names.find((name) => seen.size === seen.add(name).size);
  if (repeated) throw new Error(`Two types would be called "${repeated}".`);
  return names;
}
