import { ALIASES, TRAITS } from './generated/traits';
import type { Trait } from './trait';

export type { EncryptedField, EncryptionKey, Outcome, Trait } from './trait';

/** The two protocols of WeChat Pay's API: XML and JSON. */
export type Protocol = 'v2' | 'v3';

/** A leading `v2/` selects the protocol; it is not part of the URL. */
export function protocolOfPath(reference: string): Protocol {
  return /^v2\//i.test(reference) ? 'v2' : 'v3';
}

/** An operation with traits. */
export interface TraitedOperation {
  /** Its path, as a template. */
  readonly template: string;
  readonly trait: Trait;
}

/** A segment of the known paths: the literal segments that follow, the variable that follows, the traits by verb. */
interface Node {
  literal: Map<string, Node>;
  variable: Node | undefined;
  operations: Map<string, TraitedOperation>;
}

/**
 * What is known of an operation.
 * @param verb in lower case
 * @param path with or without host, leading slash and query; variables filled in or in braces
 */
export function traitOf(verb: string, path: string): Trait | undefined {
  return findOperation(verb, segmentsOf(path))?.trait;
}

/** The operation of a path, with its traits; `undefined` if it has none. */
export function findOperation(verb: string, segments: readonly string[]): TraitedOperation | undefined {
  const area = treeOf(segments.slice(0, 2).join('/'));
  return area && find(area, segments, 0, verb);
}

/** The segments of a path; for an alias, those of the path it stands for. */
export function segmentsOf(path: string): string[] {
  const [bare = ''] = path.replace(/^(?:https?:)?\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const called = bare.replace(/^\//, '').replace(/^v2\//i, 'v2/');
  const known = Object.hasOwn(ALIASES, called) ? (ALIASES[called] ?? called) : called;
  return known.split('/');
}

/** Signs of an unusual spelling of a path: escapes, dot segments, empty segments, parameters, another base URL. */
const UNUSUAL = /%|\/\.|\/(?=\/|$)|;|^(?!\/?(?:v[23]|brand)\/)/i;

/**
 * The fields to encrypt in an operation whose path is spelled differently from the table, but means the same to a
 * server. No other traits apply to such a path: whatever relaxes a check requires the plain spelling.
 * @param base base URL, if it has a path
 */
export function marksOf(verb: string, path: string, base?: URL): Trait | undefined {
  const root = base?.pathname.replace(/[^/]*$/, '') ?? '/';
  if (root === '/' && !UNUSUAL.test(path)) return undefined;
  const [protocol = ''] = /^v2\//i.exec(path) ?? [];
  const plain = plainPath(path.slice(protocol.length), base);
  for (const spelling of [plain, plain.replace(/\/$/, '')]) {
    const encrypt = traitOf(verb, protocol + spelling)?.encrypt;
    if (encrypt) return { encrypt };
  }
  return undefined;
}

/**
 * The path as the table has it: from the `v3` on where there is one, since that may stand below another root.
 * @param base root of the API
 */
export function plainPath(path: string, base?: URL): string {
  const root = base?.pathname.replace(/[^/]*$/, '') ?? '/';
  const address = /^(?:https?:)?\/\/|^\//i.test(path) ? path : root + path;
  const [bare = ''] = address.replace(/^(?:https?:)?\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const segments: string[] = [];
  for (const segment of bare
    .replace(/%[0-9a-f]{2}/gi, unescaped)
    .replace(/;[^/]*/g, '')
    .split(/\/+/)) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  const plain = segments.join('/').replace(/^\//, '');
  return plain.replace(/^.*?\/(?=v3\/)/, '');
}

/** Decodes escapes of characters that need none (RFC 3986, 2.3). */
function unescaped(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : escaped;
}

/** Literal segments take precedence over variables, which match any non-empty segment. */
function find(node: Node, segments: readonly string[], index: number, verb: string): TraitedOperation | undefined {
  const segment = segments[index];
  if (segment === undefined) return node.operations.get(verb);
  const literal = node.literal.get(segment);
  const variable = segment === '' ? undefined : node.variable;
  return (
    (literal && find(literal, segments, index + 1, verb)) ?? (variable && find(variable, segments, index + 1, verb))
  );
}

const trees = new Map<string, Node>();

/** The paths of a product, parsed when the first of them is called. */
function treeOf(area: string): Node | undefined {
  const built = trees.get(area);
  if (built || !Object.hasOwn(TRAITS, area)) return built;
  const root = newNode();
  for (const [operation, trait] of Object.entries(TRAITS[area]?.() ?? {})) {
    const [verb = '', template = ''] = operation.split(' ');
    let node = root;
    for (const segment of template.split('/')) node = next(node, segment);
    node.operations.set(verb, { template, trait });
  }
  trees.set(area, root);
  return root;
}

function next(node: Node, segment: string): Node {
  if (segment.startsWith('{')) {
    node.variable ??= newNode();
    return node.variable;
  }
  const found = node.literal.get(segment) ?? newNode();
  node.literal.set(segment, found);
  return found;
}

function newNode(): Node {
  return { literal: new Map(), variable: undefined, operations: new Map() };
}

/** Whose operations are below a first segment. */
const OWNERS = { v2: 'merchant', v3: 'merchant', brand: 'brand' } as const;

/** Whose an operation is. */
export type Owner = (typeof OWNERS)[keyof typeof OWNERS];

/** The plain spelling that most paths have. */
const PLAIN = /^(v2|v3|brand)\/[\w/{}-]*$/;
const FIRST = /^(v2|v3|brand)(?:\/|$)/i;

/**
 * Whose operation a path is: one of merchants or of brands; `undefined` where its first segment does not say.
 * @param path with or without host, its variables filled in
 * @param base root of the API
 */
export function ownerOf(path: string, base?: URL): Owner | undefined {
  const [, first] = PLAIN.exec(path) ?? spellings(path, base).find((match) => match !== null) ?? [];
  return first === undefined ? undefined : OWNERS[first.toLowerCase() as keyof typeof OWNERS];
}

/** A leading `v2/` is not part of the address. */
function spellings(path: string, base: URL | undefined): (RegExpExecArray | null)[] {
  const plain = /^v2\//i.test(path) ? [path] : [plainPath(path), plainPath(path, base)];
  return plain.map((spelling) => FIRST.exec(spelling));
}
