const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** A member's name, in quotes if necessary. */
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
 * The type name for a path: `v3/pay/transactions/id/{transaction_id}` → `PayTransactionsIdByTransactionId`.
 * Different paths have different names: an underscore stays, a variable becomes `By…`, a trailing slash `Slash`, and
 * names of brand operations start with `Brands`, because merchants call `v3/brand/…`.
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

/** The variable in a segment: `{name}` → `name`. */
export function variableOf(segment: string): string | undefined {
  return /^\{(\w+)\}$/.exec(segment)?.[1];
}

/**
 * The property chain key for a segment, the inverse of the chain's own rule:
 * `cancel-applications` → `cancelApplications`, `{id}` → `_id_`. If there is no such key, a segment that is not an identifier is its
 * own key; `undefined` if there is none: the rule changes `addInstitutionsub`.
 */
export function propertyOf(segment: string): string | undefined {
  const variable = variableOf(segment);
  if (variable !== undefined) return /[A-Z]/.test(variable) ? undefined : `_${variable}_`;
  if (/^[a-z][a-z0-9_]*(-[a-z][a-z0-9_]*)*$/.test(segment) && !segment.endsWith('_')) {
    return segment.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  }
  return segment !== '' && !IDENTIFIER.test(segment) ? segment : undefined;
}
