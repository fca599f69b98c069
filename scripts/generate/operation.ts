import type { Field, Operation } from './catalogue';
import { objectOf, type Place, typeOf } from './fields';
import { pascal, pathName, quoted, variableOf } from './names';
import { type Member, type ObjectType, plain } from './type';

/** A part of the options or the response with an interface of its own. */
export interface Part {
  /** The name of its interface. */
  name: string;
  type: ObjectType;
  side: Place['side'];
}

/** The result of a call. */
export type Result = { kind: 'part'; part: Part } | { kind: 'download' } | { kind: 'plain'; text: string };

/** An operation as its types are written. */
export interface OperationModel {
  operation: Operation;
  /** The path of its property chain, or the path for `chain()` and brackets. */
  path: string;
  /** The name of the interface of its options. */
  name: string;
  /** Its own options; bodies refer to their part. */
  options: (Member & { part?: Part })[];
  /** The name of the interface of the options to which these add. */
  base?: string;
  /** Whether a call requires options. */
  needed: boolean;
  result: Result;
}

/** Values that the client sets itself, from its traits or its configuration. */
const SET_BY_CLIENT = new Set(['base_uri', 'security', 'nonceless', 'fragment', 'timeout']);
const BODIES = new Set(['json', 'query', 'xml']);

/** The models of an operation: two if its property chain differs from its path, the path's first. */
export function modelsOf(operation: Operation): OperationModel[] {
  const { path, chain, verb, chain_values: values = {} } = operation;
  const fixed = Object.keys(values);
  const own = modelOf(operation, fixed);
  if (chain === undefined || chain === path) return [own];
  const options = fixed.map((name): Member => {
    const row = operation.request.find((field) => field.name === name);
    const text = quoted(values[name] ?? '');
    return { name, optional: values[name] === '', type: plain(text), ...(row?.label && { label: row.label }) };
  });
  const name = pathName(chain) + pascal(verb);
  const needed = own.needed || options.some(({ optional }) => !optional);
  return [own, { ...own, path: chain, name, options, needed, ...(own.options.length > 0 && { base: own.name }) }];
}

function modelOf(operation: Operation, fixed: readonly string[]): OperationModel {
  const { path, verb, protocol, request, upload } = operation;
  const name = pathName(path) + pascal(verb);
  const foreign = isForeign(operation);
  const place: Place = { side: 'request', format: protocol === 'v2' ? 'xml' : 'json', foreign };
  const variables = new Set(path.split('/').map(variableOf));
  const options = request
    .filter((field) => !SET_BY_CLIENT.has(field.name) && !fixed.includes(field.name))
    .filter((field) => !(upload && field.name === 'body'))
    .flatMap((field) => {
      if (variables.has(field.name)) return [variable(field)];
      if (field.name === 'headers') return headers(field);
      if (BODIES.has(field.name)) return [body(name, field, place)];
      throw new Error(`${verb} ${path}: "${field.name}" is neither an option nor a URI variable.`);
    });
  const needed = upload === true || options.some(({ optional }) => !optional);
  return { operation, path, name, options, needed, result: resultOf(operation, name) };
}

/** Whether amounts are in another currency than CNY. */
function isForeign({ path, base_uri: root = '' }: Operation): boolean {
  return /hk/.test(root) || /^v3\/(global|payscore\/oversea)\//.test(path);
}

function variable(field: Field): Member {
  const type = typeOf(field, { side: 'request', format: 'json' });
  const text = type.kind === 'plain' && type.text === 'string' ? plain('string | number') : type;
  return { name: field.name, optional: false, type: text, ...(field.label && { label: field.label }) };
}

/** The headers that an operation documents. `Wechatpay-Serial` is the client's to set. */
function headers(field: Field): Member[] {
  const fields = (field.fields ?? []).map((one) =>
    one.name.toLowerCase() === 'wechatpay-serial' ? { ...one, required: false } : one,
  );
  if (fields.length <= 1 && fields.every(({ name }) => name.toLowerCase() === 'wechatpay-serial')) return [];
  const of = objectOf(fields, { side: 'request', format: 'json' });
  return [{ name: 'headers', optional: of.members.every(({ optional }) => optional), type: of }];
}

function body(owner: string, field: Field, place: Place): Member & { part?: Part } {
  const type = typeOf(field, place);
  const member = { name: field.name, optional: !field.required, type };
  if (type.kind !== 'object') return member;
  return { ...member, part: { name: owner + pascal(field.name), type, side: 'request' } };
}

function resultOf(operation: Operation, owner: string): Result {
  const { protocol, response, response_format } = operation;
  if (operation.download) return { kind: 'download' };
  if (operation.status) return { kind: 'plain', text: 'undefined' };
  if (response.length === 0) return { kind: 'plain', text: 'unknown' };
  const format = protocol === 'v2' && response_format !== 'json' ? 'xml' : 'json';
  const type = objectOf(response, { side: 'response', format, foreign: isForeign(operation) });
  return { kind: 'part', part: { name: `${owner}Result`, type, side: 'response' } };
}
