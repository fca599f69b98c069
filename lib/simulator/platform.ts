import type { Response } from 'undici';
import { type Answer, isResponse, toAnswer } from './answer';
import { authorizer } from './authorization';
import type { Credentials } from './credentials';
import { distort, replace, seal } from './distort';
import { fault, paramError } from './fault';
import type { Misbehaviour } from './misbehaviour';
import { type Handler, pathOf, queryOf, type SimulatedRequest, type WireRequest } from './request';
import type { Routes } from './routes';

/** Carries out a request and makes its answer. */
export type Platform = (request: WireRequest, how: Misbehaviour) => Promise<Answer>;

/**
 * The platform, without its connections.
 * @param clock the time now, in milliseconds since 1970
 * @param routes where handlers are looked for: the most specific path wins, among equals that of the earlier routes
 */
export function createPlatform(credentials: Credentials, clock: () => number, routes: readonly Routes[]): Platform {
  const { merchant, platform } = credentials;
  const authorize = authorizer(merchant, clock);

  async function carryOut(request: WireRequest, how: Misbehaviour): Promise<Answer> {
    const serial = request.headers['wechatpay-serial'];
    if (serial !== undefined && serial !== platform.serial) {
      const issue = `names a key that the platform does not have; it has ${platform.serial}`;
      return toAnswer(paramError('header', 'Wechatpay-Serial', issue, serial));
    }
    if (how.ignore) return toAnswer(fault(500, 'SYSTEM_ERROR', 'The simulator was told to ignore this request.'));

    const path = pathOf(request.target);
    const matches = routes.flatMap((some) => some.match(path)).sort((a, b) => a.weight - b.weight);
    const match = matches.find(({ method }) => method === request.method);
    if (!match) {
      const others = matches.map(({ method }) => method).join(', ');
      return toAnswer(notFound(request.method, path, others));
    }
    return answerOf(match.handler, () => ({
      method: request.method,
      path,
      variables: match.variables,
      query: queryOf(request.target),
      headers: request.headers,
      json: parseJson(request),
      body: request.body,
    }));
  }

  return async (request, how) => {
    const refused = lackingHeader(request) ?? (await authorize(request));
    const answer = await replace(await (refused ? toAnswer(refused) : carryOut(request, how)), how);
    const now = clock();
    const signing = { time: Math.floor(now / 1000), signer: platform, other: merchant };
    const signed = refused || answer.status === 401 ? answer : await seal(answer, how, signing);
    return distort(signed, new Date(now), how);
  };
}

/** WeChat Pay looks at these headers before it looks at the signature. */
function lackingHeader({ headers }: WireRequest): Response | undefined {
  const lacking = ['Accept', 'User-Agent'].filter((name) => !headers[name.toLowerCase()]);
  if (lacking.length === 0) return undefined;
  return fault(400, 'INVALID_REQUEST', `The request lacks the header ${lacking.join(' and ')}.`);
}

function notFound(method: string, path: string, others: string): Response {
  const known = others && ` It is known for ${others}.`;
  const hint = `simulator.on('${method.toLowerCase()}', '${path.slice(1)}', handler)`;
  return fault(404, 'RESOURCE_NOT_EXISTS', `The simulator knows no ${method} ${path}.${known} Teach it by ${hint}.`);
}

async function answerOf(handler: Handler, request: () => SimulatedRequest): Promise<Answer> {
  try {
    return await toAnswer(await handler(request()));
  } catch (thrown) {
    if (isResponse(thrown)) return toAnswer(thrown);
    return toAnswer(fault(500, 'SYSTEM_ERROR', `The handler of the simulator failed: ${String(thrown)}`));
  }
}

/** @throws the answer that refuses a body which should be JSON and is not */
function parseJson({ headers, body }: WireRequest): unknown {
  const type = headers['content-type'] ?? 'application/json';
  if (body.length === 0 || !/[/+]json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw paramError('body', 'body', 'is not JSON in UTF-8');
  }
}
