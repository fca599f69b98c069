import type { Identity } from './identity';
import { type Protocol, type ProtocolRules, protocolOfRequest } from './protocol/protocol';
import { v2Protocol } from './protocol/v2';
import { v3Protocol } from './protocol/v3';
import type { Match, Routes } from './routes';
import { distort, replace } from './wire/distort';
import type { Misbehaviour } from './wire/misbehaviour';
import { type IncomingRequest, pathOf, queryOf } from './wire/request';
import type { SandboxResponse } from './wire/response';

/** Carries out a request and makes its response. */
export type Platform = (request: IncomingRequest, how: Misbehaviour) => Promise<SandboxResponse>;

/**
 * The platform, without its connections.
 * @param clock the time now, in milliseconds since 1970
 * @param routes where handlers are looked for: the most specific path wins, among equals that of the earlier routes
 */
export function createPlatform(credentials: Identity, clock: () => number, routes: readonly Routes[]): Platform {
  const protocols: Record<Protocol, ProtocolRules> = {
    v2: v2Protocol(credentials),
    v3: v3Protocol(credentials, clock),
  };

  async function carryOut(name: Protocol, request: IncomingRequest, how: Misbehaviour): Promise<SandboxResponse> {
    const protocol = protocols[name];
    const objection = await protocol.object(request);
    if (objection) return objection;
    if (how.ignore) return protocol.failing(500);
    const path = pathOf(request.target);
    const matches = routes.flatMap((some) => some.match(name, path)).sort((a, b) => a.weight - b.weight);
    const match = matches.find(({ method }) => method === request.method);
    return match
      ? responseTo(protocol, match, request)
      : protocol.unknown(unknownTo(name, request.method, path, matches));
  }

  return async (request, how) => {
    const name = protocolOfRequest(request);
    const protocol = protocols[name];
    const refused = await protocol.refuse(request);
    const response = await replace(refused ?? (await carryOut(name, request, how)), how, protocol);
    const now = clock();
    const isSealed = !refused && !response.unsigned;
    const sealed = isSealed ? await protocol.seal(response, how, request, Math.floor(now / 1000)) : response;
    return distort(sealed, new Date(now), how);
  };
}

async function responseTo(protocol: ProtocolRules, match: Match, request: IncomingRequest): Promise<SandboxResponse> {
  const { handler, variables, signed } = match;
  const respond = async (result: unknown): Promise<SandboxResponse> => {
    const response = await protocol.respond(result, request, signed);
    return signed ? response : { ...response, unsigned: true };
  };
  const { method, target, headers, body, form } = request;
  const [path, query] = [pathOf(target), queryOf(target)];
  try {
    const content = protocol.read(request);
    const files = form?.files ?? [];
    return await respond(await handler({ method, path, variables, query, headers, body, files, ...content }));
  } catch (thrown) {
    if (protocol.isResponse(thrown)) return respond(thrown);
    return protocol.broken(`The handler of the sandbox failed: ${String(thrown)}`, request);
  }
}

function unknownTo(name: Protocol, method: string, path: string, matches: readonly Match[]): string {
  const others = matches.map((match) => match.method).join(', ');
  const known = others && ` It is known for ${others}.`;
  const template = name === 'v2' ? `v2${path}` : path.slice(1);
  const hint = `sandbox.on('${method.toLowerCase()}', '${template}', handler)`;
  return `The sandbox knows no ${method} ${path}.${known} Teach it by ${hint}.`;
}
