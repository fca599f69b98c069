import { types } from 'node:util';
import { InvalidArgumentError, WechatPayError } from '../errors';
import { fieldText } from '../format/fields';
import { notWritable, requireJson } from '../format/json';
import { encodeComponent } from '../format/url';
import { type Call, OPTION_NAMES, type Options } from '../openapi/call';
import { type EncryptedField, type EncryptionKey, protocolOfPath, type Trait } from '../openapi/trait-of';
import { isMedia, type Media } from '../upload/media';

/** A field to encrypt, with its text. */
export interface MarkedField {
  readonly key: EncryptionKey;
  /** The location of the field, such as `json.receivers[0].name`. */
  readonly name: string;
  readonly text: string;
  /** Replaces the text with the ciphertext. */
  replace(ciphertext: string): void;
}

/** A call whose marked fields have been taken out. */
export interface MarkedCall {
  readonly fields: readonly MarkedField[];
  /** The call in its current state; fields that have not been replaced yet are empty. */
  current(): Call;
}

/** The marked fields of an operation, as a tree. */
interface Marks {
  field?: EncryptedField;
  /** Each member of a list: `[]`. */
  list?: Marks;
  /** The JSON in a string: `{}`. */
  json?: Marks;
  members: Map<string, Marks>;
}

type Holder = Record<string, unknown>;

/** How an option is serialised. */
interface Writing {
  /** A value as it will be serialised. */
  value(value: unknown, key: string): unknown;
  /** The text of a marked field. */
  text(value: unknown, name: string): string;
}

const trees = new WeakMap<Trait, Marks>();

/**
 * Takes the marked fields out of a call, each as the text that would be serialised. What is signed and sent afterwards is
 * built from copies, and never from the caller's objects, which are not changed.
 * @throws {@link InvalidArgumentError} that names the field if its value cannot be encrypted
 */
export function takeMarkedFields(call: Call): MarkedCall {
  const marks = marksOf(call.trait);
  const options = copyOf(call.options);
  const fields: MarkedField[] = [];
  refuseOtherBody(call.path, options, marks);
  const { json, xml, query, body } = Object.fromEntries(marks.members);
  if (json) guarded('json', () => take(options, 'json', json, 'json', JSON_WRITING, fields));
  if (xml && isMembers(options.xml)) take(options, 'xml', xml, 'xml', XML_WRITING, fields);
  const path = query ? takeQuery(call, options, query, fields) : () => call.path;
  const finishBody = body && isMedia(options.body) ? takeForm(options.body, body, fields) : undefined;
  return {
    fields,
    current: () => ({
      ...call,
      path: path(),
      options: finishBody ? { ...options, body: finishBody() } : { ...options },
    }),
  };
}

function marksOf(trait: Trait): Marks {
  const known = trees.get(trait);
  if (known) return known;
  const root: Marks = { members: new Map() };
  for (const field of trait.encrypt ?? []) {
    let node = root;
    for (const step of field.path.split(/\.|(?=\[\]|\{\})/)) node = nodeAt(node, step);
    node.field = field;
  }
  trees.set(trait, root);
  return root;
}

function nodeAt(node: Marks, step: string): Marks {
  if (step === '[]') {
    node.list ??= { members: new Map() };
    return node.list;
  }
  if (step === '{}') {
    node.json ??= { members: new Map() };
    return node.json;
  }
  const next = node.members.get(step) ?? { members: new Map() };
  node.members.set(step, next);
  return next;
}

/** The names of the fields in a subtree, for errors. */
function namesBelow(marks: Marks): string[] {
  const { field, list, json, members } = marks;
  const below = [list, json, ...members.values()].flatMap((node) => (node ? namesBelow(node) : []));
  return field ? [`"${field.path}"`, ...below] : below;
}

/** The current options, including inherited and computed ones. */
function copyOf(options: Options): Options {
  const copy: Options = { ...options };
  for (const name of OPTION_NAMES) if (options[name] !== undefined) copy[name] = options[name];
  return copy;
}

/** A body in a form other than the marked one could contain the fields in plain text. */
function refuseOtherBody(path: string, { json, body }: Options, { members }: Marks): void {
  const [root, marks] = [...members].find(([name]) => name !== 'query') ?? [];
  if (root === undefined || marks === undefined) return;
  const isNothing = body === undefined || body === null || body === '';
  const isJson = json !== undefined && json !== null;
  const isV2 = protocolOfPath(path) === 'v2';
  const carrier = isV2 ? (isMedia(body) ? 'body' : 'xml') : isJson ? 'json' : isNothing ? root : 'body';
  if (carrier === root && (root !== 'body' || isNothing || isMedia(body))) return;
  const form = root === 'body' ? 'a Media as "body"' : `an object as "${root}"`;
  throw new InvalidArgumentError(
    `"${carrier}" could contain unencrypted what this operation encrypts (${namesBelow(marks).join(', ')}); pass ` +
      `${form}; or encrypt these fields yourself and set encrypted: true.`,
  );
}

