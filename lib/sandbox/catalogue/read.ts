import { brotliDecompressSync } from 'node:zlib';
import type { Fact, FactNotification, Verb } from './fact';
import { FACTS } from './facts';

/** An operation of the catalogue. What is known of it is read when it is first asked for. */
export interface KnownOperation {
  readonly protocol: Fact['protocol'];
  readonly verb: Verb;
  /** Path as a template, with the leading `v2/` of v2. */
  readonly path: string;
  /** Templates of the addresses that it is found at, each with its leading slash. */
  readonly addresses: readonly string[];
  readonly fact: Fact;
}

interface Index {
  readonly operations: readonly (readonly [protocol: Fact['protocol'], verb: Verb, path: string, ...string[]])[];
  readonly notifications: readonly string[];
  readonly v2Fields: readonly string[];
}

interface Catalogue {
  readonly operations: readonly KnownOperation[];
  /** By name; those of v2 with a leading `v2/`. */
  readonly notifications: ReadonlyMap<string, { readonly fact: FactNotification }>;
  /** Every field that a v2 request may have. */
  readonly v2Fields: ReadonlySet<string>;
}

let read: Catalogue | undefined;

/** What is known; unpacked when it is first asked for. */
export function catalogue(): Catalogue {
  read ??= readCatalogue();
  return read;
}

function readCatalogue(): Catalogue {
  const [first = '', ...lines] = brotliDecompressSync(Buffer.from(FACTS, 'base64')).toString().split('\n');
  const { operations, notifications, v2Fields } = JSON.parse(first) as Index;
  return {
    operations: operations.map(([protocol, verb, path, ...addresses], index) => {
      const held = lazy<Fact>(lines[index]);
      return {
        protocol,
        verb,
        path,
        addresses,
        get fact() {
          return held();
        },
      };
    }),
    notifications: new Map(
      notifications.map((name, index) => {
        const held = lazy<FactNotification>(lines[operations.length + index]);
        return [
          name,
          {
            get fact() {
              return held();
            },
          },
        ];
      }),
    ),
    v2Fields: new Set(v2Fields),
  };
}

function lazy<Value>(line = ''): () => Value {
  let value: Value | undefined;
  return () => {
    value ??= JSON.parse(line) as Value;
    return value;
  };
}
