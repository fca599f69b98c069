import { InvalidArgumentError } from '../errors';
import { BASE_URL_RULE, readBaseUrl } from '../format/base-url';
import { expandTemplate } from '../format/uri-template';
import { type FileDigest, readDigest } from '../media/digest';
import type { Media } from '../media/media';
import type { CommonOptions } from '../openapi/options';
import { readFields, writeBody, writeXml } from './body';
import { isTimeout, TIMEOUT_RULE } from './deadline';
import { type WireHeaders, writeHeaders } from './headers';
import { type Protocol, protocolOf, refuseDotSegments, resolveTarget, type Target } from './target';

/** A request as it goes out, but for its signature. */
export interface WireRequest extends Target {
  method: string;
  headers: WireHeaders;
  body: string | Uint8Array | Media | undefined;
  timeout: number;
  signal: AbortSignal | undefined;
  /** The origin of the call's own `baseUrl`. */
  trustedOrigin: string | undefined;
  security: boolean;
  nonceless: boolean;
  download: boolean;
  unsigned: boolean;
  /** The hash that a downloaded file must have. */
  digest: FileDigest | undefined;
}

/** What a client gives to each of its requests. */
export interface RequestDefaults {
  baseUrl: URL;
  headers: Record<Protocol, WireHeaders>;
  timeout: number;
}

/** The names that mean an option; a URI variable of such a name is given by `variables`. */
const OPTIONS: ReadonlySet<string> = new Set([
  'json',
  'xml',
  'query',
  'headers',
  'body',
  'baseUrl',
  'timeout',
  'signal',
  'security',
  'nonceless',
  'download',
  'unsigned',
  'digest',
  'variables',
]);

/** What other clients call our options: taken for a URI variable, it would be lost. */
const ALIEN: Readonly<Record<string, string>> = {
  base_uri: 'baseUrl',
  baseURL: 'baseUrl',
  data: 'json',
  params: 'query',
  form_params: 'body',
  multipart: 'body',
};

/**
 * Builds a request from the options of a call.
 * @param template the path, as a URI template
 * @throws {@link InvalidArgumentError} where an option cannot be used
 */
export function buildRequest(verb: string, template: string, input: unknown, defaults: RequestDefaults): WireRequest {
  const options = readOptions(input);
  const variables = readVariables(options);
  const used = new Set<string>();
  const expanded = expandTemplate(template, (name) => {
    used.add(name);
    if (Object.hasOwn(variables, name)) return variables[name];
    if (!OPTIONS.has(name)) return Object.hasOwn(options, name) ? options[name] : undefined;
    throw new InvalidArgumentError(
      `The URI variable "${name}" of "${template}" has the name of an option: give it as variables: { ${name}: … }.`,
    );
  });
  refuseDotSegments(template, expanded);
  for (const [name, ours] of Object.entries(ALIEN)) {
    if (Object.hasOwn(options, name) && !used.has(name)) {
      throw new InvalidArgumentError(`"${name}" is neither an option nor a variable of "${template}": use "${ours}".`);
    }
  }

  const { baseUrl, timeout = defaults.timeout, signal } = options;
  const ownBase = baseUrl === undefined ? undefined : readBaseUrl(baseUrl);
  if (baseUrl !== undefined && !ownBase) throw new InvalidArgumentError(`"baseUrl" ${BASE_URL_RULE}.`);
  if (!isTimeout(timeout)) throw new InvalidArgumentError(`"timeout" ${TIMEOUT_RULE}.`);
  if (options.digest !== undefined) readDigest(options.digest);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('"signal" must be an AbortSignal.');
  }
  const protocol = protocolOf(expanded);
  const isXml = protocol === 'v2';
  const isGet = verb === 'get';
  const query = isXml && isGet ? (readFields(options.xml) ?? options.query) : options.query;
  return {
    ...resolveTarget(expanded, ownBase ?? defaults.baseUrl, query),
    method: verb.toUpperCase(),
    headers: writeHeaders(options.headers, defaults.headers[protocol]),
    body: isXml ? (isGet ? undefined : writeXml(options.xml, options.body)) : writeBody(options.json, options.body),
    timeout,
    signal,
    trustedOrigin: ownBase?.origin,
    security: Boolean(options.security),
    nonceless: Boolean(options.nonceless),
    download: Boolean(options.download),
    unsigned: Boolean(options.unsigned),
    digest: options.digest,
  };
}

type Options = CommonOptions & Record<string, unknown>;

function readOptions(input: unknown = {}): Options {
  if (typeof input !== 'object' || input === null) {
    throw new InvalidArgumentError(
      `The options must be an object, not ${input === null ? 'null' : `a ${typeof input}`}.`,
    );
  }
  return input as Options;
}

function readVariables({ variables = {} }: Options): Readonly<Record<string, unknown>> {
  if (typeof variables !== 'object' || variables === null) {
    throw new InvalidArgumentError('"variables" must be an object: the URI variables by name.');
  }
  return variables;
}
