import type { Verb } from './fact';
import { catalogue, type KnownOperation } from './read';

/** An operation that a request is for. */
export interface Match {
  readonly operation: KnownOperation;
  /** The variables of its path, decoded. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What is at a path, whatever the verb. */
export interface Found {
  /** The operation of the requested verb; `undefined` if the path has only others. */
  readonly match: Match | undefined;
  /** In lower case: the verb of the match; without one, those that the path has; empty if there is no such path. */
  readonly verbs: readonly Verb[];
}

interface Node {
  readonly literal: Map<string, Node>;
  variable: Node | undefined;
  readonly operations: Map<string, Entry[]>;
}

interface Entry {
  readonly operation: KnownOperation;
  /** The names of the variables, in the order of their segments. */
  readonly names: readonly string[];
}

/**
 * Finds the operation that a request is for. A literal segment takes precedence over a variable.
 * @param protocol `v2` for XML; `v3` for JSON, also of brands
 * @param method in any case
 * @param path as in the request line, with its leading slash and without its query
 */
export function find(protocol: 'v2' | 'v3', method: string, path: string): Found {
  const segments = path.split('/');
  const verb = method.toLowerCase();
  const verbs = new Set<string>();
  const values: string[] = [];
  const entries = search(trees()[protocol], segments, 1, verb, values, verbs);
  if (entries === undefined) return { match: undefined, verbs: [...verbs] as Verb[] };
  const entry = entries.length === 1 ? entries[0] : entries.find((one) => suits(one, values));
  const { operation, names } = entry ?? (entries[0] as Entry);
  const variables: Record<string, string> = {};
  for (const [index, name] of names.entries()) variables[name] = decode(values[index] ?? '');
  return { match: { operation, variables }, verbs: [operation.verb] };
}

/** Searches below a node; `values` holds the variables of what is found, `verbs` what else is at the path. */
function search(
  node: Node,
  segments: readonly string[],
  index: number,
  verb: string,
  values: string[],
  verbs: Set<string>,
): Entry[] | undefined {
  const segment = segments[index];
  if (segment === undefined) {
    const found = node.operations.get(verb);
    if (!found) for (const other of node.operations.keys()) verbs.add(other);
    return found;
  }
  const literal = node.literal.get(segment);
  const found = literal && search(literal, segments, index + 1, verb, values, verbs);
  if (found || node.variable === undefined || segment === '') return found;
  values.push(segment);
  const below = search(node.variable, segments, index + 1, verb, values, verbs);
  if (!below) values.pop();
  return below;
}

/** If two operations have the same path except for the name of a variable: the one that the values fit. */
function suits({ operation, names }: Entry, values: readonly string[]): boolean {
  return names.every((name, index) => {
    const { type } = operation.fact.request.find((field) => field.name === name) ?? {};
    const isNumber = type === 'integer' || type === 'number' || name === 'applyment_id';
    return !isNumber || /^\d+$/.test(values[index] ?? '');
  });
}

let built: Record<'v2' | 'v3', Node> | undefined;

function trees(): Record<'v2' | 'v3', Node> {
  built ??= buildTrees();
  return built;
}

function buildTrees(): Record<'v2' | 'v3', Node> {
  const roots = { v2: newNode(), v3: newNode() };
  for (const operation of catalogue().operations) {
    const root = roots[operation.protocol === 'v2' ? 'v2' : 'v3'];
    for (const address of operation.addresses) add(root, address, operation);
  }
  return roots;
}

function add(root: Node, address: string, operation: KnownOperation): void {
  const names: string[] = [];
  let node = root;
  for (const segment of address.split('/').slice(1)) {
    if (segment.startsWith('{')) {
      names.push(segment.slice(1, -1));
      node.variable ??= newNode();
      node = node.variable;
    } else {
      const next = node.literal.get(segment) ?? newNode();
      node.literal.set(segment, next);
      node = next;
    }
  }
  const entries = node.operations.get(operation.verb);
  if (entries) entries.push({ operation, names });
  else node.operations.set(operation.verb, [{ operation, names }]);
}

function newNode(): Node {
  return { literal: new Map(), variable: undefined, operations: new Map() };
}

function decode(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
