import { errors } from 'undici';

/**
 * The reason of an abort in a form that undici accepts. A caller may abort with any reason, including `null`, `0` or
 * `''`, which code that checks for a truthy reason would miss.
 */
export function abortError(reason: unknown): Error {
  if (typeof reason === 'object' && reason !== null) return reason as Error;
  return Object.assign(new errors.RequestAbortedError(), { cause: reason });
}
