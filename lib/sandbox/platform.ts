import type { Identities, Identity } from './identity';
import type { Check } from './protocol/check';
import { type Protocol, type ProtocolRules, protocolOfRequest } from './protocol/protocol';
import { v2Protocol } from './protocol/v2';
import { v3Protocol } from './protocol/v3';
import type { Match, Routes } from './routes';
import { distort, replace } from './wire/distort';
import type { Misbehaviour } from './wire/misbehaviour';
import { type IncomingRequest, pathOf, queryOf } from './wire/request';
import type { SandboxResponse } from './wire/response';

/** What was found of a request: who sent it, and whether it is as it should be. */
export interface Verdict {
  readonly protocol: Protocol;
  /** Merchant id, or brand id, where there is such an identity. */
  readonly mchid?: string | undefined;
  readonly checks: readonly Check[];
  /** What its signature should be over, as the sandbox built it; of v2 without the APIv2 key. */
  readonly toSign?: string | undefined;
}

/** Processes a request and makes its response. */
export type Platform = (
  request: IncomingRequest,
  how: Misbehaviour,
) => Promise<{ readonly response: SandboxResponse; readonly verdict: Verdict }>;

/**
 * The platform, without its connections.
 * @param routes where handlers are looked for: the most specific path wins, among equals that of the earlier routes
 */
export function createPlatform(identities: Identities, routes: readonly Routes[]): Platform {
  const protocols: Record<Protocol, ProtocolRules> = { v2: v2Protocol(identities), v3: v3Protocol(identities) };

  async function process(
    name: Protocol,
    request: IncomingRequest,
    identity: Identity,
    found: (check: Check) => void,
  ): Promise<SandboxResponse> {
    const protocol = protocols[name];
    const path = pathOf(request.target);
    const matches = routes.flatMap((some) => some.match(name, path)).sort((a, b) => a.weight - b.weight);
    const match = matches.find(({ method }) => method === request.method);
    return match
      ? responseTo(protocol, match, request, identity, found)
      : protocol.unknown(unknownTo(name, request.method, path, matches));
  }

  return async (request, how) => {
    const name = protocolOfRequest(request);
    const protocol = protocols[name];
    const { identity, refusal, checks: looked, toSign } = await protocol.identify(request);
    const checks = [...looked];
    const found = (check: Check) => void checks.push(check);
    const processed =
      refusal ?? (how.ignore ? await protocol.failing(500) : await process(name, request, identity, found));
    const response = await replace(processed, how, protocol);
    const now = Date.now();
    const isSealed = !refusal && !response.unsigned;
    const sealed = isSealed ? await protocol.seal(response, how, request, identity, Math.floor(now / 1000)) : response;
    const verdict = { protocol: name, mchid: identity?.id, checks, toSign };
    return { response: await distort(sealed, new Date(now), how), verdict };
  };
}

async function responseTo(
  protocol: ProtocolRules,
  match: Match,
  request: IncomingRequest,
  identity: Identity,
  found: (check: Check) => void,
): Promise<SandboxResponse> {
  const { handler, variables, signed } = match;
  const respond = async (result: unknown): Promise<SandboxResponse> => {
    const response = await protocol.respond(result, request, signed);
    return signed ? response : { ...response, unsigned: true };
  };
  const { method, target, headers, body, form } = request;
  const [path, query] = [pathOf(target), queryOf(target)];
  try {
    const content = read(protocol, request, found);
    const [mchid, files] = [identity.id, form?.files ?? []];
    return await respond(await handler({ mchid, method, path, variables, query, headers, body, files, ...content }));
  } catch (thrown) {
    if (protocol.isResponse(thrown)) return respond(thrown);
    return protocol.broken(`The handler of the sandbox failed: ${String(thrown)}`, request);
  }
}

/** What the handler is given of the body. @throws the response that refuses it */
function read(protocol: ProtocolRules, request: IncomingRequest, found: (check: Check) => void) {
  let ok = false;
  try {
    const content = protocol.read(request);
    ok = true;
    return content;
  } finally {
    found({ check: 'parameters', ok });
  }
}

function unknownTo(name: Protocol, method: string, path: string, matches: readonly Match[]): string {
  const others = matches.map((match) => match.method).join(', ');
  const known = others && ` It is known for ${others}.`;
  const template = name === 'v2' ? `v2${path}` : path.slice(1);
  const hint = `sandbox.on('${method.toLowerCase()}', '${template}', handler)`;
  return `The sandbox knows no ${method} ${path}.${known} Teach it by ${hint}.`;
}
