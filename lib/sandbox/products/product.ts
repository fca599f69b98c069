import type { Clock, Schedule } from '../clock';
import type { Identities } from '../identity';
import type { Notifier } from '../notifications/notify';
import type { Verb } from '../routes';
import type { Store } from '../store';
import type { Handler } from '../wire/request';

/** What a product is made of: the state, the time, who there is, and how they are notified. */
export interface ProductContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly identities: Identities;
  readonly notifier: Notifier;
  /** Where the sandbox listens, with a slash at its end. */
  readonly baseUrl: string;
}

/** An operation, and what a product does for it. */
export type ProductRoute = readonly [verb: Verb, path: string, handler: Handler];

/** A product of WeChat Pay that keeps state. */
export interface Product {
  /** The operations that it processes. */
  readonly routes: readonly ProductRoute[];
  /** What tests and the console can do to it: paths of the control API, below `sandbox/`. */
  readonly control?: readonly ProductRoute[];
  /** Creates what is there from the start; called at the start and after a reset. */
  seed?(): void;
}
