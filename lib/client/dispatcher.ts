import type { Dispatcher } from 'undici';
import { ConfigurationError } from '../errors';

/**
 * Refuses a dispatcher that cannot work with the interceptors of undici 7 and 8: what is none, and those of undici 6,
 * whose handlers have other methods. Nothing is dispatched to find out: what undici 6 composes is of a class of its own,
 * and what 7 and 8 compose is a proxy that has the class of the dispatcher.
 * @param name of the option, for the error
 * @throws {@link ConfigurationError} where it cannot work
 */
export function readDispatcher(name: string, dispatcher: Dispatcher): Dispatcher {
  const { dispatch, compose } = Object(dispatcher) as Partial<Dispatcher>;
  if (typeof dispatch !== 'function') throw new ConfigurationError(`"${name}" must be a dispatcher of undici 7 or 8.`);
  if (typeof compose === 'function' && !isOfUndici6(dispatcher)) return dispatcher;
  throw new ConfigurationError(
    `"${name}" is a dispatcher of undici 6 or older, which cannot be used: make it with undici 7 or 8. ` +
      'The global dispatcher of Node 20 and 22 is such a one too, since undici 6 is built into them.',
  );
}

function isOfUndici6(dispatcher: Dispatcher): boolean {
  const composed: object = dispatcher.compose([(dispatch) => (options, handler) => dispatch(options, handler)]);
  return composed.constructor?.name === 'ComposedDispatcher';
}
