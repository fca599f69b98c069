import { operations } from './catalogue';
import { type Documented, type DocumentedOptions, documented, isSigned } from './documented';
import type { Identity } from './identity';
import type { Product } from './products/product';
import type { Check } from './protocol/check';
import { type Protocol, type ProtocolRules, protocolOfRequest } from './protocol/protocol';
import { v2Protocol } from './protocol/v2';
import { v3Protocol } from './protocol/v3';
import type { Match, Routes } from './routes';
import { certificateIssue, demandsCertificate } from './tls/merchant-certificate';
import { distort, replace } from './wire/distort';
import type { Misbehaviour } from './wire/misbehaviour';
import { type IncomingRequest, pathOf, queryOf, type SandboxRequest } from './wire/request';
import type { SandboxResponse } from './wire/response';

/** The handler of a request. */
type Found = Pick<Match, 'handler' | 'variables' | 'signed'> & Partial<Pick<Documented, 'validate'>>;
/** The verdict on a request: who sent it, and whether it is correct. */
export interface Verdict {
  readonly protocol: Protocol;
  /** Merchant id or brand id, if known. */
  readonly mchid?: string | undefined;
  readonly checks: readonly Check[];
  /** The string to sign, as the sandbox built it; for v2, without the APIv2 key. */
  readonly toSign?: string | undefined;
}

/** Processes a request and makes its response. */
export type Platform = (
  request: IncomingRequest,
  how: Misbehaviour,
) => Promise<{ readonly response: SandboxResponse; readonly verdict: Verdict }>;

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

  /** The user's handler, or the sandbox's own; otherwise the verbs that the path has. */
  function find(name: Protocol, { method, target }: IncomingRequest, identity: Identity): Found | string[] {
    const path = pathOf(target);
    const own = handlers.match(name, path).sort((a, b) => a.weight - b.weight);
    const handled = own.find((one) => one.method === method);
    if (handled) return handled;
    const { match, verbs } = operations.match(name, method, path);
    if (!match) return [...new Set([...own.map((one) => one.method), ...verbs.map((verb) => verb.toUpperCase())])];
    const { operation, variables } = match;
    const product = processed.get(`${operation.verb} ${operation.path}`);
    return { ...documented(operation, product, identity, options), variables, signed: isSigned(operation) };
  }

  async function process(
    name: Protocol,
    request: IncomingRequest,
    identity: Identity,
    found: (check: Check) => void,
  ): Promise<SandboxResponse> {
    const protocol = protocols[name];
    const { match } = operations.match(name, request.method, pathOf(request.target));
    if (demandsCertificate(request, match?.operation)) {
      const return_msg = certificateIssue(request, identity);
      found({ check: 'certificate', ok: return_msg === undefined });
      if (return_msg !== undefined) return protocol.respond({ return_code: 'FAIL', return_msg }, request, false);
    }
    const handling = find(name, request, identity);
    return Array.isArray(handling)
      ? protocol.unknown(unknownTo(name, request.method, pathOf(request.target), handling))
      : responseTo(protocol, handling, request, identity, found);
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
  match: Found,
  request: IncomingRequest,
  identity: Identity,
  found: (check: Check) => void,
): Promise<SandboxResponse> {
  const { handler, signed } = match;
  const respond = async (result: unknown): Promise<SandboxResponse> => {
    const response = await protocol.respond(result, request, signed);
    return signed ? response : { ...response, unsigned: true };
  };
  try {
    return await respond(await handler(read(protocol, match, request, identity, found)));
  } catch (thrown) {
    if (protocol.isResponse(thrown)) return respond(thrown);
    return protocol.broken(`The handler of the sandbox failed: ${String(thrown)}`, request);
  }
}

/** What the handler receives. @throws the response that refuses a request that differs from the documentation */
function read(
  protocol: ProtocolRules,
  { variables, validate }: Found,
  { method, target, headers, body, form }: IncomingRequest,
  identity: Identity,
  found: (check: Check) => void,
): SandboxRequest {
  let ok = false;
  try {
    const [path, query, files] = [pathOf(target), queryOf(target), form?.files ?? []];
    const content = protocol.read({ method, target, headers, body, form });
    const request = { mchid: identity.id, method, path, variables, query, headers, body, files, ...content };
    validate?.(request);
    ok = true;
    return request;
  } finally {
    found({ check: 'parameters', ok });
  }
}

function unknownTo(name: Protocol, method: string, path: string, verbs: readonly string[]): string {
  const known = verbs.length > 0 ? ` It exists for ${verbs.join(', ')}.` : '';
  const template = name === 'v2' ? `v2${path}` : path.slice(1);
  const hint = `sandbox.on('${method.toLowerCase()}', '${template}', handler)`;
  return `The sandbox has no ${method} ${path}.${known} Add a handler with ${hint}.`;
}
