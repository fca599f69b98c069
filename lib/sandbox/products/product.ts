import type { Clock, Schedule } from '../clock';
import type { Identities } from '../identity';
import type { Notifier } from '../notifications/notify';
import type { Verb } from '../routes';
import type { Store } from '../store';
import type { Handler } from '../wire/request';

/** What a product works with: state, time, identities and notifications. */
export interface ProductContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly identities: Identities;
  readonly notifier: Notifier;
  /** The sandbox listens with TLS. */
  readonly tls?: boolean;
}

/** An operation and its handler. */
export type ProductRoute = readonly [verb: Verb, path: string, handler: Handler];

/** A product of WeChat Pay that keeps state. */
export interface Product {
  /** The operations that it processes. */
  readonly routes: readonly ProductRoute[];
  /** Its rows of the control API, for tests and the console: paths below `sandbox/`. */
  readonly control?: readonly ProductRoute[];
  /** Creates the initial state; called at the start and after a reset. */
  seed?(): void;
}
