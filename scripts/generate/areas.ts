import { moduleOf } from './modules';
import { type Node, nodesFrom, type Tree } from './tree';

/** A module of types: everything below one path. */
export interface Area {
  /** Where the file is, without its suffix: `v3/marketing/busifavor`. */
  file: string;
  /** Its nodes, parents first. */
  nodes: [first: Node, ...others: Node[]];
}

/** Splits a tree into modules: an index, and one for each product. */
export function areasOf({ root, apart }: Tree): Area[] {
  const areas = new Map<string, Area>([['index', { file: `${root.path}/index`, nodes: [root] }]]);
  const [, ...below] = [...nodesFrom(root)];
  for (const node of [...below, ...apart]) {
    const file = moduleOf(node.path);
    const area = areas.get(file);
    if (area) area.nodes.push(node);
    else areas.set(file, { file, nodes: [node] });
  }
  return [...areas.values()];
}
