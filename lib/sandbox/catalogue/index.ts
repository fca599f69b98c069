import type { FactNotification } from './fact';
import { find } from './match';
import { catalogue } from './read';

export type { Decrypt } from './check';
export type { Fact, FactField, FactNotification, Verb } from './fact';
export type { Issue, Kind } from './issue';
export type { Found, Match } from './match';
export type { KnownOperation } from './read';
export {
  type SynthesisContext,
  type Synthesised,
  type SynthesisRequest,
  synthesise,
  synthesiseNotification,
} from './synthesise';
export { type RequestParts, validate } from './validate';

/** The operations of WeChat Pay's API. Nothing is unpacked before the first use. */
export const operations = {
  match: find,
  /** All of them, sorted by path and verb. */
  all: () => catalogue().operations,
};

/** The notifications that WeChat Pay sends. */
export const notifications = {
  /** Their names; those of v2 with a leading `v2/`. */
  names: (): string[] => [...catalogue().notifications.keys()],
  fact: (name: string): FactNotification | undefined => catalogue().notifications.get(name)?.fact,
};
