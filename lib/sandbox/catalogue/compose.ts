import type { FactField } from './fact';
import { hashAt, numberFor, type Source, textFor } from './values';

/** The context in which a value is made. */
export interface Composition extends Source {
  /** Objects whose members are repeated if name and type match; the innermost first. */
  readonly given: readonly Readonly<Record<string, unknown>>[];
  /** Encrypts a text for the reader of what is made; the key is that of the field, such as `merchant`. */
  readonly encrypt: (plain: string, key: string) => string;
  /** Names of fields that are encrypted in what is given: they are not repeated as they are. */
  readonly sealed?: ReadonlySet<string>;
  readonly decrypt?: (ciphertext: string) => string | undefined;
  /** Without optional members. */
  readonly onlyRequired?: boolean;
}

/** An object with members of the documented types. */
export function composeObject(fields: readonly FactField[], composition: Composition): Record<string, unknown> {
  const { onlyRequired = false, isV2 } = composition;
  const object: Record<string, unknown> = {};
  for (const field of fields) {
    if (onlyRequired && !field.required) continue;
    // Fields with an index in their name: there is one of each.
    const name = field.name.replace(/\$\w/g, '0');
    if (name in object) continue;
    object[name] = composeField({ ...field, name }, composition);
    if (isV2 && typeof object[name] === 'number') object[name] = String(object[name]);
  }
  if ('hash_value' in object) object.hash_value = hashAt(object.download_url, object.hash_type) ?? object.hash_value;
  return object;
}

function composeField(field: FactField, composition: Composition): unknown {
  if (field.encoded) return composeEncoded(field, composition);
  const isArray = field.type.endsWith('[]');
  if (field.type.startsWith('object')) {
    const found = find(composition, (scope) => objectsIn(scope[field.name]));
    const made = (isArray ? (found ?? [{}]) : [found?.[0] ?? {}]).map((own) =>
      composeObject(field.fields ?? [], { ...composition, given: [own, ...composition.given] }),
    );
    return isArray ? made : made[0];
  }
  if (!isArray) return composeSingle(field, composition);
  const { sealed } = composition;
  const values = find(composition, (scope) => {
    const value = scope[field.name];
    const isFitting =
      Array.isArray(value) && value.length > 0 && value.length <= MOST && !field.encrypted && !sealed?.has(field.name);
    return isFitting && value.every((one) => fits(field, one)) ? value : undefined;
  });
  return values ?? [composeSingle(field, composition)];
}

/** The longest list that is repeated. */
const MOST = 50;

function objectsIn(value: unknown): Record<string, unknown>[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const isFitting = list.length > 0 && list.length <= MOST && list.every(isComposed);
  return isFitting ? (list as Record<string, unknown>[]) : undefined;
}

function isComposed(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value in the innermost object that has it. */
function find<Value>(
  { given }: Composition,
  take: (scope: Readonly<Record<string, unknown>>) => Value | undefined,
): Value | undefined {
  for (const scope of given) {
    const value = take(scope);
    if (value !== undefined) return value;
  }
  return undefined;
}

function composeSingle(field: FactField, composition: Composition): unknown {
  const { encrypted, key = '', enum: tokens = [] } = field;
  if (encrypted === 'rsa') return composition.encrypt(plainOf(field, composition), key);
  if (composition.sealed?.has(field.name)) return textFor(field, composition);
  const repeated = find(composition, (scope) => repeatable(field, scope[field.name]));
  if (repeated !== undefined) return repeated;
  const type = field.type.replace('[]', '');
  const token = tokens.find((one) => GOOD.test(one)) ?? tokens[0];
  if (type === 'boolean') return token === undefined ? true : token === 'true';
  if (type === 'string') return token ?? textFor(field, composition);
  return token !== undefined && /^-?\d+$/.test(token) ? Number(token) : numberFor(field, composition);
}

/** The plain text of an encrypted field: the same as in the request, if that is known. */
function plainOf(field: FactField, composition: Composition): string {
  const { sealed, decrypt } = composition;
  const given = find(composition, (scope) => {
    const value = scope[field.name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  });
  const plain = given !== undefined && sealed?.has(field.name) ? decrypt?.(given) : given;
  return plain ?? textFor(field, composition);
}

/** The documented value that means success. */
const GOOD = /^(SUCCESS|FINISHED|FINISH|NORMAL|EFFECTIVE|AVAILABLE|CNY|OK)$/;

/** The value of the request as the response has it: numbers come as texts in paths, queries and XML. */
function repeatable(field: FactField, value: unknown): unknown {
  if (value === undefined || value === '') return undefined;
  const isNumber = field.type.startsWith('integer') || field.type.startsWith('number');
  const typed = isNumber && typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return fits(field, typed) ? typed : undefined;
}

function fits({ type, enum: tokens }: FactField, value: unknown): boolean {
  const single = type.replace('[]', '');
  const isRight = single === 'integer' ? Number.isInteger(value) : typeof value === single;
  return isRight && (tokens === undefined || tokens.includes(String(value)));
}

/** A string with an object in it; what the request has under the same name is repeated. */
function composeEncoded({ encoded, type, fields = [], name }: FactField, composition: Composition): unknown {
  const held = find(composition, (scope) => objectsIn(parsed(scope[name]))?.[0]) ?? {};
  const given = [held, ...composition.given];
  const object = composeObject(fields, { ...composition, given, isV2: false });
  const text =
    encoded === 'json' ? JSON.stringify(object) : new URLSearchParams(object as Record<string, string>).toString();
  return type.endsWith('[]') ? [text] : text;
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text;
  } catch {
    return undefined;
  }
}
