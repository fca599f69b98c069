import { type FileDigest, readDigest } from '../download/digest';
import { InvalidArgumentError } from '../errors';
import { BASE_URL_RULE, DEFAULT_BASE_URL, readBaseUrl } from '../format/base-url';
import { type HeaderRecord, writeHeaders } from '../format/headers';
import { expandTemplate } from '../format/uri-template';
import type { Exchange } from '../middleware/dispatch-options';
import type { Call } from '../openapi/call';
import type { Timeouts } from '../openapi/options';
import { type Protocol, protocolOfPath } from '../openapi/protocol';
import { marksOf, traitOf } from '../openapi/trait-of';
import { isMedia, type Media } from '../upload/media';
import { readFields, writeBody, writeXml } from './body';
import { checkOptions, isOption, readMaxBuffer, readOptions, readTimeouts, readVariables } from './options';
import { refuseDotSegments, resolveTarget, type Target } from './target';

/** A request ready to be signed and sent. */
export interface OutgoingRequest extends Target {
  /** Method and path, for errors. */
  label: string;
  method: string;
  headers: HeaderRecord;
  body: string | Uint8Array | Media | undefined;
  /** Timeout for the whole call. */
  timeout: number;
  connectTimeout: number | undefined;
  headersTimeout: number | undefined;
  bodyTimeout: number;
  signal: AbortSignal | undefined;
  retry: boolean | undefined;
  deadline: number;
  exchange: Exchange;
  /** The variables of the path, by name. */
  variables: Readonly<Record<string, unknown>>;
  security: boolean;
  nonceless: boolean;
  download: boolean;
  unsigned: boolean;
  /** For a page in the user's browser, which is not called: the fragment of its URL, or an empty string. */
  redirectFragment: string | undefined;
  /** The expected hash of a downloaded file. */
  digest: FileDigest | undefined;
  /** Maximum number of bytes of a downloaded file to hold in memory. */
  maxBuffer: number;
}

/** What a client adds to each request. */
export interface RequestDefaults {
  /** The configured base URL, which also overrides the own base URLs of operations. */
  baseUrl: URL | undefined;
  headers: Record<Protocol, HeaderRecord>;
  timeouts: Timeouts;
  /** Whether requests are retried at all. */
  retries: boolean;
}

/** The timeout of a call, and the minimum for an upload unless the caller sets one, in milliseconds. */
const TIMEOUT = 10_000;
const UPLOAD_TIMEOUT = 30_000;

const DEFAULT_BASE = new URL(DEFAULT_BASE_URL);

/**
 * Parses a call.
 * @param template the path, as a URI template
 * @param baseUrl the configured base URL
 * @throws {@link InvalidArgumentError} if a variable is missing or invalid, or an option has no place in the request
 */
export function readCall(verb: string, template: string, input: unknown, baseUrl?: URL): Call {
  const options = readOptions(input);
  const variables = readVariables(options);
  const used = new Map<string, unknown>();
  const path = expandTemplate(template, (name) => {
    const given = [variables, options].find((values) => Object.hasOwn(values, name));
    used.set(name, given?.[name]);
    if (given === variables || !isOption(name)) return given?.[name];
    throw new InvalidArgumentError(
      `The URI variable "${name}" of "${template}" has the same name as an option; pass it as variables: { ${name}: … }.`,
    );
  });
  if (used.size > 0) refuseDotSegments(template, path);
  checkOptions({ verb, protocol: protocolOfPath(path), template, options, used });
  const trait = traitOf(verb, path) ?? marksOf(verb, path, readBaseUrl(options.baseUrl) ?? baseUrl);
  return { verb, path, options, trait: trait ?? {}, variables: Object.fromEntries(used) };
}

/**
 * Builds the request of a call. What is known of the operation applies unless the caller sets the option.
 * @throws {@link InvalidArgumentError} if an option is invalid
 */
export function buildRequest(call: Call, defaults: RequestDefaults): OutgoingRequest {
  const { verb, path, options, trait, serial, variables } = call;
  const { signal, digest, retry } = options;
  const own = options.timeout === undefined ? undefined : readTimeouts(options.timeout, fail);
  const timeouts = own ? { ...defaults.timeouts, ...own } : defaults.timeouts;
  const usual = defaults.timeouts.total ?? TIMEOUT;
  const timeout = own?.total ?? (isMedia(options.body) ? Math.max(usual, UPLOAD_TIMEOUT) : usual);
  const ownBase = readOwnBase(options.baseUrl);
  if (retry && !defaults.retries) throw fail('The "retry" option of a call requires "retry" in the configuration.');
  if (digest !== undefined) readDigest(digest);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('"signal" must be an AbortSignal.');
  }
  const protocol = protocolOfPath(path);
  const isXml = protocol === 'v2';
  const isGet = verb === 'get';
  const query = isXml && isGet ? (readFields(options.xml) ?? options.query) : options.query;
  const base = ownBase ?? defaults.baseUrl ?? (trait.base === undefined ? DEFAULT_BASE : new URL(trait.base));
  const target = resolveTarget(path, base, query);
  const method = verb.toUpperCase();
  return {
    label: `${method} ${target.path.split('?', 1)[0]}`,
    protocol,
    origin: target.origin,
    path: target.path,
    method,
    headers: headersOf(options.headers, serial, defaults.headers[protocol]),
    body: isXml ? (isGet ? undefined : writeXml(options.xml, options.body)) : writeBody(options.json, options.body),
    timeout,
    connectTimeout: timeouts.connect,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body ?? timeout,
    signal,
    retry,
    deadline: performance.now() + timeout,
    exchange: { attempts: 1, started: false, verified: false },
    variables,
    security: options.security ?? trait.security ?? false,
    nonceless: options.nonceless ?? trait.nonceless ?? false,
    download: options.download ?? trait.download ?? false,
    unsigned: options.unsigned ?? trait.unsigned ?? false,
    redirectFragment: trait.redirect,
    digest,
    maxBuffer: readMaxBuffer(options.maxBuffer),
  };
}

function fail(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message);
}

function headersOf(own: unknown, serial: string | undefined, defaults: HeaderRecord): HeaderRecord {
  if (own === undefined && serial === undefined) return defaults;
  return writeHeaders(own, serial === undefined ? defaults : { ...defaults, 'wechatpay-serial': serial });
}

function readOwnBase(baseUrl: unknown): URL | undefined {
  if (baseUrl === undefined) return undefined;
  const base = readBaseUrl(baseUrl);
  if (!base) throw new InvalidArgumentError(`"baseUrl" ${BASE_URL_RULE}.`);
  return base;
}
