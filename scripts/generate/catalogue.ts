import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TYPES = ['string', 'integer', 'number', 'boolean', 'object'] as const;

/** The type of a single value. */
export type ValueType = (typeof TYPES)[number];

/** A field, as the catalogue's README describes it. */
export interface Field {
  name: string;
  type: ValueType | `${ValueType}[]`;
  required: boolean;
  label?: string;
  enum?: string[];
  /** For a request enum: an official source lists the values, and all of them are here. */
  closed?: true;
  const?: true;
  encrypted?: string;
  key?: string;
  encoded?: 'json' | 'urlencode';
  maxLength?: number;
  when?: string;
  fields?: Field[];
}

/** The trees of operations: XML, JSON, and JSON signed as a brand. */
export const PROTOCOLS = ['v2', 'v3', 'brand'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** An operation, as the catalogue's README describes it. */
export interface Operation {
  path: string;
  verb: 'get' | 'post' | 'put' | 'patch' | 'delete';
  protocol: Protocol;
  title: string;
  links?: string[];
  /** Who signs the request; a merchant by default. */
  auth?: 'brand';
  chain?: string;
  chain_values?: Record<string, string>;
  upload?: true;
  download?: true;
  mtls?: true;
  nonceless?: true;
  base_uri?: string;
  redirect?: true;
  url?: string;
  status?: number;
  response_format?: 'json';
  response_on_error_only?: true;
  marks?: string[];
  request: Field[];
  response: Field[];
}

/** A notification, as the catalogue's README describes it. */
export interface Webhook {
  name: string;
  event_type?: string;
  protocol: 'v2' | 'v3';
  title: string;
  links?: string[];
  variants?: string[];
  original_types?: string[];
  resource_types?: string[];
  encrypted_in?: string;
  resource_format?: 'json' | 'xml';
  envelope: Field[];
  resource: Field[];
  /** The possible shapes of the resource; `resource` is their union. */
  alternatives?: Field[][];
  alternative_names?: string[];
}

export interface Catalogue {
  operations: Operation[];
  webhooks: Webhook[];
}

/**
 * Reads a catalogue.
 * @param folder where `operations.jsonl` and `webhooks.jsonl` are
 * @throws if a line is not JSON, or a field has a type that the catalogue's README does not list
 */
export function readCatalogue(folder: string): Catalogue {
  const operations = readLines<Operation>(join(folder, 'operations.jsonl'));
  const webhooks = readLines<Webhook>(join(folder, 'webhooks.jsonl'));
  for (const { path, verb, request, response } of operations) checkTypes(`${verb} ${path}`, [...request, ...response]);
  for (const { name, envelope, resource, alternatives = [] } of webhooks) {
    checkTypes(name, [...envelope, ...resource, ...alternatives.flat()]);
  }
  for (const { path, verb, protocol } of operations) {
    if (!PROTOCOLS.includes(protocol)) {
      throw new Error(`${verb} ${path}: the protocol "${protocol}" is not one of ${PROTOCOLS.join(', ')}.`);
    }
  }
  return { operations: sorted(operations, ({ path, verb }) => `${path} ${verb}`), webhooks };
}

function readLines<Row>(file: string): Row[] {
  const rows: Row[] = [];
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      rows.push(JSON.parse(line) as Row);
    } catch (cause) {
      throw new Error(`${file}:${index + 1} is not JSON.`, { cause });
    }
  }
  return rows;
}

function checkTypes(owner: string, fields: readonly Field[]): void {
  for (const { name, type, fields: inner = [] } of fields) {
    if (!TYPES.some((known) => type === known || type === `${known}[]`)) {
      throw new Error(`${owner}: the field "${name}" has the type "${type}", which is not one of ${TYPES.join(', ')}.`);
    }
    checkTypes(owner, inner);
  }
}

/** A copy sorted by the code units of a key, so that the order is the same on every machine. */
export function sorted<Item>(items: Iterable<Item>, key: (item: Item) => string): Item[] {
  return [...items]
    .map((item) => ({ item, key: key(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ item }) => item);
}
