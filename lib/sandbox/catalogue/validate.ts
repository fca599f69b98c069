import { GATEWAY } from '../wire/param-error';
import {
  type Check,
  type Context,
  compileObject,
  compileOpen,
  type Decrypt,
  type Mode,
  report,
  type Strangers,
} from './check';
import type { Fact, FactField } from './fact';
import { type Issue, KINDS } from './issue';
import { catalogue, type KnownOperation } from './read';

/** The parts of a request that are validated. */
export interface RequestParts {
  /** The variables of the path, decoded. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly query?: URLSearchParams;
  /**
   * The body. APIv3: the parsed JSON, of an upload that of its part `meta`; `undefined` if there is none. v2: its
   * fields as texts, whether they came as XML, as a form or in the query.
   */
  readonly body?: unknown;
  /** For an upload: the names of the parts that are files. */
  readonly files?: readonly string[];
}

type Validator = (parts: RequestParts, decrypt: Decrypt | undefined) => Issue[];

/** Fields that the protocol adds to every request of v2, and those that a service provider may add. */
const OF_V2 = ['appid', 'mch_id', 'mchid', 'sub_appid', 'sub_mch_id', 'nonce_str', 'sign', 'sign_type', 'version'];

/** What the gateway calls path and query alike. */
const TEMPLATE = '/uri_template';

const validators = new WeakMap<KnownOperation, Validator>();

/**
 * The issues of a request, in the order in which WeChat Pay checks: undocumented members, types,
 * members that are missing, lengths, values, encryption.
 *
 * Where the documentation is uncertain, a request passes: no pattern is checked, an optional empty string counts as
 * absent, an enum binds only if an official source lists all of its values, and v2 accepts every field that any v2
 * operation documents.
 * @param decrypt decrypts encrypted fields; without it, ciphertexts are not checked
 * @returns an empty list if the request is correct
 */
export function validate(operation: KnownOperation, parts: RequestParts, decrypt?: Decrypt): Issue[] {
  let validator = validators.get(operation);
  if (!validator) {
    validator = compile(operation.fact);
    validators.set(operation, validator);
  }
  return validator(parts, decrypt);
}

function compile(fact: Fact): Validator {
  const rows = new Map(fact.request.map((field) => [field.name, field]));
  const fieldsOf = (row: string) => rows.get(row)?.fields ?? [];
  const path = pathCheck(fact);
  const isV2 = fact.protocol === 'v2';
  // Of a v2 request by GET the fields of the query are those that are signed: its body.
  const strangers: Strangers = isV2 ? v2Names() : 'refused';
  const query =
    isV2 && fact.verb === 'get' ? undefined : compileObject(fieldsOf('query'), { writing: 'text', strangers });
  const body = isV2 ? v2Body(fact, fieldsOf) : jsonBody(fact, rows);
  return (parts, decrypt) => {
    const issues: Issue[] = [];
    const { variables = {} } = parts;
    path?.(variables, { location: 'path', source: TEMPLATE, root: variables, decrypt, issues }, undefined, '');
    if (query) {
      const texts = textsOf(parts.query);
      query(texts, { location: 'query', source: TEMPLATE, root: texts, decrypt, issues }, undefined, '');
    }
    body(parts, decrypt, issues);
    return issues.length > 1 ? issues.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)) : issues;
  };
}

function pathCheck({ path, request }: Fact): Check | undefined {
  const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
  const fields = request.filter(({ name }) => names.includes(name));
  return fields.length === 0
    ? undefined
    : compileObject(fields, { writing: 'text', strangers: new Set(names as string[]) });
}

function textsOf(query: URLSearchParams | undefined): Record<string, string> {
  const texts: Record<string, string> = {};
  if (query === undefined || query.size === 0) return texts;
  for (const [name, value] of query) {
    const before = texts[name];
    texts[name] = before === undefined ? value : `${before},${value}`;
  }
  return texts;
}

