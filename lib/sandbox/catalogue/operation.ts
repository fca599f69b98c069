import type { Paths } from '../../openapi/generated/paths';
import type { ResponseOf, VerbOf } from '../../openapi/operation';
import type { Verb } from '../routes';
import type { Handler, SandboxRequest } from '../wire/request';

/** A handler of an operation of the catalogue: what it returns has the type of the operation's response. */
export type HandlerOf<Path extends keyof Paths, V extends VerbOf<Path>> = (
  request: SandboxRequest,
) => ResponseOf<Path, V> | Promise<ResponseOf<Path, V>>;

/** What the sandbox does by itself for an operation of the catalogue. */
export function operation<Path extends keyof Paths, V extends VerbOf<Path>>(
  verb: V,
  path: Path,
  handler: HandlerOf<Path, V>,
): [verb: Verb, path: string, handler: Handler] {
  return [verb, path, handler];
}
