import { findOperation, segmentsOf } from './trait-of';

/** A query as passed to a client: `instance.chain(path)[verb](options)`. */
export interface OutcomeCall {
  readonly verb: 'get' | 'post';
  /** Its path, with variables in braces. */
  readonly path: string;
  readonly options: Readonly<Record<string, unknown>>;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * The query for the outcome of a call: for `POST v3/refund/domestic/refunds`, the query of the refund by `out_refund_no`.
 * @param verb verb of the call, in lower case
 * @param path path of the call, with variables filled in or in braces
 * @param options options of the call, as passed by the caller
 * @param mchid merchant id of the client, for queries that need it if the call does not contain it
 * @returns `undefined` if the operation has no such query, or the options lack the number it needs
 */
export function outcomeQueryOf(verb: string, path: string, options: Members, mchid?: string): OutcomeCall | undefined {
  const segments = segmentsOf(path);
  const operation = findOperation(verb, segments);
  const outcome = operation?.trait.outcome;
  if (operation === undefined || outcome === undefined) return undefined;
  const call = { ...options, ...members(options.variables), ...variablesOf(operation.template, segments) };
  const query: Record<string, unknown> = {};
  for (const [place, source] of Object.entries(outcome.take)) {
    const value = read(call, source);
    if (value === undefined) return undefined;
    write(query, place, value);
  }
  for (const [place, source] of Object.entries(outcome.also ?? {})) {
    const value = read(call, source);
    if (value !== undefined) write(query, place, value);
  }
  for (const [place, value] of Object.entries(outcome.fixed ?? {})) write(query, place, value);
  if (outcome.own !== undefined) {
    if (mchid === undefined) return undefined;
    write(query, outcome.own, mchid);
  }
  // v2: signed by the hash of the call; some operations allow but one.
  const signType = query.xml === undefined ? undefined : read(call, 'xml.sign_type');
  if (signType !== undefined) write(query, 'xml.sign_type', signType);
  return { verb: outcome.verb, path: outcome.path, options: query };
}

/** The variables filled in in a path; those in braces are in the options. */
function variablesOf(template: string, segments: readonly string[]): Members {
  const variables: Record<string, string> = {};
  for (const [index, segment] of template.split('/').entries()) {
    const value = segments[index];
    if (segment.startsWith('{') && value !== undefined && !value.startsWith('{')) {
      variables[segment.slice(1, -1)] = decoded(value);
    }
  }
  return variables;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The value at a location, if it can be a number or a name. */
function read(options: Members, place: string): string | number | bigint | undefined {
  const [name = '', member] = place.split('.');
  const holder = member === undefined ? options : members(options[name]);
  const value = Object.hasOwn(holder, member ?? name) ? holder[member ?? name] : undefined;
  // A greater number is no longer the one that was written.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  return (typeof value === 'string' && value !== '') || typeof value === 'bigint' ? value : undefined;
}

function write(options: Record<string, unknown>, place: string, value: unknown): void {
  const [name = '', member] = place.split('.');
  options[name] = member === undefined ? value : { ...members(options[name]), [member]: value };
}

function members(value: unknown): Members {
  if (value instanceof URLSearchParams) return Object.fromEntries(value);
  if (typeof value === 'string') return Object.fromEntries(new URLSearchParams(value));
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
