/** A value in a query or a URI variable: sent as text. */
export type Scalar = string | number | bigint | boolean;

/** A query as an object: nested members are sent as `a[b]=…`, `null` and `undefined` are left out. */
export interface QueryObject {
  [name: string]: Scalar | null | undefined | QueryObject | readonly (Scalar | null | undefined | QueryObject)[];
}

/** Headers as undici and `fetch` take them; `null` and `undefined` drop a header. */
export type HeadersInput =
  | Headers
  | Iterable<readonly [string, string]>
  | Record<string, Scalar | readonly string[] | null | undefined>;

/** Options that every call takes, besides its own `json`, `query` and URI variables. */
export interface CommonOptions {
  /** Headers to send besides those that the client sets. */
  headers?: HeadersInput;
  /** Root of the API for this call, such as `https://apihk.mch.weixin.qq.com/`. */
  baseUrl?: string | URL;
  /** Longest time for the whole call, in milliseconds. */
  timeout?: number;
  /** Aborts the call. */
  signal?: AbortSignal;
  /** v2: presents the merchant's TLS client certificate (`merchant` in the configuration). */
  security?: boolean;
  /** v2: sends no `nonce_str`. */
  nonceless?: boolean;
  /** The answer is a file: a stream, which WeChat Pay does not sign. */
  download?: boolean;
  /**
   * Hash of the plain text of the file, as the answer that named the file gives it; with `tar_type: 'GZIP'` it is
   * unzipped on the way. The body fails at its end where the hash is another.
   */
  digest?: { hash_type: string; hash_value: string; tar_type?: string | undefined };
  /** v2: the answer carries no `sign`. */
  unsigned?: boolean;
  /** URI variables by name; the only way to give those that are named like an option. */
  variables?: Readonly<Record<string, unknown>>;
}

/** A file to upload, as `Media.from()` makes it. */
export interface Upload {
  readonly meta: string;
  readonly headers: { 'content-type': string };
  readonly contentLength: number;
  stream(): AsyncIterable<Uint8Array>;
}

/** Options of a call to a path that the catalogue does not know. URI variables stand beside them, by their own name. */
export interface LooseOptions extends CommonOptions {
  /** Body, sent as JSON. */
  json?: unknown;
  /** Fields of a request of v2, sent as XML. */
  xml?: Readonly<Record<string, Scalar | null | undefined>>;
  /** Query, as an object, as `URLSearchParams`, or as text without the question mark. */
  query?: QueryObject | URLSearchParams | string | null;
  /** Body, sent as it is; an upload is a `Media`. */
  body?: string | Uint8Array | ArrayBuffer | Upload | null;
  readonly [variable: string]: unknown;
}
