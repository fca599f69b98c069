import { InvalidArgumentError } from '../errors';
import type { Protocol } from './protocol/protocol';
import type { Handler, HandlerOptions } from './wire/request';

/** The HTTP methods that handlers can be set for. */
export const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

/** Handlers by verb and path. */
export interface Routes {
  /** Sets a handler, replacing an earlier one for the same verb and path. Returns a function that removes it. */
  set(verb: Verb, path: string, handler: Handler, options?: HandlerOptions): () => void;
  /** The handlers of a path, as in the request line. */
  match(protocol: Protocol, path: string): Match[];
  /** Forgets all handlers. */
  clear(): void;
}

export interface Match {
  readonly method: string;
  readonly handler: Handler;
  /** Whether its responses are signed. */
  readonly signed: boolean;
  readonly variables: Record<string, string>;
  /** The fewer variables, the more specific. */
  readonly weight: number;
}

interface Route {
  readonly protocol: Protocol;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: Handler;
  readonly signed: boolean;
}

export function createRoutes(): Routes {
  const routes = new Map<string, Route>();
  return {
    set(verb, path, handler, { signed = true } = {}) {
      if (!VERBS.includes(verb)) {
        throw new InvalidArgumentError(`Unknown verb "${String(verb)}"; valid verbs: ${VERBS.join(', ')}.`);
      }
      if (typeof handler !== 'function') {
        throw new InvalidArgumentError(`The handler of ${path} must be a function, not ${typeof handler}.`);
      }
      const method = verb.toUpperCase();
      const route = { method, handler, signed, ...compile(path) };
      const key = `${route.protocol} ${method} ${route.pattern.source}`;
      routes.set(key, route);
      return () => {
        if (routes.get(key) === route) routes.delete(key);
      };
    },
    match(protocol, path) {
      return [...routes.values()].flatMap(({ method, handler, signed, pattern, names, ...route }) => {
        const values = route.protocol === protocol ? pattern.exec(path)?.slice(1) : undefined;
        if (!values) return [];
        const variables = Object.fromEntries(names.map((name, i) => [name, decode(values[i])]));
        return [{ method, handler, signed, variables, weight: names.length }];
      });
    },
    clear: () => routes.clear(),
  };
}

/**
 * Turns a path with `{variables}` into a pattern over the path of a request line. A leading `v2/` names the protocol and
 * is not part of the address.
 */
function compile(template: string): Pick<Route, 'protocol' | 'pattern' | 'names'> {
  const [, v2, address = ''] = typeof template === 'string' ? (/^\/?(v2\/+)?(.*)$/is.exec(template) ?? []) : [];
  const pieces = address.split(/\{([\w.-]+)\}/);
  const literals = pieces.filter((_, i) => i % 2 === 0);
  if (pieces.join('') === '' || literals.some((literal) => /[{}?#]|^https?:/.test(literal))) {
    throw new InvalidArgumentError(
      `"${template}" is not a path of a handler: it looks like v3/pay/transactions/id/{transaction_id}, without a host and a query.`,
    );
  }
  const source = literals.map((literal) => escaped(encodeURI(literal))).join('([^/]+)');
  const names = pieces.filter((_, i) => i % 2 === 1);
  return { protocol: v2 === undefined ? 'v3' : 'v2', pattern: new RegExp(`^/${source}$`), names };
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
