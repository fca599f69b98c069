import { errors } from 'undici';

/**
 * The reason of an abort as undici can take it. A caller may abort for any reason, `null`, `0` or `''` among them, which
 * undici and whoever asks "is there a reason?" would take for none.
 */
export function abortError(reason: unknown): Error {
  if (typeof reason === 'object' && reason !== null) return reason as Error;
  return Object.assign(new errors.RequestAbortedError(), { cause: reason });
}
