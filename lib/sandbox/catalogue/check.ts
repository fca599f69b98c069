import { GATEWAY, type Location, sentence } from '../wire/param-error';
import type { FactField } from './fact';
import { type Issue, type Kind, meant, type Path, pointer, shown } from './issue';

/** Decrypts a field: `undefined` where it was not encrypted with the key that is asked for. */
export type Decrypt = (ciphertext: string, key: 'platform' | 'pay-bank') => string | undefined;

/** How values are written: as JSON, or as texts in XML, queries and paths. */
export type Writing = 'json' | 'text';

/** One validation. */
export interface Context {
  readonly location: Location;
  /** What WeChat Pay's gateway calls it, such as `/body`. */
  readonly source: string;
  /** What is being checked as a whole; texts in it select among alternatives. */
  readonly root: unknown;
  readonly decrypt: Decrypt | undefined;
  readonly issues: Issue[];
}

/** Checks a value that is there. */
export type Check = (value: unknown, context: Context, parent: Path | undefined, key: string | number) => void;

/** What happens to members that are not documented: refused; or the object is taken for one that has other shapes too. */
export type Strangers = 'refused' | 'other-shape' | ReadonlySet<string>;

/** How objects are compiled. */
export interface Mode {
  readonly writing: Writing;
  readonly strangers: Strangers;
}

/** What an issue says besides. */
interface Said {
  readonly value?: unknown;
  readonly said?: string | undefined;
}

/** Adds an issue. */
export function report(
  { location, issues }: Context,
  kind: Kind,
  field: string,
  issue: string,
  advice: string,
  { value, said }: Said = {},
): void {
  const name = location === 'body' ? field : field.slice(1);
  const message = sentence(location, name, issue + advice);
  const more = { ...(value !== undefined && { value }), ...(said !== undefined && { said }) };
  issues.push({ location, field: name, kind, issue, message, ...more });
}

/**
 * The check of an object's members; where no fields are given, it must have none.
 * @param oneOf names of which one is enough, although each is marked as required
 * @param label what WeChat Pay calls the object
 */
export function compileObject(
  fields: readonly FactField[],
  mode: Mode,
  oneOf: readonly string[] = [],
  label?: string,
): Check {
  const members = new Map<string, Check>();
  for (const name of new Set(fields.map((field) => field.name))) {
    members.set(
      name,
      compileShapes(
        fields.filter((field) => field.name === name),
        mode,
      ),
    );
  }
  const names = [...members.keys()];
  const required = names.filter(
    (name) => !oneOf.includes(name) && fields.every((field) => field.name !== name || field.required === true),
  );
  const descriptions = new Map(
    fields.map(({ name, type, encoded, label }) => [name, described(type, encoded) + (label ? ` (${label})` : '')]),
  );
  const labels = new Map(fields.map((field) => [field.name, labelOf(field)]));
  const [first] = required;
  const whole: Whole = { label, first: first === undefined ? undefined : [first, labels.get(first) ?? first] };
  const lacks = (
    context: Context,
    path: Path | undefined,
    name: string,
    issue: string,
    advice: string,
    value?: unknown,
  ) => {
    const field = pointer(path, name);
    const said = GATEWAY.required(context.source + field, labels.get(name) ?? name);
    report(context, 'required', field, issue, advice, { value, said });
  };
  const { strangers, writing } = mode;
  return (value, context, parent, key) => {
    if (writing === 'json' && !checkObject(value, context, parent, key, whole)) return;
    const path = key === '' ? undefined : { parent, key };
    const object = value as Record<string, unknown>;
    let isOther = false;
    for (const name in object) {
      const check = members.get(name);
      const member = object[name];
      if (check) {
        if (member !== undefined) check(member, context, path, name);
      } else if (strangers === 'other-shape') isOther = true;
      else if (strangers === 'refused' || !strangers.has(name)) refuse(name, context, path, names);
    }
    if (isOther) return;
    for (const name of required) {
      const member = object[name];
      if (member !== undefined && member !== '') continue;
      const advice = `; add ${descriptions.get(name)}`;
      const issue = member === '' ? 'is required and must not be empty' : 'is required but missing';
      lacks(context, path, name, issue, advice, member);
    }
    const [one] = oneOf;
    if (one === undefined || oneOf.some((name) => object[name] !== undefined && object[name] !== '')) return;
    lacks(context, path, one, 'is required but missing', `; add one of ${oneOf.join(', ')}`);
  };
}

/** Its value stays out of the issue: it may be a sensitive one under another name. */
function refuse(name: string, context: Context, path: Path | undefined, names: readonly string[]): void {
  const other = meant(name, names);
  const advice = other === undefined ? '; remove it' : `; the documented name is "${other}"`;
  const issue = 'is not documented for this operation';
  report(context, 'unknown', pointer(path, name), issue, advice, { said: GATEWAY.unknown });
}

