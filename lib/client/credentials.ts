import { InvalidArgumentError } from '../errors';
import type { ClientConfig } from './config';

/** What of a client's configuration the helpers for an instance need. */
export type Credentials = Pick<ClientConfig, 'mchid' | 'serial' | 'privateKey' | 'certs' | 'secret'>;

const known = new WeakMap<object, Credentials>();

/** Remembers what an instance was built with, for as long as the instance lives; what is changed later does not count. */
export function remember<Instance extends object>(instance: Instance, credentials: Credentials): Instance {
  const { certs } = credentials;
  known.set(instance, certs ? { ...credentials, certs: { ...certs } } : { ...credentials });
  return instance;
}

/**
 * What an instance was built with.
 * @throws {@link InvalidArgumentError} for what `Builder.factory` did not build
 */
export function credentialsOf(instance: object): Credentials {
  const credentials = known.get(instance);
  if (credentials) return credentials;
  throw new InvalidArgumentError(
    '"instance" was not built by Builder.factory: give what that returned, and not a path of it such as instance.v3.',
  );
}
