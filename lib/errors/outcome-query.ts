import type { ResponsePromise } from '../openapi/response';

/**
 * The query that tells what became of a request: of `POST v3/refund/domestic/refunds`, the refund by its
 * `out_refund_no`. It prints as verb and path.
 */
export interface OutcomeQuery {
  /** In lower case; `post` for queries of v2. */
  readonly verb: 'get' | 'post';
  /** Its path with the variables filled in, without a query: `v3/refund/domestic/refunds/1217752501201407033233368018`. */
  readonly path: string;
  /**
   * Sends the query through the client that sent the request, with the client's own settings. What it needs is taken from
   * the request as it was sent.
   * @returns the response, verified; rejects like any call. WeChat Pay may need a few seconds before it knows the outcome.
   */
  ask(): ResponsePromise;
}