/** The check of a name that stands once, or once for each shape that it may have. */
function compileShapes(fields: readonly FactField[], mode: Mode): Check {
  const shapes = fields.map((field) => ({ when: field.when, check: compileField(field, mode) }));
  const [only] = shapes;
  if (shapes.length === 1 && only) return only.check;
  return (value, context, parent, key) => {
    const texts = Object.values(Object(context.root) as Record<string, unknown>);
    const selected = shapes.filter(({ when }) => when !== undefined && texts.includes(when));
    const found = (selected.length > 0 ? selected : shapes).map(({ check }) => {
      const issues: Issue[] = [];
      check(value, { ...context, issues }, parent, key);
      return issues;
    });
    const nearest = found.reduce((best, issues) => (issues.length < best.length ? issues : best));
    context.issues.push(...nearest);
  };
}

/** The check of a value, or of each value of an array. */
export function compileField(field: FactField, mode: Mode): Check {
  const single = compileSingle(field, mode);
  if (!field.type.endsWith('[]')) return single;
  if (mode.writing === 'text') {
    // In a query, repeated or separated by commas; nothing says which, so that both pass.
    return (value, context, parent, key) => {
      for (const text of String(value).split(',')) single(text, context, parent, key);
    };
  }
  return (value, context, parent, key) => {
    if (!Array.isArray(value)) return mistyped(field, value, context, parent, key);
    const path = { parent, key };
    for (let index = 0; index < value.length; index += 1) single(value[index], context, path, index);
  };
}

function compileSingle(field: FactField, mode: Mode): Check {
  if (field.encoded) return compileEncoded(field, mode);
  const type = field.type.replace('[]', '');
  if (type === 'object') return compileOpen(field.fields ?? [], mode, field.label);
  const isRight = (mode.writing === 'json' ? OF_JSON : OF_TEXT)[type] ?? (() => true);
  const rest = [...limitsOf(field)];
  return (value, context, parent, key) => {
    // An empty text counts as none.
    if (value === '' && type === 'string') return;
    if (value === '' && mode.writing === 'text') return;
    if (!isRight(value)) return mistyped(field, value, context, parent, key);
    for (const check of rest) check(value, context, parent, key);
  };
}

const OF_JSON: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
};

const OF_TEXT: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => /^[+-]?\d+$/.test(String(value)),
  number: (value) => /^[+-]?\d+(\.\d+)?$/.test(String(value)),
  // wechatpay-php writes booleans of a query as 1 and 0, Python's clients as True and False.
  boolean: (value) => /^(true|false|[01yn])$/i.test(String(value)),
};

/** Numbers of the merchant's, in bytes: what every product has that takes them, although the catalogue does not say so. */
const MOST_BYTES: Readonly<Record<string, number>> = { out_trade_no: 32, combine_out_trade_no: 32, out_refund_no: 64 };

function* limitsOf(field: FactField): Generator<Check> {
  const { encrypted, key: owner, enum: tokens, closed, maxLength } = field;
  if (encrypted === 'rsa' && (owner === 'platform' || owner === 'pay-bank')) {
    yield encryptedWith(owner, field);
    return;
  }
  if (maxLength !== undefined) {
    yield (value, context, parent, key) => {
      const length = lengthOf(value);
      if (length <= maxLength) return;
      const said = tooLongOf(field, context, pointer(parent, key), value, maxLength);
      report(context, 'length', pointer(parent, key), ...tooLong(length, maxLength), { value, said });
    };
  }
  const mostBytes =
    maxLength === undefined && Object.hasOwn(MOST_BYTES, field.name) ? MOST_BYTES[field.name] : undefined;
  if (mostBytes !== undefined) {
    yield (value, context, parent, key) => {
      const bytes = Buffer.byteLength(String(value));
      if (bytes <= mostBytes) return;
      const issue = `must have at most ${mostBytes} bytes in UTF-8`;
      const said = tooLongOf(field, context, pointer(parent, key), value, mostBytes);
      report(context, 'length', pointer(parent, key), issue, `, not ${bytes}; shorten it`, { value, said });
    };
  }
  if (closed && tokens) {
    const values = new Set(tokens);
    yield (value, context, parent, key) => {
      if (values.has(String(value))) return;
      const issue = `must be one of ${tokens.join(', ')}`;
      report(context, 'enum', pointer(parent, key), issue, `, not ${shown(value)}`, { value });
    };
  }
}

