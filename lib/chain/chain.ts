import { inspect } from 'node:util';
import { InvalidArgumentError } from '../errors';

/** Matches most segments, so that they skip the rest of the work. */
const UNCHANGED = /^[a-z0-9]*$/;
const IDENTIFIER = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/**
 * Turns a key of the chain into a segment of the path.
 *
 * A plain identifier is normalised as wechatpay-php does it: a first capital is lowered, each further capital becomes
 * `-x`, `_name_` becomes the variable `{name}`. Any other key (one that contains `/`, `{`, `-` or `.`, starts with a
 * digit, …) is a literal path and stays as it is.
 */
export function segment(key: string): string {
  if (UNCHANGED.test(key) || !IDENTIFIER.test(key)) return key;
  return key
    .replace(/[A-Z]/g, (capital, index) => (index === 0 ? '' : '-') + capital.toLowerCase())
    .replace(/^_(.*)_$/, '{$1}');
}

/** The HTTP methods of WeChat Pay's API. */
export const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

/** Sends the request at the end of a chain. `path` is a URI template without a leading slash. */
export type Send = (verb: Verb, path: string, options: unknown) => unknown;

/** Each verb under both names, in lower case: method names in PHP, and so in wechatpay-php, are case-insensitive. */
const verbs: ReadonlyMap<string, Verb> = new Map(
  VERBS.flatMap((verb) => [[verb, verb] as const, [`${verb}async`, verb]]),
);

/**
 * Keys that are not segments, because frameworks look for a function there and call it. No operation has such a
 * segment; `chain('getter')` still creates one.
 */
const HIDDEN: ReadonlySet<string> = new Set([
  // `await` and everything else that resolves a promise
  'then',
  // Matchers of jest and vitest
  'asymmetricMatch',
  // Fastify's `decorate`
  'getter',
  'setter',
  // Nest, on every provider
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/** Marks that Vue sets on objects it has wrapped, such as `__v_raw`; Vue would unwrap a node endlessly. */
const VUE_MARK = /^__v_\w+$/;

/** Keys that JavaScript uses to convert an object to a string. */
const TEXT: ReadonlySet<string> = new Set(['toString', 'toJSON', 'valueOf']);

/**
 * The root of a chain: every property is a segment of a path, every verb a function that calls `send`.
 *
 * A node is both a function and a path, because five WeChat Pay paths end in a segment named `delete`. Nodes are
 * created on every access and never cached, so a million different paths leave nothing behind.
 */
export function chain(send: Send): unknown {
  return new Proxy(TARGET, new Node(send, undefined, undefined));
}

/**
 * What all nodes are proxies over: a function without own properties. It is frozen, so that freezing a node, as state
 * stores and Vue's `markRaw` do, has nothing left to do.
 */
const TARGET = frozenFunction();

function frozenFunction(): () => void {
  const target = () => {};
  for (const key of Reflect.ownKeys(target)) Reflect.deleteProperty(target, key);
  // `inspect` takes this from the target and calls it on the proxy.
  Object.setPrototypeOf(target, Object.create(Function.prototype, { [inspect.custom]: { value: print } }));
  return Object.freeze(target);
}

/** Prints a node as its path. */
function print(this: unknown): string {
  return String(this);
}

/** One place in the chain; the handler of its proxy. */
class Node implements ProxyHandler<typeof TARGET> {
  readonly #send: Send;
  /** The path up to the parent, `undefined` at the root. */
  readonly #parent: string | undefined;
  /** The key that led here, `undefined` at the root. */
  readonly #key: string | undefined;
  #constructorNode: unknown;

  constructor(send: Send, parent: string | undefined, key: string | undefined) {
    if (key === '') throw new InvalidArgumentError(emptyKey(parent));
    this.#send = send;
    this.#parent = parent;
    this.#key = key;
  }

  get(_target: unknown, key: string | symbol): unknown {
    if (key === Symbol.toPrimitive) return () => this.#path ?? '/';
    if (key === inspect.custom) return print;
    if (!isSegment(key)) return undefined;
    if (key !== 'constructor') return this.#child(this.#path, key);
    // Strict matchers compare the constructors of two values, even where the values are identical.
    this.#constructorNode ??= this.#child(this.#path, key);
    return this.#constructorNode;
  }

  apply(_target: unknown, _this: unknown, [argument]: unknown[]): unknown {
    const parent = this.#parent;
    const key = this.#key;
    if (key === undefined) throw new InvalidArgumentError('The client is not a function; start with a path.');
    const verb = verbs.get(key.toLowerCase());
    if (verb !== undefined) return this.#send(verb, parent ?? '', argument);
    if (key === 'chain') return this.#child(parent, pathArgument(argument));
    if (TEXT.has(key)) return parent ?? '/';
    throw new InvalidArgumentError(
      `"${this.#path}" is a path, not a function; end it with one of ${VERBS.join(', ')}, as in .get().`,
    );
  }

  has(_target: unknown, key: string | symbol): boolean {
    return isSegment(key) && key !== '';
  }

  set(): never {
    return this.#refuse();
  }

  defineProperty(): never {
    return this.#refuse();
  }

  deleteProperty(): never {
    return this.#refuse();
  }

  setPrototypeOf(): never {
    return this.#refuse();
  }

  get #path(): string | undefined {
    if (this.#key === undefined) return this.#parent;
    const last = segment(this.#key);
    return this.#parent === undefined ? last : `${this.#parent}/${last}`;
  }

  #child(path: string | undefined, key: string): unknown {
    return new Proxy(TARGET, new Node(this.#send, path, key));
  }

  #refuse(): never {
    throw new InvalidArgumentError(
      `"${this.#path ?? '/'}" is a path; properties on it cannot be set, defined or deleted.`,
    );
  }
}

function isSegment(key: string | symbol): key is string {
  return typeof key === 'string' && !HIDDEN.has(key) && !VUE_MARK.test(key);
}

function emptyKey(parent: string | undefined): string {
  const place = parent === undefined ? 'The path begins with an empty key' : `An empty key follows "${parent}"`;
  return `${place}, which leads to another operation. Check its value; for a slash at the end of a path, use "_empty_".`;
}

function pathArgument(argument: unknown): string {
  if (typeof argument === 'string') return argument;
  if (typeof argument === 'number' || typeof argument === 'bigint') return String(argument);
  throw new InvalidArgumentError(
    `chain() takes a path as a string, not ${argument === null ? 'null' : typeof argument}.`,
  );
}
