import { operations } from './catalogue';
import { type DocumentedOptions, documented, isSigned } from './documented';
import type { Identity } from './identity';
import type { Product } from './products/product';
import { type Protocol, type ProtocolRules, protocolOfRequest } from './protocol/protocol';
import { v2Protocol } from './protocol/v2';
import { v3Protocol } from './protocol/v3';
import type { Match, Routes } from './routes';
import { distort, replace } from './wire/distort';
import type { Misbehaviour } from './wire/misbehaviour';
import { type IncomingRequest, pathOf, queryOf } from './wire/request';
import type { SandboxResponse } from './wire/response';

/** What handles a request. */
type Found = Pick<Match, 'handler' | 'variables' | 'signed'>;

/** Processes a request and makes its response. */
export type Platform = (request: IncomingRequest, how: Misbehaviour) => Promise<SandboxResponse>;

/** What the platform consists of. */
export interface PlatformOptions extends DocumentedOptions {
  /** The user's handlers; they take precedence. */
  readonly handlers: Routes;
  readonly products: readonly Product[];
}

/** The platform, without its connections. */
export function createPlatform({ handlers, products, ...options }: PlatformOptions): Platform {
  const { identities } = options;
  const protocols: Record<Protocol, ProtocolRules> = { v2: v2Protocol(identities), v3: v3Protocol(identities) };
  const processed = new Map(
    products.flatMap(({ routes }) => routes.map(([verb, path, handler]) => [`${verb} ${path}`, handler] as const)),
  );

  /** The user's handler, or what the sandbox does itself; otherwise the verbs that the path has. */
  function find(name: Protocol, { method, target }: IncomingRequest, identity: Identity): Found | string[] {
    const path = pathOf(target);
    const own = handlers.match(name, path).sort((a, b) => a.weight - b.weight);
    const handled = own.find((one) => one.method === method);
    if (handled) return handled;
    const { match, verbs } = operations.match(name, method, path);
    if (!match) return [...new Set([...own.map((one) => one.method), ...verbs.map((verb) => verb.toUpperCase())])];
    const { operation, variables } = match;
    const handler = documented(operation, processed.get(`${operation.verb} ${operation.path}`), identity, options);
    return { handler, variables, signed: isSigned(operation) };
  }

  async function process(name: Protocol, request: IncomingRequest, identity: Identity): Promise<SandboxResponse> {
    const protocol = protocols[name];
    const found = find(name, request, identity);
    return Array.isArray(found)
      ? protocol.unknown(unknownTo(name, request.method, pathOf(request.target), found))
      : responseTo(protocol, found, request, identity);
  }

  return async (request, how) => {
    const name = protocolOfRequest(request);
    const protocol = protocols[name];
    const { identity, refusal } = await protocol.identify(request);
    const processed = refusal ?? (how.ignore ? await protocol.failing(500) : await process(name, request, identity));
    const response = await replace(processed, how, protocol);
    const now = Date.now();
    const isSealed = !refusal && !response.unsigned;
    const sealed = isSealed ? await protocol.seal(response, how, request, identity, Math.floor(now / 1000)) : response;
    return distort(sealed, new Date(now), how);
  };
}

async function responseTo(
  protocol: ProtocolRules,
  match: Found,
  request: IncomingRequest,
  identity: Identity,
): Promise<SandboxResponse> {
  const { handler, variables, signed } = match;
  const respond = async (result: unknown): Promise<SandboxResponse> => {
    const response = await protocol.respond(result, request, signed);
    return signed ? response : { ...response, unsigned: true };
  };
  const { method, target, headers, body, form } = request;
  const [path, query] = [pathOf(target), queryOf(target)];
  try {
    const content = protocol.read(request);
    const [mchid, files] = [identity.id, form?.files ?? []];
    return await respond(await handler({ mchid, method, path, variables, query, headers, body, files, ...content }));
  } catch (thrown) {
    if (protocol.isResponse(thrown)) return respond(thrown);
    return protocol.broken(`The handler of the sandbox failed: ${String(thrown)}`, request);
  }
}

function unknownTo(name: Protocol, method: string, path: string, verbs: readonly string[]): string {
  const known = verbs.length > 0 ? ` It exists for ${verbs.join(', ')}.` : '';
  const template = name === 'v2' ? `v2${path}` : path.slice(1);
  const hint = `sandbox.on('${method.toLowerCase()}', '${template}', handler)`;
  return `The sandbox has no ${method} ${path}.${known} Add a handler by ${hint}.`;
}