type BodyCheck = (parts: RequestParts, decrypt: Decrypt | undefined, issues: Issue[]) => void;

function v2Body(fact: Fact, fieldsOf: (row: string) => readonly FactField[]): BodyCheck {
  const { upload, verb } = fact;
  const location = verb === 'get' ? 'query' : 'body';
  const fields = [...fieldsOf('xml'), ...fieldsOf('body'), ...(location === 'query' ? fieldsOf('query') : [])];
  // The client adds these, and a signature that is missing has an error of its own.
  const own = fields.filter(({ name, type }) => !ADDED.has(name) && type !== 'object');
  const files = fields.filter(({ type }) => type === 'object');
  const check = compileObject(own, { writing: 'text', strangers: v2Names() }, alternativesOf(fact.path, own));
  return (parts, decrypt, issues) => {
    const body = Object(parts.body ?? {}) as Record<string, unknown>;
    const source = location === 'query' ? TEMPLATE : '/body/xml';
    const context: Context = { location, source, root: body, decrypt, issues };
    check(body, context, undefined, '');
    if (upload) lackingFile(files, parts, context);
  };
}

/**
 * v2 names an order by WeChat Pay's number or by the merchant's, a refund by four numbers: the documentation marks each as
 * required, and says in its text that one will do. Declarations to the customs need them all.
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_2
 */
function alternativesOf(path: string, fields: readonly FactField[]): string[] {
  const required = new Set(fields.filter((field) => field.required).map(({ name }) => name));
  if (/declareorder|redeclare/.test(path) || !required.has('transaction_id') || !required.has('out_trade_no'))
    return [];
  const others = required.has('refund_id') ? ['out_refund_no', 'refund_id'] : ['sub_order_no', 'sub_order_id'];
  return ['transaction_id', 'out_trade_no', ...others].filter((name) => required.has(name));
}

function v2Names(): ReadonlySet<string> {
  return new Set([...OF_V2, ...catalogue().v2Fields]);
}

const ADDED: ReadonlySet<string> = new Set(['sign', 'sign_type', 'nonce_str']);

function jsonBody({ upload, verb }: Fact, rows: ReadonlyMap<string, FactField>): BodyCheck {
  const json = rows.get('json');
  const form = rows.get('body');
  if (upload) {
    // The form fields of one upload are not documented.
    if (form === undefined) return () => {};
    const files = (form.fields ?? []).filter(({ type }) => type === 'object');
    const meta = (form.fields ?? []).find(({ name }) => name === 'meta')?.fields ?? [];
    const check = compileObject(meta, { writing: 'json', strangers: 'refused' });
    return (parts, decrypt, issues) => {
      const context: Context = { location: 'body', source: '/body', root: parts.body, decrypt, issues };
      lackingFile(files, parts, context);
      if (parts.body !== undefined) return check(parts.body, context, undefined, 'meta');
      const said = GATEWAY.required('/body/meta', 'meta');
      report(context, 'required', '/meta', 'is required but missing', '; add a part "meta" that holds JSON', { said });
    };
  }
  // The body of a GET is ignored.
  if (json === undefined && (verb === 'get' || verb === 'delete')) return () => {};
  const mode: Mode = { writing: 'json', strangers: 'refused' };
  const check = json ? compileOpen(json.fields ?? [], mode) : compileObject([], mode);
  return ({ body = {} }, decrypt, issues) =>
    check(body, { location: 'body', source: '/body', root: body, decrypt, issues }, undefined, '');
}

/** No source says that the name of a file's part is checked, so any name passes. */
function lackingFile(files: readonly FactField[], parts: RequestParts, context: Context): void {
  const [file] = files;
  if (file === undefined || parts.files === undefined || parts.files.length > 0) return;
  const said = GATEWAY.required(`${context.source}/${file.name}`, file.label ?? file.name);
  const advice = '; add a part with a file and its filename';
  report(context, 'required', `/${file.name}`, 'is required but missing', advice, { said });
}
