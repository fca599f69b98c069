import { inspect } from 'node:util';

/**
 * The error that a promise rejects with, or that a function throws or rejects with.
 * @throws where there is none: the test fails
 */
export async function rejection(
  attempt: PromiseLike<unknown> | (() => unknown),
): Promise<Error & { readonly code?: string }> {
  let value: unknown;
  try {
    value = await (typeof attempt === 'function' ? attempt() : attempt);
  } catch (error) {
    return error as Error;
  }
  throw new Error(`Expected a rejection, received ${inspect(value)}`);
}
