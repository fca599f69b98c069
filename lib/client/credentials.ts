import type { ClientConfig } from './config';

/** What of a client's configuration the helpers for an instance need. */
export type Credentials = Pick<ClientConfig, 'mchid' | 'serial' | 'privateKey' | 'certs' | 'secret'>;

const known = new WeakMap<object, Credentials>();

/** Remembers what an instance was built with, for as long as the instance lives. */
export function remember<Instance extends object>(instance: Instance, credentials: Credentials): Instance {
  known.set(instance, credentials);
  return instance;
}

/** What an instance was built with; undefined for what `Builder.factory` did not build. */
export function credentialsOf(instance: object): Credentials | undefined {
  return known.get(instance);
}
