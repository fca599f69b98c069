import { type Field, type Operation, sorted } from './catalogue';
import { memberName, quoted, variableOf } from './names';
import { type Outcome, outcomesOf } from './outcomes';
import { HEADER } from './print';

/** Prints the table of traits: of each product, what is known of its operations, by verb and path. */
export function printTraits(operations: readonly Operation[]): string {
  const outcomes = outcomesOf(operations);
  const traits = new Map(operations.map((operation) => [operation, traitOf(operation, outcomes.get(operation))]));
  const special = operations.filter((operation) => Object.keys(traits.get(operation) ?? {}).length > 0);
  const areas = new Map<string, Row[]>();
  for (const operation of [...special, ...plainShadows(operations, special)]) {
    const { path, verb } = operation;
    const area = path.split('/', 2).join('/');
    const row = { key: `${path} ${verb}`, name: `${verb} ${path}`, traits: traits.get(operation) ?? {} };
    areas.set(area, [...(areas.get(area) ?? []), row]);
  }
  const aliases = operations.flatMap(({ chain, path }) => (chain ? [`${quoted(chain)}: ${quoted(path)},`] : []));
  return `${HEADER}
import type { Trait } from '../trait';

/**
 * What the client needs to know of an operation besides its path and verb, by the first two segments of its path. A path
 * without traits takes precedence over a template. Each product is a function, so it takes no memory until it is used.
 */
export const TRAITS: Readonly<Record<string, () => Readonly<Record<string, Trait>>>> = {
${sorted(areas, ([area]) => area)
  .map(([area, rows]) => `${quoted(area)}: () => ${printArea(sorted(rows, ({ key }) => key))},`)
  .join('\n')}
};

/** Templates that are aliases of another path. */
export const ALIASES: Readonly<Record<string, string>> = {
${aliases.join('\n')}
};
`;
}

interface Row {
  key: string;
  name: string;
  traits: Record<string, Literal>;
}

/** The operations of a product. Identical values are shared: the query of an order that several operations create. */
function printArea(rows: readonly Row[]): string {
  const counts = new Map<string, number>();
  for (const { traits } of rows) {
    for (const value of Object.values(traits)) counts.set(literal(value), (counts.get(literal(value)) ?? 0) + 1);
  }
  const repeated = [...counts].filter(([text, count]) => /^[{[]/.test(text) && count > 1).map(([text]) => text);
  const names = new Map(repeated.map((text, index) => [text, `same${index + 1}`]));
  const lines = rows.map(({ name, traits }) => {
    const members = Object.entries(traits).map(
      ([key, value]) => `${key}: ${names.get(literal(value)) ?? literal(value)}`,
    );
    return `${quoted(name)}: { ${members.join(', ')} },`;
  });
  if (names.size === 0) return `({\n${lines.join('\n')}\n})`;
  const constants = [...names].map(([text, name]) => `const ${name} = ${text} as const;`);
  return `{\n${constants.join('\n')}\nreturn {\n${lines.join('\n')}\n};\n}`;
}

type Literal = string | number | boolean | readonly Literal[] | { readonly [name: string]: Literal };

/** A value as TypeScript. */
function literal(value: Literal): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(literal).join(', ')}]`;
  const members = Object.entries(value).map(([name, one]) => `${memberName(name)}: ${literal(one)}`);
  return `{ ${members.join(', ')} }`;
}

function isList(value: object): value is readonly Literal[] {
  return Array.isArray(value);
}

/** See `Trait` in lib/openapi/trait.ts. */
function traitOf(operation: Operation, outcome: Outcome | undefined): Record<string, Literal> {
  const { base_uri: base, request, response, protocol, download, upload, redirect, url } = operation;
  const fragment = request.find(({ name }) => name === 'fragment')?.enum?.[0] ?? '';
  const unsigned =
    download || (protocol === 'v2' && !redirect && !response.some((f) => f.name === 'sign' && f.required));
  const [encrypt, decrypt] = [encryptedIn(request), encryptedIn(response)];
  return {
    ...(operation.mtls && { security: true }),
    ...(operation.nonceless && { nonceless: true }),
    ...(base && { base }),
    ...(url && { url }),
    ...(redirect && { redirect: fragment }),
    ...(download && { download: true }),
    ...(upload && { upload: true }),
    ...(unsigned && { unsigned: true }),
    ...(operation.response_format === 'json' && { json: true }),
    ...(encrypt.length > 0 && { encrypt }),
    ...(decrypt.length > 0 && { decrypt }),
    ...(outcome && { outcome: { ...outcome } }),
  };
}

/**
 * The locations of RSA-encrypted strings: `json.contact_info.name`; `[]` follows an array, `{}` a string that holds JSON.
 */
function encryptedIn(fields: readonly Field[], parent = ''): { key: string; path: string }[] {
  return fields.flatMap(({ name, type, encoded, encrypted, key, fields: inner = [] }) => {
    const path = `${parent}${name}${type.endsWith('[]') ? '[]' : ''}${encoded === 'json' ? '{}' : ''}`;
    const own = encrypted === 'rsa' && key ? [{ key, path }] : [];
    return [...own, ...encryptedIn(inner, `${path}.`)];
  });
}

/** Operations without traits whose literal path would otherwise match a template with traits. */
function plainShadows(operations: readonly Operation[], special: readonly Operation[]): Operation[] {
  return operations.filter(
    (plain) =>
      !special.includes(plain) && special.some((one) => one.verb === plain.verb && covers(one.path, plain.path)),
  );
}

function covers(template: string, path: string): boolean {
  const [ours, theirs] = [template.split('/'), path.split('/')];
  return (
    template !== path &&
    ours.length === theirs.length &&
    ours.every((segment, index) => segment === theirs[index] || variableOf(segment) || variableOf(theirs[index] ?? ''))
  );
}
