import { Response } from 'undici';
import { ConfigurationError, InvalidArgumentError } from '../../errors';
import type { Identities } from '../identity';
import type { ProductRoute } from '../products/product';
import { createRoutes, type Match } from '../routes';
import type { Store } from '../store';
import { type IncomingRequest, pathOf, queryOf, type SandboxRequest } from '../wire/request';
import { fault, frame, fromResponse, type Header, isResponse, type SandboxResponse } from '../wire/response';
import type { Guard } from './guard';

/** Processes requests below `/sandbox/`. */
export type Control = (request: IncomingRequest) => Promise<SandboxResponse>;

/** What the dispatch needs. */
export interface DispatchContext {
  readonly guard: Guard;
  readonly identities: Identities;
  readonly store: Store;
  /** The default merchant. */
  readonly merchant: string;
}

/** Responses are not embedded by pages of other origins, not cached, and not sniffed. */
const SAFE: readonly Header[] = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
];

/** Whether a request is for the sandbox itself, not for the simulated platform. */
export function isControl(target: string): boolean {
  return /^\/(?:sandbox(?:\/|$))?$|^\/sandbox\//.test(pathOf(target));
}

/**
 * The HTTP control API: JSON in, JSON out, errors as `{ code, message }`.
 * @param own rows of the sandbox itself: they receive the merchant that the query names, or an empty string
 * @param products rows of products: they receive the merchant that the query names, or the one that has the number
 */
export function createControl(
  context: DispatchContext,
  own: readonly ProductRoute[],
  products: readonly ProductRoute[],
): Control {
  const { guard, store } = context;
  const [ownRoutes, productRoutes] = [createRoutes(), createRoutes()];
  for (const [verb, path, handler] of own) ownRoutes.set(verb, path, handler);
  for (const [verb, path, handler] of products) productRoutes.set(verb, path, handler);

  async function process(request: IncomingRequest): Promise<unknown> {
    const { method, target } = request;
    const path = pathOf(target);
    const [ours, theirs] = [ownRoutes.match('v3', path), productRoutes.match('v3', path)];
    const all = [...ours, ...theirs].sort((a, b) => a.weight - b.weight);
    const match = all.find((one) => one.method === method);
    if (!match) return unknown(method, path, all);
    const merchants = asked(context, queryOf(target));
    const json = bodyOf(request);
    if (ours.includes(match)) return match.handler(requestFor(request, match, json, merchants.named ?? ''));
    return processProduct(request, match, json, merchants);
  }

  /** Without `?mchid=`, lists are of all merchants, and a number belongs to the merchant that has it. */
  async function processProduct(request: IncomingRequest, match: Match, json: unknown, { named, possible }: Asked) {
    if (named !== undefined) return match.handler(requestFor(request, match, json, named));
    const numbers = Object.values(match.variables);
    if (numbers.length > 0) {
      const mchid = await ownerOf(request, numbers, possible);
      return match.handler(requestFor(request, match, json, mchid));
    }
    if (request.method !== 'GET') return match.handler(requestFor(request, match, json, context.merchant));
    const lists: unknown[] = [];
    for (const mchid of possible) lists.push(await match.handler(requestFor(request, match, json, mchid)));
    return lists.length === 1 ? lists[0] : joined(lists);
  }

  /** The merchant that has a number: for all others, the row that shows it responds with 404. */
  async function ownerOf(request: IncomingRequest, numbers: string[], possible: readonly string[]): Promise<string> {
    if (possible.length < 2) return possible[0] ?? context.merchant;
    const [shown] = productRoutes.match('v3', shownPath(pathOf(request.target), numbers)).filter(isGet);
    if (!shown) return context.merchant;
    const owners: string[] = [];
    for (const mchid of possible) {
      const result = await settled(() => shown.handler(requestFor(request, shown, undefined, mchid)));
      if (!isResponse(result) || result.status !== 404) owners.push(mchid);
    }
    if (owners.length > 1) {
      const message = `Several merchants (${owners.join(', ')}) have ${numbers.join(', ')}: add ?mchid= to the path.`;
      throw fault(409, 'AMBIGUOUS', message);
    }
    return owners[0] ?? context.merchant;
  }

  return async (request) => {
    const result = guard(request) ?? (await settled(() => process(request)));
    // Before the response leaves.
    store.commit();
    const response = await responseOf(result);
    return frame({ ...response, headers: [...response.headers, ...SAFE] }, new Date());
  };
}

