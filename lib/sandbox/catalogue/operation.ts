import type { Paths } from '../../openapi/generated/paths';
import type { RequestOf, ResponseOf, VerbOf } from '../../openapi/operation';
import type { Verb } from '../routes';
import type { Handler, SandboxRequest } from '../wire/request';

/** The JSON body of an operation; `undefined` if it has none. */
export type JsonOf<Path extends keyof Paths, V extends VerbOf<Path>> =
  RequestOf<Path, V> extends { readonly json: infer Json } ? Json : undefined;

/** A handler of an operation of the catalogue: its body and what it returns have the types of the operation. */
export type HandlerOf<Path extends keyof Paths, V extends VerbOf<Path>> = (
  request: SandboxRequest<JsonOf<Path, V>>,
) => ResponseOf<Path, V> | Promise<ResponseOf<Path, V>>;

/** An operation of the catalogue, and its handler in the sandbox. */
export function operation<Path extends keyof Paths, V extends VerbOf<Path>>(
  verb: V,
  path: Path,
  handler: HandlerOf<Path, V>,
): [verb: Verb, path: string, handler: Handler] {
  // The platform has checked the body against the facts before it calls the handler.
  return [verb, path, handler as Handler];
}
