import type { KnownNode, LooseNode } from './node';
import type { Paths } from './paths';
import type { V2 } from './v2';
import type { V3 } from './v3';

/** The first segments of the property chain. */
interface Root {
  /** The XML APIs. */
  readonly v2: KnownNode<V2>;
  /** The JSON APIs. */
  readonly v3: KnownNode<V3>;
}

/** Each known path, in brackets. */
type Brackets = { readonly [Path in keyof Paths]: KnownNode<Paths[Path]> };

interface LiteralPath {
  /** Goes to a path, written as it is: `chain('v3/pay/transactions/native')`. */
  chain<Path extends keyof Paths>(path: Path): KnownNode<Paths[Path]>;
  chain(path: string | number): LooseNode;
}

/**
 * A client: any path, as a chain of properties, by `chain()` or in brackets.
 *
 * With TypeScript's `noUncheckedIndexedAccess`, write a path that the catalogue does not know with `chain()`.
 */
export type Chain = Root & LiteralPath & Brackets & { readonly [segment: string]: LooseNode };
