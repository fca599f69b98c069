/** Most segments: a shortcut that spares them the rest. */
const UNCHANGED = /^[a-z0-9]*$/;
const IDENTIFIER = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/**
 * Turns a key of the chain into a piece of the path.
 *
 * A plain identifier is normalised as wechatpay-php does it: a first capital is lowered, each further capital becomes
 * `-x`, `_name_` becomes the variable `{name}`. Any other key (it holds a `/`, `{`, `-`, `.`, begins with a digit, …)
 * is a literal path and stays as it is.
 */
export function segment(key: string): string {
  if (UNCHANGED.test(key) || !IDENTIFIER.test(key)) return key;
  return key
    .replace(/[A-Z]/g, (capital, index) => (index === 0 ? '' : '-') + capital.toLowerCase())
    .replace(/^_(.*)_$/, '{$1}');
}
