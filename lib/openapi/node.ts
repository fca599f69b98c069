import type { CommonOptions, LooseOptions } from './options';
import type { DownloadPromise, ResponsePromise } from './response';

/** A verb of an operation: sends the request. */
export type Call<Options, Result> = (options: Options & CommonOptions) => ResponsePromise<Result>;

/** A verb of an operation that needs no option. */
export type OptionalCall<Options, Result> = (options?: Options & CommonOptions) => ResponsePromise<Result>;

/** A verb of an operation that answers with a file. */
export type DownloadCall<Options> = (options: Options & CommonOptions) => DownloadPromise;

/** A verb of an operation that answers with a file and needs no option. */
export type OptionalDownloadCall<Options> = (options?: Options & CommonOptions) => DownloadPromise;

/** A verb of a path that the catalogue does not know; a verb is a segment as well. */
export type LooseCall = ((options?: LooseOptions) => ResponsePromise<unknown>) & LooseNode;

/** A path that the catalogue does not know: every verb, every further segment, loosely typed. */
export type LooseNode = LooseVerbs & LooseSegments;

interface LooseVerbs {
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
  /** Goes on with a segment or a path, written as it is. */
  chain(path: string | number): LooseNode;
}

interface LooseSegments {
  readonly [segment: string]: LooseNode;
}

/** A path that the catalogue knows: its verbs and segments typed, every other segment loose. */
export type KnownNode<Known> = Known & Pick<LooseVerbs, 'chain'> & LooseSegments;
