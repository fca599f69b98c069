import type { Paths } from './generated/paths';
import type { ResponsePromise } from './response';

/** The HTTP verbs that WeChat Pay uses. */
export type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The verbs of the operations on this path. */
export type VerbOf<Path extends keyof Paths> = Extract<keyof Paths[Path], Verb>;

/**
 * The options of an operation: `RequestOf<'v3/pay/transactions/native', 'post'>['json']` is its body.
 * Paths are written as in the official documentation, with variables in braces.
 */
export type RequestOf<Path extends keyof Paths, V extends VerbOf<Path>> = Paths[Path] extends infer Node
  ? // `Node[V]` would make the compiler look at every path, whether these types are used or not.
    Node extends { readonly [Name in V]: (...options: infer Options) => unknown }
    ? Options extends readonly [(infer First)?]
      ? NonNullable<First>
      : never
    : never
  : never;

/**
 * The response of an operation: what `.json()` (v3) or `.xml()` (v2) gives, `undefined` where the response is empty,
 * a {@link Download} for a file.
 */
export type ResponseOf<Path extends keyof Paths, V extends VerbOf<Path>> = Paths[Path] extends infer Node
  ? Node extends { readonly [Name in V]: (...options: never) => infer Response }
    ? Response extends ResponsePromise<infer Result>
      ? Result
      : Awaited<Response>
    : never
  : never;
