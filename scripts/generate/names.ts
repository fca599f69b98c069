const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** A member's name, in quotes where it has to be. */
export function memberName(name: string): string {
  return IDENTIFIER.test(name) ? name : quoted(name);
}

/** A string literal in the project's style. */
export function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

/** A name in PascalCase: `goods_detail` → `GoodsDetail`. */
export function pascal(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/**
 * The name of what stands for a path: `v3/pay/transactions/id/{transaction_id}` → `PayTransactionsIdByTransactionId`.
 * Different paths have different names: an underscore stays, a variable is `By…`, a slash at the end is `Slash`, and
 * what a brand calls begins with `Brands`, for `v3/brand/…` is called by merchants.
 */
export function pathName(path: string): string {
  return path
    .replace(/^v3\/|^brand\//, (root) => (root === 'v3/' ? '' : 'brands/'))
    .split('/')
    .map((segment) => {
      const variable = variableOf(segment);
      if (variable !== undefined) return `By${pascal(variable)}`;
      return segment === '' ? 'Slash' : segment.split('_').map(pascal).join('_');
    })
    .join('');
}

/** The variable that a segment is: `{name}` → `name`. */
export function variableOf(segment: string): string | undefined {
  return /^\{(\w+)\}$/.exec(segment)?.[1];
}

/**
 * The key of the property chain that gives a segment, the inverse of the chain's own rule:
 * `cancel-applications` → `cancelApplications`, `{id}` → `_id_`. Where that rule has none, a segment that is no identifier stands as it
 * is; `undefined` where there is no way: the rule changes `addInstitutionsub`.
 */
export function propertyOf(segment: string): string | undefined {
  const variable = variableOf(segment);
  if (variable !== undefined) return /[A-Z]/.test(variable) ? undefined : `_${variable}_`;
  if (/^[a-z][a-z0-9_]*(-[a-z][a-z0-9_]*)*$/.test(segment) && !segment.endsWith('_')) {
    return segment.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  }
  return segment !== '' && !IDENTIFIER.test(segment) ? segment : undefined;
}
