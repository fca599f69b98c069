/** A standard `Response` whose signature has been verified, with the body typed and WeChat Pay's request id. */
export interface ApiResponse<T = unknown> extends Response {
  /** `Request-ID` of the response; quote it to WeChat Pay's support. */
  readonly requestId: string | undefined;
  /** A copy with its own body, if this one is unread. It decrypts as this one does. */
  clone(): ApiResponse<T>;
  /** The body as JSON, whatever its content type; `undefined` if it is empty (204). */
  json<J = T>(): Promise<J>;
  /** The body of a v2 operation, parsed from XML: the members of `<xml>`, each a string. */
  xml<X = T>(): Promise<X>;
}

/** A promise of an {@link ApiResponse}, with shortcuts to its body. */
export interface ResponsePromise<T = unknown> extends Promise<ApiResponse<T>> {
  /** The body as JSON; `undefined` if it is empty (204). */
  json<J = T>(): Promise<J>;
  /** The body of a v2 operation, parsed from XML: the members of `<xml>`, each a string. */
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

/**
 * A file: a `Response` whose body is a stream, neither held in memory nor signed.
 *
 * `text()` and the like read the whole file into memory, up to the option `maxBuffer`; for a larger file they reject with
 * a `BodyError`, `ERR_BODY_TOO_LARGE`. Cancel a body that you do not read to the end: `body.cancel()`.
 */
export interface Download extends Response {
  /** The file as a stream. */
  readonly body: NonNullable<Response['body']>;
  /** `Request-ID` of the response; quote it to WeChat Pay's support. */
  readonly requestId: string | undefined;
  /** A copy with its own stream, if the file is unread. What only one of them has read is held in memory. */
  clone(): Download;
}

/** A promise of a {@link Download}, with shortcuts that read the whole file into memory, up to `maxBuffer`. */
export interface DownloadPromise extends Promise<Download> {
  /** The file as text. */
  text(): Promise<string>;
  /** The file as bytes. */
  bytes(): Promise<Uint8Array>;
  /** The file as an `ArrayBuffer`. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** The file as a `Blob`. */
  blob(): Promise<Blob>;
}
