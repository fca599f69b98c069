import type { KnownNode, LooseNode } from './node';
import type { Paths } from './paths';
import type { V3 } from './v3';

/** The first segments of the property chain. */
interface Root {
  readonly v3: KnownNode<V3>;
}

/**
 * A client: any path, as a chain of properties, by `chain()` or in brackets.
 *
 * With TypeScript's `noUncheckedIndexedAccess`, write a path that the catalogue does not know with `chain()`.
 */
export type Chain = Root &
  Paths & {
    /** Goes to a path, written as it is: `chain('v3/pay/transactions/native')`. */
    chain<Path extends keyof Paths>(path: Path): Paths[Path];
    chain(path: string | number): LooseNode;
  } & { readonly [segment: string]: LooseNode };
