import type { Credentials } from './identity';
import { type Protocol, type ProtocolName, protocolOf } from './protocol/protocol';
import { v2Protocol } from './protocol/v2';
import { v3Protocol } from './protocol/v3';
import type { Match, Routes } from './routes';
import { distort, replace } from './wire/distort';
import type { Misbehaviour } from './wire/misbehaviour';
import { pathOf, queryOf, type WireRequest } from './wire/request';
import type { Answer } from './wire/response';

/** Carries out a request and makes its answer. */
export type Platform = (request: WireRequest, how: Misbehaviour) => Promise<Answer>;

/**
 * The platform, without its connections.
 * @param clock the time now, in milliseconds since 1970
 * @param routes where handlers are looked for: the most specific path wins, among equals that of the earlier routes
 */
export function createPlatform(credentials: Credentials, clock: () => number, routes: readonly Routes[]): Platform {
  const protocols: Record<ProtocolName, Protocol> = {
    v2: v2Protocol(credentials),
    v3: v3Protocol(credentials, clock),
  };

  async function carryOut(name: ProtocolName, request: WireRequest, how: Misbehaviour): Promise<Answer> {
    const protocol = protocols[name];
    const objection = await protocol.object(request);
    if (objection) return objection;
    if (how.ignore) return protocol.failing(500);
    const path = pathOf(request.target);
    const matches = routes.flatMap((some) => some.match(name, path)).sort((a, b) => a.weight - b.weight);
    const match = matches.find(({ method }) => method === request.method);
    return match
      ? answerOf(protocol, match, request)
      : protocol.unknown(unknownTo(name, request.method, path, matches));
  }

  return async (request, how) => {
    const name = protocolOf(request);
    const protocol = protocols[name];
    const refused = await protocol.refuse(request);
    const answer = await replace(refused ?? (await carryOut(name, request, how)), how, protocol);
    const now = clock();
    const isSealed = !refused && !answer.unsigned;
    const sealed = isSealed ? await protocol.seal(answer, how, request, Math.floor(now / 1000)) : answer;
    return distort(sealed, new Date(now), how);
  };
}

async function answerOf(protocol: Protocol, match: Match, request: WireRequest): Promise<Answer> {
  const { handler, variables, signed } = match;
  const toAnswer = async (result: unknown): Promise<Answer> => {
    const answer = await protocol.toAnswer(result, request, signed);
    return signed ? answer : { ...answer, unsigned: true };
  };
  const { method, target, headers, body, form } = request;
  const [path, query] = [pathOf(target), queryOf(target)];
  try {
    const content = protocol.read(request);
    const files = form?.files ?? [];
    return await toAnswer(await handler({ method, path, variables, query, headers, body, files, ...content }));
  } catch (thrown) {
    if (protocol.isAnswer(thrown)) return toAnswer(thrown);
    return protocol.broken(`The handler of the sandbox failed: ${String(thrown)}`, request);
  }
}

function unknownTo(name: ProtocolName, method: string, path: string, matches: readonly Match[]): string {
  const others = matches.map((match) => match.method).join(', ');
  const known = others && ` It is known for ${others}.`;
  const template = name === 'v2' ? `v2${path}` : path.slice(1);
  const hint = `sandbox.on('${method.toLowerCase()}', '${template}', handler)`;
  return `The sandbox knows no ${method} ${path}.${known} Teach it by ${hint}.`;
}
