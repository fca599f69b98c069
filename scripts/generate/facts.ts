import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { addressesOf, type Fact, type FactField, type FactNotification } from '../../lib/sandbox/catalogue/fact';
import type { Catalogue, Field, Operation, Webhook } from './catalogue';
import { HEADER } from './print';

/**
 * What the sandbox has to know at run time, as lines of JSON: the first is an index, then each operation and each
 * notification has a line of its own, so that only those that are used need to be parsed.
 */
export function factsText({ operations, webhooks }: Catalogue): string {
  const facts = operations.map(factOf);
  const notifications = webhooks.map(notificationOf);
  const index = {
    operations: facts.map((fact) => [fact.protocol, fact.verb, fact.path, ...addressesOf(fact)]),
    notifications: notifications.map(({ protocol, name }) => (protocol === 'v2' ? `v2/${name}` : name)),
    v2Fields: v2FieldsOf(operations),
  };
  return [index, ...facts, ...notifications].map((line) => JSON.stringify(line)).join('\n');
}

/**
 * Writes the facts as a module that holds them compressed; leaves the file alone where it holds the same.
 * @returns whether it was written
 */
export function writeFacts(file: string, text: string): boolean {
  if (existsSync(file)) {
    const [, held = ''] = /'([^']*)'/.exec(readFileSync(file, 'utf8')) ?? [];
    if (held !== '' && brotliDecompressSync(Buffer.from(held, 'base64')).toString() === text) return false;
  }
  const packed = brotliCompressSync(text).toString('base64');
  writeFileSync(
    file,
    `${HEADER}\n\n/** The facts of all operations and notifications: lines of JSON, compressed (Brotli), in Base64. */\nexport const FACTS: string =\n  '${packed}';\n`,
  );
  return true;
}

function factOf(operation: Operation): Fact {
  const { links, chain: _, chain_values: __, request, response, ...known } = operation;
  const { confirmed: ___, ...rest } = known as typeof known & { confirmed?: unknown };
  const [link] = links ?? [];
  return {
    ...rest,
    ...(link !== undefined && { link }),
    request: request.filter(({ name }) => !BY_CLIENT.has(name)).map(fieldOf),
    response: response.map(fieldOf),
  };
}

/** Rows of a request that are instructions to the client, and nothing that the platform sees. */
const BY_CLIENT: ReadonlySet<string> = new Set(['security', 'nonceless', 'base_uri']);

function notificationOf(webhook: Webhook): FactNotification {
  const { name, event_type, protocol, title, resource_format, encrypted_in, alternative_names, variants } = webhook;
  const { original_types, resource_types, alternatives, envelope, resource, links = [] } = webhook;
  const [link] = links;
  return {
    name,
    protocol,
    title,
    ...(event_type !== undefined && { event_type }),
    ...(link !== undefined && { link }),
    ...(resource_format && { resource_format }),
    ...(encrypted_in !== undefined && { encrypted_in }),
    ...(original_types && { original_types }),
    ...(resource_types && { resource_types }),
    ...(variants && { variants }),
    ...(alternative_names && { alternative_names }),
    envelope: envelope.map(fieldOf),
    resource: resource.map(fieldOf),
    ...(alternatives && { alternatives: alternatives.map((fields) => fields.map(fieldOf)) }),
  };
}

/** A field without what the sandbox has no use for. */
function fieldOf(field: Field): FactField {
  const { name, type, required, label, enum: tokens, closed, encrypted, key, encoded, maxLength, when, fields } = field;
  return {
    name,
    type,
    ...(required && { required }),
    ...(label !== undefined && { label }),
    ...(tokens && { enum: tokens }),
    ...(closed && { closed }),
    ...(encrypted !== undefined && { encrypted }),
    ...(key !== undefined && { key }),
    ...(encoded && { encoded }),
    ...(maxLength !== undefined && { maxLength }),
    ...(when !== undefined && { when }),
    ...(fields && { fields: fields.map(fieldOf) }),
  };
}

/** The fields that any request of v2 has. */
function v2FieldsOf(operations: readonly Operation[]): string[] {
  const requests = operations.filter(({ protocol }) => protocol === 'v2').map(({ request }) => request);
  return [...new Set(requests.flat().flatMap(({ fields = [] }) => fields.map(({ name }) => name)))].sort();
}
