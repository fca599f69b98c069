import { createHash } from 'node:crypto';
import type { Decrypt } from './check';
import { type Composition, composeObject } from './compose';
import type { Fact, FactField } from './fact';
import { catalogue, type KnownOperation } from './read';
import { fileOf, seeded } from './values';

/** What a response is made from. */
export interface SynthesisRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly query?: URLSearchParams;
  /** APIv3: the parsed JSON, or that of an upload's `meta`; v2: the fields. */
  readonly body?: unknown;
  /** APIv3: the body as it came. */
  readonly raw?: Buffer;
}

/** What the sandbox adds to the facts. */
export interface SynthesisContext {
  /** Where the sandbox listens, with a slash at its end. */
  readonly baseUrl: string;
  /** Encrypts a sensitive field for the reader; the key is `merchant`. */
  readonly encrypt: (plain: string, key: string) => string;
  /** Decrypts a sensitive field of the request, so that it can be repeated. */
  readonly decrypt?: Decrypt;
  /** The time in made-up values, in milliseconds since 1970: the same time makes the same response. */
  readonly time?: number;
  /** Members to repeat if the request lacks them: `{ mchid, appid }`. */
  readonly defaults?: Readonly<Record<string, unknown>>;
}

/** A response that was made from the facts. */
export interface Synthesised {
  readonly status: number;
  /** An object, for JSON or XML; `undefined` if the response is empty. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The response is this file. */
  readonly file?: Buffer;
  /** Where the user's browser is sent. */
  readonly location?: string;
}

/** 1 January 2026, noon, in China. */
const TIME = Date.UTC(2026, 0, 1, 4);

/**
 * Makes the response of an operation from its facts: every documented member, of its type. What the request has
 * under the same name and type is repeated. The same request gets the same response.
 */
export function synthesise(
  { fact }: KnownOperation,
  request: SynthesisRequest,
  { baseUrl, encrypt, decrypt, time = TIME, defaults = {} }: SynthesisContext,
): Synthesised {
  const isV2 = fact.protocol === 'v2';
  const { method, target, variables = {}, query = new URLSearchParams() } = request;
  const body = bodyOf(request.body, isV2);
  const seed = createHash('sha256')
    .update(`${method} ${target}\n`)
    .update(contentOf(request, body, isV2))
    .digest();
  if (fact.redirect) return { status: 302, location: redirectOf(body, query) ?? baseUrl };
  if (fact.download) return { status: 200, file: fileOf(query.get('token') ?? seed.toString('hex')) };
  if (fact.status !== undefined) return { status: fact.status };
  const given = [body, Object.fromEntries(query), variables, ...deeper(body), defaults];
  const isJson = fact.response_format === 'json';
  const composition: Composition = {
    random: seeded(seed),
    time,
    baseUrl,
    encrypt,
    isV2: isV2 && !isJson,
    given,
    sealed: sealedOf(fact.request),
    ...(decrypt && { decrypt: (text: string) => decrypt(text, 'platform') }),
  };
  return { status: 200, body: { ...composeObject(shownOf(fact), composition), ...(isV2 && !isJson && SUCCESS) } };
}

const SUCCESS = { return_code: 'SUCCESS', return_msg: 'OK', result_code: 'SUCCESS' };

/** v2: only failures have the first two; the protocol adds the others. */
const NOT_MADE: ReadonlySet<string> = new Set(['err_code', 'err_code_des', 'sign', 'nonce_str']);

function shownOf({ protocol, response }: Fact): readonly FactField[] {
  return protocol === 'v2' ? response.filter(({ name }) => !NOT_MADE.has(name)) : response;
}

/** For v2, without what differs each time. */
function bodyOf(body: unknown, isV2: boolean): Readonly<Record<string, unknown>> {
  const object = Object(body ?? {}) as Record<string, unknown>;
  if (!isV2) return object;
  const { nonce_str: _, sign: __, ...rest } = object;
  return rest;
}

/** What makes two requests equal. */
function contentOf({ raw }: SynthesisRequest, body: object, isV2: boolean): string | Buffer {
  if (raw && !isV2) return raw;
  try {
    return JSON.stringify(body);
  } catch {
    // Too deep for that; no operation is.
    return '';
  }
}

/** The objects inside a body, the outer ones first: their members may be repeated elsewhere. */
function deeper(body: object): Readonly<Record<string, unknown>>[] {
  const values: unknown[] = Object.values(body);
  for (let index = 0; index < Math.min(values.length, MOST); index += 1) {
    const value = values[index];
    if (typeof value === 'object' && value !== null) values.push(...Object.values(value).slice(0, MOST));
  }
  return values.filter(isObject);
}

/** How many values of a body are searched. */
const MOST = 1000;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The names of the fields that a request has encrypted. */
function sealedOf(fields: readonly FactField[], names = new Set<string>()): Set<string> {
  for (const { name, encrypted, fields: inner = [] } of fields) {
    if (encrypted !== undefined) names.add(name);
    sealedOf(inner, names);
  }
  return names;
}

function redirectOf(body: Readonly<Record<string, unknown>>, query: URLSearchParams): string | undefined {
  const address = query.get('redirect_uri') ?? body.redirect_uri;
  return typeof address === 'string' && /^https?:\/\//.test(address) ? address : undefined;
}

/** The content of a notification before encryption; given members replace made-up ones. */
export function synthesiseNotification(
  name: string,
  given: Readonly<Record<string, unknown>>,
  { baseUrl, encrypt, time = TIME, defaults = {} }: SynthesisContext,
): Record<string, unknown> | undefined {
  const fact = catalogue().notifications.get(name)?.fact;
  if (!fact) return undefined;
  const { alternatives, encrypted_in, envelope, resource, protocol, resource_format } = fact;
  const fields = alternatives?.[0] ?? (encrypted_in === undefined ? envelope : resource);
  const composition: Composition = {
    random: seeded(
      createHash('sha256')
        .update(`${name}\n${JSON.stringify(given)}`)
        .digest(),
    ),
    time,
    baseUrl,
    encrypt,
    isV2: protocol === 'v2' || resource_format === 'xml',
    given: [given, ...deeper(given), defaults],
  };
  return { ...composeObject(fields, composition), ...given };
}
