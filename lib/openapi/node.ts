import type { CommonOptions, LooseOptions } from './options';
import type { DownloadPromise, ResponsePromise } from './response';

/** A verb of an operation: sends the request. */
export type Call<Options, Result> = (options: Options & CommonOptions) => ResponsePromise<Result>;

/** A verb of an operation that requires no options. */
export type OptionalCall<Options, Result> = (options?: Options & CommonOptions) => ResponsePromise<Result>;

/** A verb of an operation whose response is a file. */
export type DownloadCall<Options> = (options: Options & CommonOptions) => DownloadPromise;

/** A verb of an operation whose response is a file and that requires no options. */
export type OptionalDownloadCall<Options> = (options?: Options & CommonOptions) => DownloadPromise;

/** A verb of a path that the catalogue does not know; it can also be a segment. */
export type LooseCall = ((options?: LooseOptions) => ResponsePromise<unknown>) & LooseNode;

/** A path that the catalogue does not know: all verbs and further segments, untyped. */
export type LooseNode = {
  /** Appends a segment or a path, exactly as written. */
  chain(path: string | number): LooseNode;
  readonly get: LooseCall;
  readonly getAsync: LooseCall;
  readonly post: LooseCall;
  readonly postAsync: LooseCall;
  readonly put: LooseCall;
  readonly putAsync: LooseCall;
  readonly patch: LooseCall;
  readonly patchAsync: LooseCall;
  readonly delete: LooseCall;
  readonly deleteAsync: LooseCall;
} & { readonly [segment: string]: LooseNode };

/**
 * A path that the catalogue knows. It has the plain names in the catalogue and no others: a misspelt segment, or a verb
 * that the path does not have, does not compile, and the compiler suggests the right one.
 *
 * A name alone cannot tell a typo from a segment that WeChat Pay has added since. So names must be known, while strings
 * (with `chain()`, or in brackets if they are not plain names) are used as they are:
 * `instance.v3.pay.chain('new').segment.post({ json })`.
 */
export interface PathNode {
  /**
   * Keys that are not plain names are literal segments, sent as written: `['merchant-service']`, `['{transaction_id}']`,
   * `['4200AbC']`. The catalogue need not know them. The compiler checks each known path against each of these patterns,
   * so there are only a few; `chain()` accepts any other segment.
   */
  readonly [literal: `${string}-${string}` | `{${string}` | `${number}${string}`]: LooseNode;
  /** Appends a segment or a path, exactly as written; the catalogue need not know it. */
  chain(path: string | number): LooseNode;
}
