/**
 * Paths below which each next segment is a product with a module of its own: `v3/marketing/busifavor`. All other modules
 * are named by the first two segments of their paths: `v3/pay`.
 *
 * Users augment modules by name, so a name never depends on how much is in a module. For the same reason this list is
 * closed: adding a path later would move its operations out of their present module.
 */
const FAMILIES: ReadonlySet<string> = new Set([
  'brand/marketing',
  'v3/brand',
  'v3/ecommerce',
  'v3/fund-app',
  'v3/global',
  'v3/gov',
  'v3/marketing',
  'v3/papay',
  'v3/payscore',
  'v3/platsolution',
]);

/** The module of a path, which is also where its file is: the beginning of the path. */
export function moduleOf(path: string): string {
  const [protocol = '', product = '', next] = path.split('/');
  const short = `${protocol}/${product}`;
  return FAMILIES.has(short) && next && !next.startsWith('{') ? `${short}/${next}` : short;
}

/** The family of a module: `v3/marketing/busifavor` → `v3/marketing`; other modules are their own family. */
export function familyOf(module: string): string {
  return module.split('/').slice(0, 2).join('/');
}