/** The merchants that a request may be about. */
interface Asked {
  readonly named: string | undefined;
  readonly possible: readonly string[];
}

function asked({ identities }: DispatchContext, query: URLSearchParams): Asked {
  const possible = identities.all().flatMap(({ kind, id }) => (kind === 'merchant' ? id : []));
  const named = query.get('mchid') ?? undefined;
  if (named !== undefined && !possible.includes(named)) {
    throw fault(404, 'RESOURCE_NOT_EXISTS', `The sandbox has no merchant "${named}"; it has ${possible.join(', ')}.`);
  }
  const protocol = query.get('protocol');
  if (protocol !== null && protocol !== 'v2' && protocol !== 'v3') {
    throw fault(400, 'PARAM_ERROR', `"protocol" must be v2 or v3; found "${protocol}".`);
  }
  return { named, possible };
}

function requestFor(
  { method, target, headers, body }: IncomingRequest,
  { variables }: Match,
  json: unknown,
  mchid: string,
): SandboxRequest {
  const [path, query] = [pathOf(target), queryOf(target)];
  return { mchid, method, path, variables, query, headers, body, json, xml: {}, files: [] };
}

/** The path up to its last variable: it shows what an action changes. */
function shownPath(path: string, numbers: readonly string[]): string {
  const segments = path.split('/');
  const last = segments.findLastIndex((segment) => numbers.some((number) => encodes(segment, number)));
  return segments.slice(0, last + 1).join('/');
}

function encodes(segment: string, text: string): boolean {
  try {
    return decodeURIComponent(segment) === text;
  } catch {
    return segment === text;
  }
}

function isGet({ method }: Match): boolean {
  return method === 'GET';
}

function bodyOf({ method, body, form }: IncomingRequest): unknown {
  if (form) throw fault(400, 'PARAM_ERROR', 'The body must be JSON.');
  if (body.length === 0) return method === 'GET' ? undefined : {};
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw fault(400, 'PARAM_ERROR', 'The body is not JSON in UTF-8.');
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw fault(400, 'PARAM_ERROR', 'The body must be a JSON object.');
}

function unknown(method: string, path: string, others: readonly Match[]): Response {
  if (others.length === 0) {
    return fault(404, 'RESOURCE_NOT_EXISTS', `The control API has no ${path}; see docs/sandbox-control.md.`);
  }
  const allow = others.map((other) => other.method).join(', ');
  const message = `${path} accepts ${allow}, not ${method}.`;
  return Response.json({ code: 'METHOD_NOT_ALLOWED', message }, { status: 405, headers: { allow } });
}

/** What a handler returns or throws; errors about arguments become responses. */
async function settled(handle: () => unknown): Promise<unknown> {
  try {
    return await handle();
  } catch (thrown) {
    if (isResponse(thrown)) return thrown;
    const isAsked = thrown instanceof InvalidArgumentError || thrown instanceof ConfigurationError;
    if (isAsked) return fault(400, 'INVALID_REQUEST', thrown.message);
    return fault(500, 'SYSTEM_ERROR', `The sandbox failed: ${String(thrown)}`);
  }
}

async function responseOf(result: unknown): Promise<SandboxResponse> {
  if (isResponse(result))
    return fromResponse(result, /^text\/event-stream/.test(result.headers.get('content-type') ?? ''));
  if (result === undefined) return { status: 204, headers: [], body: Buffer.alloc(0) };
  return fromResponse(Response.json(result));
}

/** Joins the lists of several merchants: each is an array, or an object with arrays. */
function joined(lists: readonly unknown[]): unknown {
  if (lists.every(Array.isArray)) return lists.flat();
  const merged: Record<string, unknown> = {};
  for (const list of lists) {
    for (const [name, value] of Object.entries(Object(list))) {
      const before = merged[name];
      merged[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
    }
  }
  return merged;
}
