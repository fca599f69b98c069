import { InvalidArgumentError } from '../errors';
import type { Handler } from './request';

/** The HTTP methods that handlers can be set for. */
export const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

/** Handlers by verb and path. */
export interface Routes {
  /** Sets a handler, in the place of the one before it for the same verb and path. Returns what removes it again. */
  set(verb: Verb, path: string, handler: Handler): () => void;
  /** The handlers that a path has. */
  match(path: string): Match[];
  /** Forgets all handlers. */
  clear(): void;
}

export interface Match {
  readonly method: string;
  readonly handler: Handler;
  readonly variables: Record<string, string>;
  /** The fewer variables, the more specific. */
  readonly weight: number;
}

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: Handler;
}

export function createRoutes(): Routes {
  const routes = new Map<string, Route>();
  return {
    set(verb, path, handler) {
      if (!VERBS.includes(verb)) {
        throw new InvalidArgumentError(`The verb of a handler is one of ${VERBS.join(', ')}, not ${String(verb)}.`);
      }
      if (typeof handler !== 'function') {
        throw new InvalidArgumentError(`The handler of ${path} must be a function, not ${typeof handler}.`);
      }
      const method = verb.toUpperCase();
      const route = { method, handler, ...compile(path) };
      const key = `${method} ${route.pattern.source}`;
      routes.set(key, route);
      return () => {
        if (routes.get(key) === route) routes.delete(key);
      };
    },
    match(path) {
      return [...routes.values()].flatMap(({ method, handler, pattern, names }) => {
        const values = pattern.exec(path)?.slice(1);
        if (!values) return [];
        const variables = Object.fromEntries(names.map((name, i) => [name, decode(values[i])]));
        return [{ method, handler, variables, weight: names.length }];
      });
    },
    clear: () => routes.clear(),
  };
}

/** Turns a path with `{variables}` into a pattern over the path of a request line. */
function compile(template: string): Pick<Route, 'pattern' | 'names'> {
  const pieces = typeof template === 'string' ? template.replace(/^\//, '').split(/\{([\w.-]+)\}/) : [''];
  const literals = pieces.filter((_, i) => i % 2 === 0);
  if (pieces.join('') === '' || literals.some((literal) => /[{}?#]|^https?:/.test(literal))) {
    throw new InvalidArgumentError(
      `"${template}" is not a path of a handler: it looks like v3/pay/transactions/id/{transaction_id}, without a host and a query.`,
    );
  }
  const source = literals.map((literal) => escaped(encodeURI(literal))).join('([^/]+)');
  return { pattern: new RegExp(`^/${source}$`), names: pieces.filter((_, i) => i % 2 === 1) };
}

function decode(value = ''): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]|]/g, '\\$&');
}
