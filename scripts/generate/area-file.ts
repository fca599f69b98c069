import type { Area } from './areas';
import { sorted } from './catalogue';
import { documentation } from './marks';
import { memberName, pathName, quoted } from './names';
import type { OperationModel, Part } from './operation';
import { comment, type Printer, printFile, printInterface, printMember, printType, use } from './print';
import { sharedIn } from './shape-files';
import type { Node } from './tree';

/** The name of the interface of a module's paths. */
export function pathsName({ file }: Area): string {
  return `${pathName(file)}Paths`;
}

/** The paths of a module, each with its node. */
function pathsOf({ nodes }: Area): Node[] {
  return sorted(
    nodes.filter(({ operations }) => operations.length > 0),
    ({ path }) => path,
  );
}

export function hasPaths(area: Area): boolean {
  return area.nodes.some(({ operations }) => operations.length > 0);
}

/** Prints a module: shapes that only it uses, options and responses, nodes, paths. */
export function printArea(printer: Printer, area: Area, fileOfNode: ReadonlyMap<Node, string>): string {
  const declarations = sharedIn(printer);
  for (const node of area.nodes) {
    for (const model of node.operations) declarations.push(...declare(printer, model));
    declarations.push(printNode(printer, node, fileOfNode));
  }
  if (hasPaths(area)) {
    const paths = pathsOf(area).map((node) => `${nodeComment(node)}readonly ${quoted(node.path)}: ${node.name};`);
    declarations.push(`export interface ${pathsName(area)} {\n${paths.join('\n')}\n}`);
  }
  return printFile(printer, declarations);
}

/** The interfaces of an operation: its bodies, its options, its response. Users augment them: each has its own name. */
function declare(printer: Printer, model: OperationModel): string[] {
  const { operation, name, options, base, result } = model;
  const title = comment([operation.title]);
  const declared: string[] = [];
  const part = ({ name, type }: Part) => {
    declared.push(title + printInterface(printer, name, type));
    return name;
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
  // The model of the path declares the response; that of its property chain shares it.
  if (result.kind === 'part' && result.part.name === `${name}Result`) part(result.part);
  return declared;
}

/** What hovering over a piece of a path shows: of each operation there, its title and the first official page; or the path. */
function nodeComment({ operations, path }: Node): string {
  if (operations.length === 0) return comment([`\`${path}\``]);
  return comment(
    operations.flatMap(({ operation: { title, links = [] } }) => [title, ...links.slice(0, 1)]).filter(Boolean),
  );
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
    .map(
      ([key, child]) => `${nodeComment(child)}readonly ${memberName(key)}: ${printChild(printer, child, fileOfNode)};`,
    );
  const parent = use(printer, 'node', 'PathNode');
  return `export interface ${node.name} extends ${parent} {\n${[...verbs, ...children].join('\n')}\n}`;
}

function printChild(printer: Printer, child: Node, fileOfNode: ReadonlyMap<Node, string>): string {
  return use(printer, fileOfNode.get(child) ?? printer.file, child.name);
}

function printCall(printer: Printer, { operation, name, options, base, needed, result }: OperationModel): string {
  const common = operation.upload ? 'UploadOptions' : 'CommonOptions';
  const type = options.length > 0 ? name : (base ?? use(printer, 'options', common));
  if (result.kind === 'download') {
    return `${use(printer, 'node', needed ? 'DownloadCall' : 'OptionalDownloadCall')}<${type}>`;
  }
  const response = result.kind === 'plain' ? result.text : result.part.name;
  return `${use(printer, 'node', needed ? 'Call' : 'OptionalCall')}<${type}, ${response}>`;
}

/** The names that nodes, their options and their responses take; each must be unique. */
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
