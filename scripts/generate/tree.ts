import { type Protocol, sorted } from './catalogue';
import { pathName, propertyOf } from './names';
import type { OperationModel } from './operation';

/** A piece of a path: its own operations and what follows it. */
export interface Node {
  path: string;
  /** The name of its interface. */
  name: string;
  operations: OperationModel[];
  /** The next pieces, by the key of the property chain. */
  children: Map<string, Node>;
}

/** All paths of one protocol. */
export interface Tree {
  root: Node;
  /** Nodes that only `chain()` and brackets reach. */
  apart: Node[];
  /** The nodes that have operations, by path. */
  byPath: Map<string, Node>;
}

/** Builds the tree of a protocol's operations. */
export function treeOf(protocol: Protocol, models: readonly OperationModel[]): Tree {
  const root = nodeOf(protocol);
  root.name = protocol === 'brand' ? 'BrandOperations' : protocol.toUpperCase();
  const tree: Tree = { root, apart: [], byPath: new Map() };
  for (const model of sorted(models, ({ path }) => path)) {
    const node = tree.byPath.get(model.path) ?? insert(tree, model.path);
    tree.byPath.set(model.path, node);
    node.operations.push(model);
  }
  // `DELETE a/b` has options of the name that the path `a/b/delete` would have.
  const taken = new Set(models.map(({ name }) => name));
  for (const node of [...nodesFrom(root), ...tree.apart]) if (taken.has(node.name)) node.name += 'Path';
  return tree;
}

function insert(tree: Tree, path: string): Node {
  const [, ...segments] = path.split('/');
  const keys = segments.map(propertyOf);
  if (keys.some((key) => key === undefined)) {
    const node = nodeOf(path);
    tree.apart.push(node);
    return node;
  }
  let node = tree.root;
  for (const [index, key] of keys.entries()) {
    const next = node.children.get(key as string) ?? nodeOf([node.path, segments[index]].join('/'));
    node.children.set(key as string, next);
    node = next;
  }
  return node;
}

function nodeOf(path: string): Node {
  return { path, name: pathName(path), operations: [], children: new Map() };
}

/** A node and all below it, each before what is below it. */
export function* nodesFrom(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children.values()) yield* nodesFrom(child);
}
