import { type Field, type Operation, sorted } from './catalogue';
import { variableOf } from './names';
import { HEADER } from './print';

/**
 * Prints the table of traits: for each operation that has any, a line with its path and verb, then a line per trait.
 * `lib/openapi/trait-of.ts` reads it.
 */
export function printTraits(operations: readonly Operation[]): string {
  const traits = new Map(operations.map((operation) => [operation, traitsOf(operation)]));
  const special = operations.filter((operation) => traits.get(operation)?.length);
  const rows = [...special, ...plainShadows(operations, special)];
  const lines = sorted(rows, ({ path, verb }) => `${path} ${verb}`).flatMap((operation) => [
    `${operation.path} ${operation.verb}`,
    ...(traits.get(operation) ?? []).map((trait) => `  ${trait}`),
  ]);
  const aliases = new Map(operations.flatMap(({ chain, path }) => (chain ? [[chain, path] as const] : [])));
  return `${HEADER}

/** What the client has to know of an operation besides its path and verb. A path without traits hides a template. */
export const TRAITS = \`
${lines.join('\n')}
\`;

/** Templates that stand for another path. */
export const ALIASES: Readonly<Record<string, string>> = {
${[...aliases].map(([chain, path]) => `'${chain}': '${path}',`).join('\n')}
};
`;
}

function traitsOf(operation: Operation): string[] {
  const { base_uri: baseUrl, request, response, protocol, download, upload, redirect, url } = operation;
  const fragment = request.find(({ name }) => name === 'fragment')?.enum?.[0];
  const unsigned =
    download || (protocol === 'v2' && !redirect && !response.some((f) => f.name === 'sign' && f.required));
  const needsBase = request.some(({ name, required }) => name === 'base_uri' && required);
  return [
    operation.mtls && 'security',
    operation.nonceless && 'nonceless',
    baseUrl && `${needsBase || redirect ? 'base' : 'base?'} ${baseUrl}`,
    url && `url ${url}`,
    redirect && `redirect${fragment ? ` ${fragment}` : ''}`,
    download && 'download',
    upload && 'upload',
    unsigned && 'unsigned',
    operation.response_format === 'json' && 'json',
    ...encryptedIn(request).map(({ key, path }) => `encrypt ${key} ${path}`),
    ...encryptedIn(response).map(({ key, path }) => `decrypt ${key} ${path}`),
  ].filter((trait): trait is string => typeof trait === 'string');
}

/**
 * Where the RSA-encrypted texts are: `json.contact_info.name`; `[]` follows an array, `{}` a string that holds JSON.
 */
function encryptedIn(fields: readonly Field[], parent = ''): { key: string; path: string }[] {
  return fields.flatMap(({ name, type, encoded, encrypted, key, fields: inner = [] }) => {
    const path = `${parent}${name}${type.endsWith('[]') ? '[]' : ''}${encoded === 'json' ? '{}' : ''}`;
    const own = encrypted === 'rsa' && key ? [{ key, path }] : [];
    return [...own, ...encryptedIn(inner, `${path}.`)];
  });
}

/** Operations without traits whose literal path would else be taken for a template that has some. */
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