/** Takes the fields out of a member of an object, and copies the objects along the path. */
function take(holder: Holder, key: string, marks: Marks, name: string, writing: Writing, fields: MarkedField[]): void {
  const value = writing.value(holder[key], key);
  holder[key] = value;
  if (value === undefined || value === null || value === '') return;
  const { field, list } = marks;
  if (field) {
    const text = writing.text(value, name);
    if (text === '') return;
    holder[key] = '';
    fields.push({
      key: field.key,
      name,
      text,
      replace: (ciphertext) => {
        holder[key] = ciphertext;
      },
    });
    return;
  }
  if (list) {
    if (!Array.isArray(value)) throw refusal(name, 'a list', marks);
    const copy: unknown[] = Array.from(value);
    holder[key] = copy;
    copy.forEach((_, index) => {
      // An array is also an object, with strings as keys.
      take(copy as unknown as Holder, String(index), list, `${name}[${index}]`, writing, fields);
    });
    return;
  }
  if (!isMembers(value)) throw refusal(name, 'an object', marks);
  const copy: Holder = { ...value };
  // `toJSON()` has been applied, and would be called again.
  if (typeof copy.toJSON === 'function') delete copy.toJSON;
  holder[key] = copy;
  for (const [member, below] of marks.members) {
    if (Object.hasOwn(copy, member)) take(copy, member, below, `${name}.${member}`, writing, fields);
  }
}

function isMembers(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(name: string, wanted: string, marks: Marks): InvalidArgumentError {
  return new InvalidArgumentError(
    `"${name}" must be ${wanted} so that its fields can be encrypted (${namesBelow(marks).join(', ')}).`,
  );
}

/** Converts errors thrown by a getter or a `toJSON()` of the caller to ours. */
function guarded(name: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw cause instanceof WechatPayError ? cause : notWritable(name, cause);
  }
}

/** Serialises like `JSON.stringify`: applies `toJSON()`, and unwraps `String` and `Number` objects. */
const JSON_WRITING: Writing = {
  value(value, key) {
    const isAsked = (typeof value === 'object' && value !== null) || ['bigint', 'function'].includes(typeof value);
    const toJson: unknown = isAsked ? Object(value).toJSON : undefined;
    const written: unknown = typeof toJson === 'function' ? toJson.call(value, key) : value;
    if (types.isStringObject(written)) return String(written);
    if (types.isNumberObject(written)) return Number(written);
    if (types.isBigIntObject(written) || types.isBooleanObject(written)) return written.valueOf();
    return written;
  },
  text: exactText,
};

/** Serialises like v2 fields, which are never objects. */
const XML_WRITING: Writing = {
  value: (value) => value,
  text: (value, name) => fieldText(name, value),
};

/** Serialises plain data only. */
const PLAIN_WRITING: Writing = { value: (value) => value, text: exactText };

/** The text of a string or an integer; other values have more than one text form, or none. */
function exactText(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  return refuseText(name);
}

function refuseText(name: string): never {
  throw new InvalidArgumentError(`"${name}" is encrypted in this operation; it must be a string or an integer.`);
}

/**
 * The fields of the `query` option, or else of the query in the path.
 * @returns also the path of the call, with the fields replaced so far
 */
function takeQuery(call: Call, options: Options, marks: Marks, fields: MarkedField[]): () => string {
  const { query } = options;
  if (query === undefined || query === null) {
    const [, path = '', text] = /^([^?#]*)\?([^#]*)/s.exec(call.path) ?? [];
    if (text === undefined) return () => call.path;
    const pairs = takePairs(text, marks, fields);
    return () => `${path}?${pairs()}`;
  }
  if (typeof query === 'string' || query instanceof URLSearchParams) {
    const pairs = takePairs(typeof query === 'string' ? query : writePairs(query), marks, fields);
    Object.defineProperty(options, 'query', { get: pairs, enumerable: true });
  } else if (isMembers(query)) {
    take(options, 'query', marks, 'query', PLAIN_WRITING, fields);
  }
  return () => call.path;
}

function writePairs(query: URLSearchParams): string {
  return [...query].map(([name, value]) => `${encodeComponent(name)}=${encodeComponent(value)}`).join('&');
}

/** The fields of a query string, parsed as a server does; unmarked parts stay exactly as written. */
function takePairs(query: string, { members }: Marks, fields: MarkedField[]): () => string {
  const pairs = query.split('&').map((pair) => {
    const [[name = '', text = ''] = []] = [...new URLSearchParams(`&${pair}`)];
    const [plainName = ''] = name.replace(/^\?+/, '').split('[', 1);
    const field = members.get(plainName)?.field;
    const result = { written: pair };
    if (!field || text === '') return result;
    if (name !== plainName) return refuseText(`query.${plainName}`);
    const replace = (ciphertext: string) => {
      result.written = `${encodeComponent(name)}=${encodeComponent(ciphertext)}`;
    };
    replace('');
    fields.push({ key: field.key, name: `query.${name}`, text, replace });
    return result;
  });
  return () => pairs.map(({ written }) => written).join('&');
}

/** The fields of a form: strings that may contain JSON. The parsed JSON is what is sent. */
function takeForm(media: Media, { members }: Marks, fields: MarkedField[]): () => Media {
  const form: Holder = { ...media.fields };
  const documents: Holder = {};
  for (const [key, marks] of members) {
    const text = form[key];
    const name = `body.${key}`;
    if (!marks.json) {
      take(form, key, marks, name, PLAIN_WRITING, fields);
    } else if (typeof text === 'string' && text !== '') {
      documents[key] = requireJson(text, name);
      take(documents, key, marks.json, name, PLAIN_WRITING, fields);
    }
  }
  return () => {
    const written = Object.entries(documents).map(([key, document]) => [key, JSON.stringify(document)]);
    return media.withFields({ ...form, ...Object.fromEntries(written) });
  };
}
