import { constants } from 'node:buffer';
import { InvalidArgumentError } from '../errors';
import { expandTemplate } from '../format/uri-template';
import { readBaseUrl } from '../format/url';
import { type Call, OPTION_NAMES, OPTIONS, type OptionName, type Options } from '../openapi/call';
import type { LooseOptions, Timeouts } from '../openapi/options';
import { marksOf, type Owner, ownerOf, type Protocol, protocolOfPath, traitOf } from '../openapi/trait-of';
import { isMedia } from '../upload/media';

const PHASES: Record<keyof Timeouts, true> = { total: true, connect: true, headers: true, body: true };

/**
 * Reads the `timeout` option; a number is the total.
 * @param fail creates the error
 */
export function readTimeouts(input: unknown, fail: (message: string) => Error): Timeouts {
  const timeouts = typeof input === 'object' && input !== null ? input : { total: input };
  for (const [name, value] of Object.entries(timeouts)) {
    const title = timeouts === input ? `"timeout.${name}"` : '"timeout"';
    if (!Object.hasOwn(PHASES, name))
      throw fail(`Unknown option ${title}. Valid options: ${Object.keys(PHASES).join(', ')}.`);
    if (value !== undefined && !isTimeout(value)) {
      throw fail(`${title} must be a number of milliseconds between 1 and 2147483647.`);
    }
  }
  return timeouts;
}

/** Whether `setTimeout` supports this delay. */
function isTimeout(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= 2 ** 31 - 1;
}

/** Dot segments; servers treat the encoded forms like the plain ones. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

const FLAGS = Object.entries(OPTIONS).flatMap(([name, kind]) => (kind === 'flag' ? [name] : []));

/** Names of our options in other clients. */
const ALIEN: Readonly<Record<string, OptionName>> = {
  base_uri: 'baseUrl',
  baseURL: 'baseUrl',
  data: 'json',
  params: 'query',
  form_params: 'body',
  multipart: 'body',
};

/** The maximum length of a mistaken name that an error repeats. */
const MAX_NAME = 64;

/** Whether a name is an option; a URI variable with such a name is passed in `variables`. */
function isOption(name: string): boolean {
  return Object.hasOwn(OPTIONS, name);
}

/** @throws {@link InvalidArgumentError} if they are not an object */
function readOptions(input: unknown = {}): Options {
  if (typeof input === 'object' && input !== null) return input as Options;
  throw new InvalidArgumentError(`The options must be an object, not ${describe(input)}.`);
}

/** Default maximum number of bytes of a file that `text()` and the like hold in memory. */
const MAX_BUFFER = 64 * 1024 * 1024;

/**
 * Reads the `maxBuffer` option.
 * @throws {@link InvalidArgumentError} if it is not a number of bytes that fits into a string
 */
export function readMaxBuffer(value: unknown = MAX_BUFFER): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= constants.MAX_STRING_LENGTH) {
    return value;
  }
  throw new InvalidArgumentError(
    `"maxBuffer" must be an integer number of bytes between 1 and ${constants.MAX_STRING_LENGTH}; read larger files as a stream.`,
  );
}

/** @throws {@link InvalidArgumentError} if they are not an object */
function readVariables({ variables = {} }: Options): Readonly<Record<string, unknown>> {
  if (typeof variables !== 'object' || variables === null || Array.isArray(variables)) {
    throw new InvalidArgumentError('"variables" must be an object of URI variable names and values.');
  }
  return variables;
}

/**
 * Reads a call.
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

/** Refuses variable values that produce a dot segment, because they would lead to another operation. */
function refuseDotSegments(template: string, expanded: string): void {
  if (countDotSegments(expanded) > countDotSegments(template.replace(/\{[^{}]+\}/g, 'x'))) {
    throw new InvalidArgumentError(`A value for "${template}" produces a "." or ".." path segment.`);
  }
}

