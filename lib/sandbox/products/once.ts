import { isDeepStrictEqual } from 'node:util';
import { keyOf, type Store } from '../store';
import { fault } from '../wire/response';

/** The result of a call with a request number. */
interface Done<Result extends object> {
  readonly asked: object;
  readonly result: Result;
}

/** Processes a request number once; a repeated request gets the response of the first. */
export type Once<Result extends object> = (mchid: string, number: string, asked: object, run: () => Result) => Result;

/**
 * Makes calls idempotent by their request number.
 * @param name the table of what has been done
 */
export function createOnce<Result extends object>(store: Store, name: string): Once<Result> {
  const table = store.table<Done<Result>>(name);
  return (mchid, number, asked, run) => {
    const key = keyOf(mchid, number);
    const before = table.get(key);
    if (before && isDeepStrictEqual(before.asked, asked)) return before.result;
    if (before) throw fault(400, 'INVALID_REQUEST', '请求重入时，参数与首次请求时不一致');
    const result = run();
    table.put(key, { asked, result });
    return result;
  };
}

/** A request without members that are `undefined`: JSON has none. */
export type Given<T> = T extends string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? Given<Item>[]
    : { [Name in keyof T]: Given<Exclude<T[Name], undefined>> };

/** Repeats a member of the request in the response. */
export function given<T>(json: T): Given<T> {
  // JSON has no undefined, so no member has that value.
  return json as Given<T>;
}

/** The page of a list that a query selects. */
export function pageOf<Item>(
  all: readonly Item[],
  query: URLSearchParams,
  defaultLimit = 20,
): { data: Item[]; total_count: number; offset: number; limit: number } {
  const offset = Number(query.get('offset') ?? 0);
  const limit = Number(query.get('limit') ?? defaultLimit);
  return { data: all.slice(offset, offset + limit), total_count: all.length, offset, limit };
}
