import { type FileDigest, readDigest } from '../download/digest';
import { InvalidArgumentError } from '../errors';
import { fieldText, notXmlText } from '../format/fields';
import { type HeaderRecord, writeHeaders } from '../format/headers';
import { notWritable } from '../format/json';
import { BASE_URL_RULE, DEFAULT_BASE_URL, encodePath, encodeQuery, readBaseUrl, writeQuery } from '../format/url';
import { isXmlName, isXmlText } from '../format/xml-reader';
import type { Exchange } from '../middleware/dispatch-options';
import type { Call, Options } from '../openapi/call';
import type { Timeouts } from '../openapi/options';
import { type Protocol, protocolOfPath } from '../openapi/trait-of';
import { isMedia, type Media } from '../upload/media';
import { readMaxBuffer, readTimeouts } from './options';

/** A request ready to be signed and sent. */
export interface OutgoingRequest extends Target {
  /** Method and path, for errors. */
  label: string;
  method: string;
  headers: HeaderRecord;
  body: string | Uint8Array | Media | undefined;
  /** v2: the fields of the XML body, which the signer signs and writes. */
  fields: Readonly<Record<string, string>> | undefined;
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
  const query = protocol === 'v2' && verb === 'get' ? (readFields(options.xml) ?? options.query) : options.query;
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
    ...contentOf(options, protocol, verb),
    timeout,
    connectTimeout: timeouts.connect,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body ?? timeout,
    signal,
    retry,
    deadline: performance.now() + timeout,
    exchange: { attempts: 1, dispatched: false, ended: false, started: false, verified: false },
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

function contentOf(
  { json, xml, body }: Options,
  protocol: Protocol,
  verb: string,
): Pick<OutgoingRequest, 'body' | 'fields'> {
  if (protocol === 'v3') return { body: writeBody(json, body), fields: undefined };
  if (verb === 'get') return { body: undefined, fields: undefined };
  return isMedia(body) ? { body, fields: undefined } : { body: undefined, fields: readXmlFields(xml) };
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

/** The body of a request: the `json` option, unless it is null, or else `body`. */
export function writeBody(json: unknown, body: unknown): string | Uint8Array | Media | undefined {
  if (json !== undefined && json !== null) return writeJson(json);
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array || isMedia(body)) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (['number', 'bigint', 'boolean'].includes(typeof body)) return String(body);
  throw new InvalidArgumentError(
    '"body" must be a string, bytes or a Media; pass an object as "json", a file through Media.from().',
  );
}

/** What a name becomes that no element of XML can have, as wechatpay-php has it. */
const ITEM = 'item';

/**
 * The option `xml` as the fields of an XML body, which the signer signs and writes.
 * @throws {@link InvalidArgumentError} that names the field which XML cannot carry
 */
export function readXmlFields(xml: unknown): Record<string, string> | undefined {
  const given = readFields(xml);
  if (!given) return undefined;
  const fields = new Map<string, string>();
  for (const [key, text] of Object.entries(given)) {
    if (!isXmlText(text)) throw notXmlText(key);
    const name = isXmlName(key) ? key : ITEM;
    if (fields.has(name)) {
      throw new InvalidArgumentError(
        `"xml" has several fields to write as "${ITEM}", which v2 cannot sign: names that are not valid in XML become that.`,
      );
    }
    fields.set(name, text);
  }
  return Object.fromEntries(fields);
}

/**
 * Converts the `xml` option to the strings that are signed and sent.
 * @throws {@link InvalidArgumentError} that names a field whose value v2 cannot represent
 */
export function readFields(xml: unknown): Record<string, string> | undefined {
  if (xml === undefined || xml === null) return undefined;
  if (typeof xml !== 'object' || Array.isArray(xml)) {
    throw new InvalidArgumentError('"xml" must be an object of field names and values.');
  }
  return Object.fromEntries(Object.entries(xml).map(([name, value]) => [name, fieldText(name, value)]));
}

function writeJson(json: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(json);
    // A replacer is several times slower, so it is used only for JSON that may contain such a null.
    if (text?.includes('null')) JSON.stringify(json, refuseNotANumber);
  } catch (cause) {
    throw notWritable('json', cause);
  }
  if (text === undefined) throw new InvalidArgumentError(`"json" cannot be a ${typeof json}.`);
  return text;
}

/** `JSON.stringify` writes null for these, which would be an unintended amount. */
function refuseNotANumber(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`its member "${key}" is ${value}.`);
}

/** The target of a request: built once, then signed and sent unchanged. */
export interface Target {
  protocol: Protocol;
  /** Scheme, host and port. */
  origin: string;
  /** Path and query, as in the request line. */
  path: string;
}

/** RFC 3986, appendix B: scheme, authority, path, query; the fragment is never sent. */
const REFERENCE = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/is;

/**
 * Resolves a path against the base URL (RFC 3986, section 5).
 * @param reference path, or absolute URL, with its variables filled in
 * @param base base URL
 * @param query the `query` option: it replaces the query of the path, unless it is undefined or null
 */
export function resolveTarget(reference: string, base: URL, query: unknown): Target {
  const protocol = protocolOfPath(reference);
  const address = protocol === 'v2' ? reference.slice('v2/'.length) : reference;
  const [, scheme, authority, path = '', ownQuery = ''] = REFERENCE.exec(address) ?? [];
  const isAbsolute = scheme !== undefined || authority !== undefined;
  // A whole URL is taken as WeChat Pay issued it.
  if (!isAbsolute) refuseEmptySegment(protocol === 'v2' ? `v2/${path}` : path);
  const encoded = encodePath(isAbsolute ? path || '/' : merge(base.pathname, path));
  const search = query === undefined || query === null ? encodeQuery(ownQuery) : writeQuery(query);
  return {
    protocol,
    origin: isAbsolute ? originOf(scheme ?? base.protocol.slice(0, -1), authority) : base.origin,
    path: removeDotSegments(encoded) + (search && `?${search}`),
  };
}

/** A value that is empty would lead to another operation. A path may end in a slash, as two of WeChat Pay's do. */
function refuseEmptySegment(path: string): void {
  const at = path.indexOf('//');
  if (at < 0) return;
  throw new InvalidArgumentError(
    `The path "${path}" has an empty segment after "${path.slice(0, at)}", which would lead to another operation. ` +
      'Check the value that belongs there, or remove the second slash.',
  );
}

function originOf(scheme: string, authority: string | undefined): string {
  const url = `${scheme}://${authority ?? ''}`;
  if (!/^https?$/i.test(scheme) || !authority || authority.includes('@') || !URL.canParse(url)) {
    throw new InvalidArgumentError(
      `Not a WeChat Pay URL ("${scheme}:…"). Use the path only, such as "v3/certificates".`,
    );
  }
  return new URL(url).origin;
}

function merge(basePath: string, path: string): string {
  if (path.startsWith('/')) return path;
  return path === '' ? basePath : basePath.slice(0, basePath.lastIndexOf('/') + 1) + path;
}

function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const segments = path.split('/').slice(1);
  const kept: string[] = [];
  segments.forEach((segment, index) => {
    const isDot = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!isDot) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  });
  return `/${kept.join('/')}`;
}