/** Neither the ciphertext nor what it holds goes into an issue: it may be in clear. */
function encryptedWith(owner: 'platform' | 'pay-bank', fact: FactField): Check {
  const { maxLength } = fact;
  const name = owner === 'platform' ? "WeChat Pay's public key" : "the bank payment's public key";
  return (value, context, parent, key) => {
    if (context.decrypt === undefined) return;
    const plain = context.decrypt(String(value), owner);
    const field = pointer(parent, key);
    if (plain === undefined) {
      const advice = ' (RSA-OAEP, in Base64), and with the key that Wechatpay-Serial names';
      report(context, 'encryption', field, `must be encrypted with ${name}`, owner === 'platform' ? advice : '');
    } else if (maxLength !== undefined && lengthOf(plain) > maxLength) {
      const said = tooLongOf(fact, context, field, plain, maxLength);
      report(context, 'length', field, ...tooLong(lengthOf(plain), maxLength), { said });
    }
  };
}

/** The gateway counts bytes, where the documentation counts characters. */
function tooLongOf(field: FactField, { source }: Context, at: string, value: unknown, limit: number): string {
  return GATEWAY.tooLong(source + at, labelOf(field), Buffer.byteLength(String(value)), limit);
}

/** WeChat Pay's own name of a field. */
function labelOf({ label, name }: FactField): string {
  return label ?? name;
}

/** Characters, as the documentation counts; a pair of surrogates is one. */
function lengthOf(value: unknown): number {
  return [...String(value)].length;
}

function tooLong(length: number, maxLength: number): [issue: string, advice: string] {
  return [`must have at most ${maxLength} characters`, `, not ${length}; shorten it`];
}

/** The check of an object, which may hold anything where none of its members is documented. */
export function compileOpen(fields: readonly FactField[], mode: Mode, label?: string): Check {
  if (fields.length > 0) return compileObject(fields, mode, [], label);
  if (mode.writing !== 'json') return () => {};
  return (value, context, parent, key) => void checkObject(value, context, parent, key, { label });
}

/** A text that holds JSON or a form. */
function compileEncoded(field: FactField, mode: Mode): Check {
  const { encoded, fields = [] } = field;
  // What v2 takes as JSON has more shapes than are documented: `scene_info` is another one for each scene.
  const strangers = mode.writing === 'text' ? 'other-shape' : mode.strangers;
  const inner = compileOpen(fields, { writing: encoded === 'json' ? 'json' : 'text', strangers });
  return (value, context, parent, key) => {
    if (value === '') return;
    if (typeof value !== 'string') return mistyped(field, value, context, parent, key);
    if (encoded !== 'json') return inner(Object.fromEntries(new URLSearchParams(value)), context, parent, key);
    const held = parsed(value);
    if (typeof held !== 'object' || held === null) {
      const advice = ', written as a text; use JSON.stringify or its like';
      const said = GATEWAY.type(context.source + pointer(parent, key), labelOf(field), 'object');
      report(context, 'type', pointer(parent, key), 'must be an object of JSON', advice, { said });
    } else if (!Array.isArray(held)) inner(held, context, parent, key);
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is said of a value that is no object. */
interface Whole {
  readonly label: string | undefined;
  /** Its first required member and the label of that: a whole body that cannot be read is taken for one without members. */
  readonly first?: readonly [name: string, label: string] | undefined;
}

function checkObject(
  value: unknown,
  context: Context,
  parent: Path | undefined,
  key: string | number,
  { label, first }: Whole,
): boolean {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return true;
  const field = key === '' ? '' : pointer(parent, key);
  const said =
    key !== ''
      ? GATEWAY.type(context.source + field, label ?? String(key), 'object')
      : first && GATEWAY.required(`/${first[0]}`, first[1]);
  // What should have been an object may hold sensitive fields.
  report(context, 'type', field, 'must be an object', `, not ${value === null ? 'null' : article(value)}`, { said });
  return false;
}

function mistyped(
  field: FactField,
  value: unknown,
  context: Context,
  parent: Path | undefined,
  key: string | number,
): void {
  const isShown = field.encrypted === undefined && field.fields === undefined && typeof value !== 'object';
  const sent = isShown ? value : undefined;
  const kind = isShown ? `the ${typeof value} ${shown(value)}` : article(value);
  const advice = value === null ? '; leave it out in the place of null' : `, not ${kind}`;
  // The elements of an array have the type of one.
  const type = typeof key === 'number' ? field.type.replace('[]', '') : field.type;
  const said = GATEWAY.type(context.source + pointer(parent, key), labelOf(field), type);
  const issue = `must be ${described(type, field.encoded)}`;
  report(context, 'type', pointer(parent, key), issue, advice, { value: sent, said });
}

/** What a field must be: `an integer`, `an array of objects`. */
function described(type: string, encoded?: FactField['encoded']): string {
  if (encoded) return `a string that holds ${encoded === 'json' ? 'JSON' : 'a form'}`;
  if (type.endsWith('[]')) return `an array of ${type.slice(0, -2)}s`;
  return withArticle(type);
}

/** What a value is, without showing it. */
function article(value: unknown): string {
  return withArticle(Array.isArray(value) ? 'array' : typeof value);
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}
