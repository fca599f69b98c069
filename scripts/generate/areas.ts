import { type Node, nodesFrom, type Tree } from './tree';

/** A file of types: what is below one path. */
export interface Area {
  /** Where the file is, without its suffix: `v3/marketing-busifavor`. */
  file: string;
  /** Its nodes, each before what is below it. */
  nodes: Node[];
}

/**
 * Splits a tree into files, and what is left above them into the file of the protocol itself.
 * @param tooLong the paths whose file is split by the next piece of the path
 */
export function areasOf({ root, apart }: Tree, tooLong: ReadonlySet<string>): { index: Area; areas: Area[] } {
  const index: Area = { file: `${root.path}/index`, nodes: [root] };
  const areas: Area[] = [];
  const visit = (node: Node): void => {
    if (tooLong.has(node.path)) {
      index.nodes.push(node);
      for (const child of node.children.values()) visit(child);
    } else {
      areas.push({ file: fileOf(node.path), nodes: [...nodesFrom(node)] });
    }
  };
  for (const child of root.children.values()) visit(child);
  for (const node of apart) {
    const area = areas.find(({ nodes: [top] }) => top && node.path.startsWith(`${top.path}/`));
    (area ?? index).nodes.push(node);
  }
  return { index, areas };
}

/** `v3/marketing/busifavor` → `v3/marketing-busifavor`. */
function fileOf(path: string): string {
  const [protocol, ...segments] = path.split('/');
  return `${protocol}/${segments.join('-').replace(/[{}]/g, '')}`;
}
