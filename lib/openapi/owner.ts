import { plainPath } from './trait-of';

/** Whose operations are below a first segment. */
const OWNERS = { v2: 'merchant', v3: 'merchant', brand: 'brand' } as const;

/** Whose an operation is. */
export type Owner = (typeof OWNERS)[keyof typeof OWNERS];

/** The plain spelling that most paths have. */
const PLAIN = /^(v2|v3|brand)\/[\w/{}-]*$/;
const FIRST = /^(v2|v3|brand)(?:\/|$)/i;

/**
 * Whose operation a path is: one of merchants or of brands; `undefined` where its first segment does not say.
 * @param path with or without host, its variables filled in
 * @param base root of the API
 */
export function ownerOf(path: string, base?: URL): Owner | undefined {
  const [, first] = PLAIN.exec(path) ?? spellings(path, base).find((match) => match !== null) ?? [];
  return first === undefined ? undefined : OWNERS[first.toLowerCase() as keyof typeof OWNERS];
}

/** A leading `v2/` is not part of the address. */
function spellings(path: string, base: URL | undefined): (RegExpExecArray | null)[] {
  const plain = /^v2\//i.test(path) ? [path] : [plainPath(path), plainPath(path, base)];
  return plain.map((spelling) => FIRST.exec(spelling));
}