function countDotSegments(path: string): number {
  return path.split(/[/?#\\]/).filter((segment) => DOT_SEGMENT.test(segment)).length;
}

/** The call that {@link checkOptions} checks. */
interface Given {
  verb: string;
  protocol: Protocol;
  /** The path as written. */
  template: string;
  options: Options;
  /** The URI variables of the path. */
  used: ReadonlyMap<string, unknown>;
}

/**
 * Refuses options with wrong values, and values that would be ignored.
 * @throws {@link InvalidArgumentError} that says what was expected, or what was probably meant
 */
function checkOptions(given: Given): void {
  checkFlags(given.options);
  refuseUnknown(given);
  refuseOtherBody(given);
}

/** A string such as `'false'`, if taken for true, would turn off verification. */
function checkFlags(options: Options): void {
  for (const name of FLAGS) {
    const value = options[name];
    if (value === undefined || typeof value === 'boolean') continue;
    throw new InvalidArgumentError(`"${name}" must be true or false, not ${describe(value)}.`);
  }
}

/** Names that are neither an option nor a path variable, for example if an order is passed as the options. */
function refuseUnknown(given: Given): void {
  const { template, options, used } = given;
  const unknown = Object.keys(options).filter((name) => !isOption(name) && !used.has(name));
  if (unknown.length === 0) return;
  const { name, advice } = adviceFor(unknown, given);
  const others = unknown.length > 1 ? ` (as are ${unknown.length - 1} more)` : '';
  throw new InvalidArgumentError(
    `${quoted(name)}${others} is neither an option nor a variable of "${template}": ${advice}`,
  );
}

function adviceFor(unknown: readonly string[], { verb, protocol, options, used }: Given) {
  const [first = ''] = unknown;
  const valid = [...OPTION_NAMES, ...used.keys()];
  for (const name of unknown) {
    if (Object.hasOwn(ALIEN, name)) return { name, advice: `use "${ALIEN[name]}".` };
    const meant = valid.find((one) => isTypo(name.toLowerCase(), one.toLowerCase()));
    if (meant !== undefined) return { name, advice: `did you mean "${meant}"?` };
  }
  const place = bodyOf(verb, protocol);
  const isFree = [place, 'body'].every((name) => options[name] === undefined);
  if (isFree) return { name: first, advice: `pass it as { ${place}: { ${quoted(first)}: … } }.` };
  return { name: first, advice: `valid options: ${valid.join(', ')}.` };
}

/** Options that carry the members of a request. */
function bodyOf(verb: string, protocol: Protocol): keyof LooseOptions {
  if (protocol === 'v2') return 'xml';
  return verb === 'get' || verb === 'delete' ? 'query' : 'json';
}

/** Each protocol has its own body option; with the other one, the request would be sent without a body. */
function refuseOtherBody({ protocol, template, options: { json, xml, body } }: Given): void {
  const hasBody = isGiven(body) && body !== '';
  if (protocol === 'v3' && isGiven(xml) && !isGiven(json) && !hasBody) {
    throw new InvalidArgumentError(`"xml" is for paths that begin with "v2/": "${template}" takes "json".`);
  }
  if (protocol === 'v3' || isGiven(xml) || isMedia(body)) return;
  if (isGiven(json)) throw new InvalidArgumentError(`"json" is for APIv3: "${template}" takes "xml".`);
  if (hasBody) {
    throw new InvalidArgumentError('The "body" of a v2 request must be a Media (an upload); pass fields as "xml".');
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Whether two names differ by one letter added, removed or changed, or by two letters swapped. */
function isTypo(given: string, name: string): boolean {
  let start = 0;
  while (start < given.length && given[start] === name[start]) start++;
  let end = 0;
  const most = Math.min(given.length, name.length) - start;
  while (end < most && given.at(-1 - end) === name.at(-1 - end)) end++;
  const [from, to] = [given.slice(start, given.length - end), name.slice(start, name.length - end)];
  return (from.length <= 1 && to.length <= 1) || (from.length === 2 && from === `${to[1]}${to[0]}`);
}

/** A name as JSON, so that untrusted control characters are escaped. */
function quoted(name: string): string {
  const shown = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const NEEDED: Record<Owner, string> = {
  brand: "a brand's client: Builder.factory({ brandId, serial, privateKey, certs })",
  merchant: "a merchant's client: Builder.factory({ mchid, serial, privateKey, certs })",
};

/**
 * Refuses the operations of brands on a merchant's client and those of merchants on a brand's: one client is one identity.
 * @param owner whose the client is
 * @param baseUrl the configured root of the API
 * @throws {@link InvalidArgumentError} that says which client the call needs
 */
export function refuseOtherOwner({ verb, path, options }: Call, owner: Owner, baseUrl: URL | undefined): void {
  const needed = ownerOf(path, readBaseUrl(options.baseUrl) ?? baseUrl);
  if (needed === undefined || needed === owner) return;
  throw new InvalidArgumentError(
    `${verb.toUpperCase()} ${path.split(/[?#]/, 1)[0]} is an operation for a ${needed}, and this client signs as a ` +
      `${owner}. Nothing was sent. Call it on ${NEEDED[needed]}.`,
  );
}
