import { ALIASES, TRAITS } from './traits';

/** Whose key encrypts a field of a request: WeChat Pay's, or that of v2's bank payments. */
export type EncryptionKey = 'platform' | 'pay-bank';

/** A field that is encrypted with RSA: `json.list[].name`; `[]` is each member of a list, `{}` the JSON in a text. */
export interface EncryptedField<Key = EncryptionKey> {
  key: Key;
  path: string;
}

/** What the client has to know of an operation besides its path and verb. */
export interface Trait {
  /** Root of the API that the operation has of its own. */
  base?: string;
  /** The merchant's TLS client certificate is needed. */
  security?: boolean;
  /** v2: the request carries no `nonce_str`. */
  nonceless?: boolean;
  /** The answer carries no signature. */
  unsigned?: boolean;
  /** The answer is a file. */
  download?: boolean;
  /** The request is a form with a file. */
  upload?: boolean;
  /** v2: the answer is JSON. */
  json?: boolean;
  /** Address of an operation that is not below the root of the API. */
  url?: string;
  /** A page for the user's browser; the fragment of its address, or empty. */
  redirect?: string;
  /** Fields of the options to encrypt. */
  encrypt?: EncryptedField[];
  /** Fields of the answer to decrypt. */
  decrypt?: EncryptedField<'merchant'>[];
}

/** A segment of the known paths: what follows it literally, what follows as a variable, what holds there by verb. */
interface Node {
  literal: Map<string, Node>;
  variable: Node | undefined;
  traits: Map<string, Trait>;
}

/**
 * What is known of an operation.
 * @param verb in lower case
 * @param path with or without host, leading slash and query; its variables filled in, or in braces
 */
export function traitOf(verb: string, path: string): Trait | undefined {
  const [bare = ''] = path.replace(/^(?:https?:)?\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const called = bare.replace(/^\//, '').replace(/^v2\//i, 'v2/');
  const known = Object.hasOwn(ALIASES, called) ? (ALIASES[called] ?? called) : called;
  const area = treeOf(areaOf(known));
  return area && find(area, known.split('/'), 0, verb);
}

/** What is not the plain spelling of a path: escapes, dot segments, empty segments, parameters, another root. */
const UNUSUAL = /%|\/\.|\/(?=\/|$)|;|^(?!\/?v[23]\/)/i;

/**
 * What is to be encrypted in an operation whose path is spelled in another way than the table has it, but means the same
 * to a server. Nothing else of the table counts for it: what makes less of a check goes by the plain spelling alone.
 * @param base root of the API, where it has a path of its own
 */
export function marksOf(verb: string, path: string, base?: URL): Trait | undefined {
  const root = base?.pathname.replace(/[^/]*$/, '') ?? '/';
  if (root === '/' && !UNUSUAL.test(path)) return undefined;
  const [protocol = ''] = /^v2\//i.exec(path) ?? [];
  const address = path.slice(protocol.length);
  const [isAbsolute] = /^(?:https?:)?\/\/|^\//i.exec(address) ?? [];
  const plain = plainPath(isAbsolute === undefined ? root + address : address);
  for (const spelling of [plain, plain.replace(/\/$/, '')]) {
    const encrypt = traitOf(verb, protocol + spelling)?.encrypt;
    if (encrypt) return { encrypt };
  }
  return undefined;
}

/** The path as the table has it: from the `v3` on where there is one, since that may stand below another root. */
function plainPath(address: string): string {
  const [bare = ''] = address.replace(/^(?:https?:)?\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const segments: string[] = [];
  for (const segment of bare
    .replace(/%[0-9a-f]{2}/gi, unescaped)
    .replace(/;[^/]*/g, '')
    .split(/\/+/)) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  const path = segments.join('/').replace(/^\//, '');
  return path.replace(/^.*?\/(?=v3\/)/, '');
}

/** A character that needs no escape (RFC 3986, 2.3) is the same without. */
function unescaped(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : escaped;
}

/** Literal segments go before variables, which take anything but nothing. */
function find(node: Node, segments: readonly string[], index: number, verb: string): Trait | undefined {
  const segment = segments[index];
  if (segment === undefined) return node.traits.get(verb);
  const literal = node.literal.get(segment);
  const variable = segment === '' ? undefined : node.variable;
  return (
    (literal && find(literal, segments, index + 1, verb)) ?? (variable && find(variable, segments, index + 1, verb))
  );
}

/** The first two segments of a path, none of which is a variable. */
function areaOf(path: string): string {
  const end = path.indexOf('/', path.indexOf('/') + 1);
  return end < 0 ? path : path.slice(0, end);
}

/** The table by area: lists of operations as they stand there. Built when it is first asked for. */
let table: Map<string, string[]> | undefined;
const trees = new Map<string, Node>();

/** Only what is called is read, so that loading the table takes no time worth speaking of. */
function treeOf(area: string): Node | undefined {
  const built = trees.get(area);
  if (built) return built;
  table ??= groupByArea(TRAITS.trim().split(/\n(?! )/));
  const operations = table.get(area);
  if (!operations) return undefined;
  const root = newNode();
  for (const operation of operations) readOperation(root, operation);
  trees.set(area, root);
  return root;
}

function groupByArea(operations: readonly string[]): Map<string, string[]> {
  const areas = new Map<string, string[]>();
  for (const operation of operations) {
    const area = areaOf(operation.slice(0, operation.indexOf(' ')));
    const others = areas.get(area);
    if (others) others.push(operation);
    else areas.set(area, [operation]);
  }
  return areas;
}

function readOperation(root: Node, operation: string): void {
  const [head = '', ...lines] = operation.split('\n');
  const [path = '', verb = ''] = head.split(' ');
  const trait: Trait = {};
  for (const line of lines) readTrait(trait, line.trim().split(' '));
  insert(root, path, verb, trait);
}

function newNode(): Node {
  return { literal: new Map(), variable: undefined, traits: new Map() };
}

function insert(root: Node, path: string, verb: string, trait: Trait): void {
  let node = root;
  for (const segment of path.split('/')) {
    if (segment.startsWith('{')) {
      node.variable ??= newNode();
      node = node.variable;
    } else {
      const next = node.literal.get(segment) ?? newNode();
      node.literal.set(segment, next);
      node = next;
    }
  }
  node.traits.set(verb, trait);
}

function readTrait(trait: Trait, [name, ...rest]: string[]): void {
  const [first = '', second = ''] = rest;
  if (name === 'base' || name === 'base?') trait.base = first;
  else if (name === 'redirect') trait.redirect = first;
  else if (name === 'url') trait.url = first;
  else if (name === 'encrypt')
    trait.encrypt = [...(trait.encrypt ?? []), { key: first as EncryptionKey, path: second }];
  else if (name === 'decrypt') trait.decrypt = [...(trait.decrypt ?? []), { key: 'merchant', path: second }];
  else Object.assign(trait, { [name as string]: true });
}
