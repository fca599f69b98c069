import type { Field } from './catalogue';
import { type Node, nodesFrom, type Tree } from './tree';

/** A file of types: what is below one path. */
export interface Area {
  /** Where the file is, without its suffix: `v3/marketing-busifavor`. */
  file: string;
  /** Its nodes, each before what is below it. */
  nodes: [top: Node, ...below: Node[]];
}

/**
 * Splits a tree into files: the index that holds them together, one for each first piece of the paths, one for each
 * path that is told apart.
 */
export function areasOf({ root, apart }: Tree, toldApart: ReadonlySet<string>): Area[] {
  const areas: Area[] = [{ file: `${root.path}/index`, nodes: [root] }];
  const visit = (node: Node, area: Area | undefined): void => {
    const own: Area = area && !toldApart.has(node.path) ? area : { file: fileOf(node.path), nodes: [node] };
    if (own === area) own.nodes.push(node);
    else areas.push(own);
    for (const child of node.children.values()) visit(child, own);
  };
  for (const child of root.children.values()) visit(child, undefined);
  for (const node of apart) ownerOf(node, areas)?.nodes.push(node);
  return areas;
}

/** The area with the longest path that a path begins with. */
function ownerOf(node: Node, areas: readonly Area[]): Area | undefined {
  const owners = areas.filter(({ nodes: [top] }) => node.path.startsWith(`${top.path}/`));
  return owners.sort((a, b) => b.nodes[0].path.length - a.nodes[0].path.length)[0];
}

/**
 * The paths to tell apart so that a file gets shorter: those with the most fields first, as many as it takes.
 * @param share how much of the file may stay, between 0 and 1
 */
export function heaviest({ nodes: [top, ...below] }: Area, share: number): string[] {
  const within = new Set(below);
  const children = [...top.children.values()].filter((child) => within.has(child));
  const weights = new Map(children.map((child) => [child, weight(child)]));
  const of = (child: Node) => weights.get(child) ?? 0;
  const total = children.reduce((sum, child) => sum + of(child), 0);
  let left = total;
  return children
    .sort((a, b) => of(b) - of(a))
    .filter((child) => {
      if (left <= total * share) return false;
      left -= of(child);
      return true;
    })
    .map(({ path }) => path);
}

/** `v3/marketing/busifavor` → `v3/marketing-busifavor`. */
function fileOf(path: string): string {
  const [protocol, ...segments] = path.split('/');
  return `${protocol}/${segments.join('-').replace(/[{}]/g, '')}`;
}

function weight(top: Node): number {
  let sum = 0;
  for (const { operations } of nodesFrom(top)) {
    for (const { operation } of operations) sum += 5 + countOf([...operation.request, ...operation.response]);
  }
  return sum;
}

function countOf(fields: readonly Field[]): number {
  return fields.reduce((sum, { fields: inner = [] }) => sum + 1 + countOf(inner), 0);
}
