import type { CommonOptions, LooseOptions } from './options';
import type { DownloadPromise, ResponsePromise } from './response';

/** A verb of an operation: sends the request. */
export type Call<Options, Result> = (options: Options & CommonOptions) => ResponsePromise<Result>;

/** A verb of an operation that needs no option. */
export type OptionalCall<Options, Result> = (options?: Options & CommonOptions) => ResponsePromise<Result>;

/** A verb of an operation whose response is a file. */
export type DownloadCall<Options> = (options: Options & CommonOptions) => DownloadPromise;

/** A verb of an operation whose response is a file and that needs no option. */
export type OptionalDownloadCall<Options> = (options?: Options & CommonOptions) => DownloadPromise;

/** A verb of a path that the catalogue does not know; a verb is a segment as well. */
export type LooseCall = ((options?: LooseOptions) => ResponsePromise<unknown>) & LooseNode;

/** A path that the catalogue does not know: every verb, every further segment, loosely typed. */
export type LooseNode = {
  /** Goes on with a segment or a path, written as it is. */
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
 * A path that the catalogue knows. Of plain names it has those of the catalogue and no others: a misspelt segment, or a
 * verb that the path does not have, does not compile, and the compiler names the one that was meant.
 *
 * Nothing in a name tells a typo from a segment that WeChat Pay has added since. So the writer tells: a name must be
 * known, and what is written as text (by `chain()`, or in brackets where it is no plain name) is taken as it is:
 * `instance.v3.pay.chain('new').segment.post({ json })`.
 */
export interface PathNode {
  /**
   * Keys that are not plain names are literal segments, sent as they are written: `['merchant-service']`,
   * `['{transaction_id}']`, `['4200AbC']`. The catalogue need not know them. The compiler holds each known path against
   * each of these patterns, so that there are no more of them; whatever else a segment may be, `chain()` takes.
   */
  readonly [literal: `${string}-${string}` | `{${string}` | `${number}${string}`]: LooseNode;
  /** Goes on with a segment or a path, written as it is; the catalogue need not know it. */
  chain(path: string | number): LooseNode;
}
