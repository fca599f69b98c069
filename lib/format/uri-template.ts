import { InvalidArgumentError } from '../errors';
import { percent } from './url';

const EXPRESSION = /\{([^{}]+)\}/g;
const PARTS = /^([+#./;?&]?)(.*)$/s;
const MODIFIER = /(?::\d+|\*)$/;

/** Loaded on first use, to keep `require` fast. */
const library = () => require('@std-uritemplate/std-uritemplate') as typeof import('@std-uritemplate/std-uritemplate');

/**
 * Expands a URI template (RFC 6570, level 4).
 *
 * A variable that is missing, null or false is an error that names it; only `{empty}` and query variables (`{?…}`,
 * `{&…}`) may be omitted. A variable that is empty, or a list with an empty member, is an error too, because it would
 * lead to another path; where the expression includes the name (`{?…}`, `{&…}`, `{;…}`) it may be empty. Braces that
 * contain no expression are kept.
 * @param lookup returns the value of a variable, or `undefined` if there is none
 */
export function expandTemplate(template: string, lookup: (name: string) => unknown): string {
  return template.replace(EXPRESSION, (expression, content: string) => {
    const [, operator = '', list = ''] = PARTS.exec(content) ?? [];
    const specs = list.split(',').map((spec) => spec.trim());
    const optional = operator === '?' || operator === '&';
    const mayBeEmpty = optional || operator === ';';
    const values = specs.flatMap((spec) => {
      const name = spec.replace(MODIFIER, '');
      const value = substitution(name, lookup(name), optional);
      const isEmpty = value === '' || (Array.isArray(value) && value.includes(''));
      if (value !== undefined && (!isEmpty || mayBeEmpty)) return [[escapeName(name), value] as const];
      if (optional || name === 'empty') return [];
      const fault = isEmpty
        ? 'is empty, which would lead to another path; pass a value'
        : 'is missing; pass it as an option';
      throw new InvalidArgumentError(`The URI variable "${name}" of "${template}" ${fault}.`);
    });
    return expandExpression(`{${operator}${specs.map(escapeName).join(',')}}`, bare(values), expression);
  });
}

function expandExpression(escaped: string, values: Record<string, string | string[] | object>, expression: string) {
  try {
    const { StdUriTemplate } = library();
    const expanded = StdUriTemplate.expand(escaped, values);
    // RFC 6570, section 3.2.1, encodes all but the unreserved characters; the library misses these four.
    const encoded = /^\{[+#]/.test(escaped) ? expanded : expanded.replace(/['()*]/g, percent);
    return encoded.replaceAll('%2D', '-');
  } catch (cause) {
    throw new InvalidArgumentError(`"${expression}" cannot be expanded: ${(cause as Error).message}.`, { cause });
  }
}

/** An object with only these members, so that `{?constructor}` finds no inherited one. */
function bare<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/** Names in wechatpay-php contain hyphens (`_outTradeNo_` is `{out-trade-no}`); RFC 6570 allows them only as `%2D`. */
function escapeName(name: string): string {
  return name.replaceAll('-', '%2D');
}

function substitution(name: string, value: unknown, optional: boolean) {
  if (value === undefined || value === null || (value === false && !optional)) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((member) => text(name, member));
  if (isPlainObject(value)) {
    const entries = Object.entries(value).map(([key, member]) => [key, text(name, member)] as const);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  return text(name, value);
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (value instanceof URL) return value.href;
  throw new InvalidArgumentError(
    `The URI variable "${name}" must be a string, a number, or a list or an object of these.`,
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
