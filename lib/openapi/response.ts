/** A standard `Response` whose signature has been verified, with the body typed and WeChat Pay's request id. */
export interface ApiResponse<T = unknown> extends Response {
  /** `Request-ID` of the answer, to be quoted to WeChat Pay's support. */
  readonly requestId: string | undefined;
  /** The body as JSON, whatever its content type; `undefined` where it is empty (204). */
  json<J = T>(): Promise<J>;
  /** The body of an answer of v2: its fields by name, all of them text. */
  xml<X = T>(): Promise<X>;
}

/** A promise of an {@link ApiResponse}, with shortcuts to its body. */
export interface ResponsePromise<T = unknown> extends Promise<ApiResponse<T>> {
  /** The body as JSON; `undefined` where it is empty (204). */
  json<J = T>(): Promise<J>;
  /** The body of an answer of v2: its fields by name, all of them text. */
  xml<X = T>(): Promise<X>;
  /** The body as text. */
  text(): Promise<string>;
  /** The body as bytes. */
  bytes(): Promise<Uint8Array>;
  /** The body as an `ArrayBuffer`. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** The body as a `Blob`. */
  blob(): Promise<Blob>;
}
