import { type FactField, type KnownOperation, operations, type RequestParts } from '../../../lib/sandbox/catalogue';
import { composeObject } from '../../../lib/sandbox/catalogue/compose';
import { seeded } from '../../../lib/sandbox/catalogue/values';

const MARK = 'sealed:';

/** Stands in for RSA, which would take minutes for all operations. */
export const encrypt = (plain: string): string => MARK + plain;
export const decrypt = (text: string): string | undefined =>
  text.startsWith(MARK) ? text.slice(MARK.length) : undefined;

export const baseUrl = 'http://127.0.0.1:1/';

const source = { time: Date.UTC(2026, 0, 1), baseUrl, encrypt };

/** A request with all documented members, or with those alone that are required. */
export interface Sample {
  operation: KnownOperation;
  variables: Record<string, string>;
  query: Record<string, string>;
  /** As `validate` takes it: JSON, the JSON of an upload's `meta`, or the texts of v2. */
  body: Record<string, unknown> | undefined;
  files: string[];
}

/**
 * A request that is right.
 * @param onlyRequired without the members that may be missing
 * @param given values of members by their names, such as `{ mch_id: '1900000109' }`
 */
export function sampleOf(
  operation: KnownOperation,
  onlyRequired: boolean,
  given: Record<string, unknown> = {},
): Sample {
  const isV2 = operation.protocol === 'v2';
  const make = (fields: readonly FactField[], isText: boolean) =>
    composeObject(fields, {
      ...source,
      given: [given],
      isV2: isText,
      onlyRequired,
      random: seeded(Buffer.from(operation.path)),
    });
  const rows = rowsOf(operation);
  const texts = Object.entries(make(rows.query, false)).map(([name, value]) => [name, String(value)]);
  const body = rows.body && make(rows.body, isV2);
  return {
    operation,
    variables: Object.fromEntries(rows.path.map(({ name, enum: tokens }) => [name, tokens?.[0] ?? '7'])),
    query: Object.fromEntries(texts),
    body: body && isV2 ? Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)])) : body,
    files: operation.fact.upload ? ['file'] : [],
  };
}

/** The documented fields of the parts of a request. */
export function rowsOf({ fact, protocol }: KnownOperation): {
  path: readonly FactField[];
  query: readonly FactField[];
  body: readonly FactField[] | undefined;
} {
  const row = (name: string) => fact.request.find((field) => field.name === name)?.fields;
  const path = fact.request.filter(({ name }) => fact.path.includes(`{${name}}`));
  const form = row('body');
  if (protocol === 'v2') {
    // By GET the fields stand in the query, and are handed over as the body.
    const isGet = fact.verb === 'get';
    const fields = (isGet ? row('query') : (row('xml') ?? form)) ?? [];
    return { path, query: isGet ? [] : (row('query') ?? []), body: fields.filter(({ type }) => type !== 'object') };
  }
  const meta = form?.find(({ name }) => name === 'meta')?.fields;
  return { path, query: row('query') ?? [], body: row('json') ?? meta };
}

export function partsOf({ variables, query, body, files }: Sample): RequestParts {
  return { variables, query: new URLSearchParams(query), body, files };
}

/** All operations, as `[name, operation]`. */
export const everyOperation = (): KnownOperation[] => [...operations.all()];

export const nameOf = ({ verb, path }: KnownOperation): string => `${verb} ${path}`;
