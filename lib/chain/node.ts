import { inspect } from 'node:util';
import { InvalidArgumentError } from '../errors';
import { segment } from './segment';

/** The HTTP methods of WeChat Pay's API. */
export const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

/** Carries out what a chain ends in. `path` is a URI template without a leading slash. */
export type Send = (verb: Verb, path: string, options: unknown) => unknown;

/** Each verb under its two names, in lower case: method names of wechatpay-php know no case. */
const verbs: ReadonlyMap<string, Verb> = new Map(
  VERBS.flatMap((verb) => [[verb, verb] as const, [`${verb}async`, verb]]),
);

/** Keys that must not look like functions: `await` would call the one, jest's matchers the other. */
const HIDDEN: ReadonlySet<PropertyKey> = new Set(['then', 'asymmetricMatch']);

/** Keys by which the language asks an object for its text. */
const TEXT: ReadonlySet<string> = new Set(['toString', 'toJSON', 'valueOf']);

interface Target {
  (): void;
  readonly send: Send;
  /** The path up to the parent, `undefined` at the root. */
  readonly parent: string | undefined;
  /** The key that led here, `undefined` at the root. */
  readonly key: string | undefined;
}

/**
 * The root of a chain: every property is a segment of a path, every verb a function that calls `send`.
 *
 * A node is a function and a path at once, since five paths of WeChat Pay end in a segment named `delete`. Nodes are
 * made anew at each access, so that a million different paths leave nothing behind.
 */
export function chain(send: Send): unknown {
  return node(send, undefined, undefined);
}

function node(send: Send, parent: string | undefined, key: string | undefined): unknown {
  const target: Target = Object.assign(() => {}, { send, parent, key, [inspect.custom]: print });
  return new Proxy(target, handler);
}

/** `inspect` takes this from the target and calls it on the proxy, so that `this` prints as its path. */
function print(this: unknown): string {
  return String(this);
}

function pathOf({ parent, key }: Target): string | undefined {
  return key === undefined ? parent : join(parent, key);
}

function join(parent: string | undefined, key: string): string {
  return parent === undefined ? segment(key) : `${parent}/${segment(key)}`;
}

function refuse(target: Target): never {
  throw new InvalidArgumentError(`"${pathOf(target) ?? '/'}" is a path: nothing on it can be set, defined or deleted.`);
}

const handler: ProxyHandler<Target> = {
  get(target, key) {
    if (key === Symbol.toPrimitive) return () => pathOf(target) ?? '/';
    if (key === inspect.custom) return print;
    if (typeof key === 'symbol' || HIDDEN.has(key)) return undefined;
    return node(target.send, pathOf(target), key);
  },

  apply(target, _this, [argument]: unknown[]) {
    const { send, parent, key } = target;
    if (key === undefined) throw new InvalidArgumentError('The client is not a function: begin with a path.');
    const verb = verbs.get(key.toLowerCase());
    if (verb !== undefined) return send(verb, parent ?? '', argument);
    if (key === 'chain') return node(send, parent, pathArgument(argument));
    if (TEXT.has(key)) return parent ?? '/';
    throw new InvalidArgumentError(
      `"${pathOf(target)}" is a path and not a function: end it with one of ${VERBS.join(', ')}, as in .get().`,
    );
  },

  has: (_target, key) => typeof key === 'string' && !HIDDEN.has(key),
  ownKeys: () => [],
  getOwnPropertyDescriptor: () => undefined,
  set: refuse,
  defineProperty: refuse,
  deleteProperty: refuse,
  setPrototypeOf: refuse,
  preventExtensions: refuse,
};

function pathArgument(argument: unknown): string {
  if (typeof argument === 'string') return argument;
  if (typeof argument === 'number' || typeof argument === 'bigint') return String(argument);
  throw new InvalidArgumentError(`chain() takes a path as text, not ${argument === null ? 'null' : typeof argument}.`);
}
