import type { Field, Operation, Protocol } from '../generate/catalogue';
import { propertyOf } from '../generate/names';
import { isSetByClient, isSignedByClient } from './set-by-client';

/** A JSON value. */
export type Value = string | number | boolean | Value[] | { [name: string]: Value };

/** A minimal call: without any one of its members, at any depth, it must not compile. */
export interface SampleCall {
  verb: string;
  /** The path for `chain()` and brackets. */
  path: string;
  /** The property chain, from the client on: `.v3.pay.transactions.native`. */
  property: string;
  options: { [name: string]: Value };
  /** URI variables that only the property chain has. */
  variables: { [name: string]: Value };
}

/** The smallest call of an operation, from the catalogue only, independent of the types that it checks. */
export function sampleCall({
  path,
  verb,
  chain = path,
  chain_values: values = {},
  ...operation
}: Operation): SampleCall {
  const { request, upload, protocol } = operation;
  const options: { [name: string]: Value } = {};
  for (const field of request) {
    if (!field.required || isSetByClient(field) || field.name in values) continue;
    if (field.name === 'body' && upload) continue;
    const value = sampleValue(field, protocol);
    if (field.name !== 'headers' || Object.keys(value).length > 0) options[field.name] = value;
  }
  if (upload) options.body = 'bytes';
  const variables = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  return { verb, path, property: propertyChain(chain), options, variables };
}

function propertyChain(path: string): string {
  const keys = path.split('/').map((segment) => propertyOf(segment) ?? segment);
  return keys.map((key) => (/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join('');
}

function sampleValue(field: Field, protocol: Protocol): Value {
  const value = field.encoded ? 'text' : oneOf(field, protocol);
  return field.type.endsWith('[]') ? [value] : value;
}

function oneOf({ name: owner, type, fields = [], enum: tokens = [] }: Field, protocol: Protocol): Value {
  const [token] = tokens;
  switch (type.replace('[]', '')) {
    case 'object': {
      const members: { [name: string]: Value } = {};
      for (const field of fields) {
        const ours = owner === 'headers' ? isSetByClient(field) : protocol === 'v2' && isSignedByClient(field.name);
        if (field.required && !ours && !(field.name in members)) members[field.name] = sampleValue(field, protocol);
      }
      return members;
    }
    case 'string':
      return token ?? 'text';
    case 'boolean':
      return true;
    default:
      return token && /^-?\d+$/.test(token) ? Number(token) : 1;
  }
}
