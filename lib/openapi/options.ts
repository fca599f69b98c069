/** A value in a query or a URI variable, sent as a string. */
export type Scalar = string | number | bigint | boolean;

/** A query as an object: nested members are sent as `a[b]=…`, `null` and `undefined` are omitted. */
export interface QueryObject {
  [name: string]: Scalar | null | undefined | QueryObject | readonly (Scalar | null | undefined | QueryObject)[];
}

/** The value of a header; `null` and `undefined` drop it. */
export type HeaderValue = Scalar | readonly string[] | null | undefined;

/** Headers in the forms of undici and `fetch`; `null` and `undefined` drop a header. */
export type HeadersInput = Headers | Iterable<readonly [string, string]> | Record<string, HeaderValue>;

/** Headers of an operation that documents headers of its own. */
export type HeadersWith<Known> =
  | Headers
  | Iterable<readonly [string, string]>
  | (Known & Readonly<Record<string, HeaderValue>>);

/** Timeouts, in milliseconds. */
export interface Timeouts {
  /** For the whole call, including retries; for a download, until its first byte. */
  total?: number | undefined;
  /** For establishing a connection. */
  connect?: number | undefined;
  /** From the request to the response headers. */
  headers?: number | undefined;
  /** Between two chunks of the response body. */
  body?: number | undefined;
}

/** Options of every call, in addition to its own `json`, `query` and URI variables. */
export interface CommonOptions {
  /** Additional request headers. */
  headers?: HeadersInput | undefined;
  /**
   * Base URL for this call, such as `https://apihk.mch.weixin.qq.com/`: a WeChat Pay host, or one that is configured as
   * `baseUrl` or in `baseUrls`.
   */
  baseUrl?: string | URL | undefined;
  /** Timeout for the whole call, in milliseconds, or timeouts for its phases. */
  timeout?: number | Timeouts | undefined;
  /**
   * Whether to retry the call after a transient failure; `true` even if it is not idempotent. By default, only
   * idempotent calls are retried. Requires `retry` in the configuration.
   */
  retry?: boolean | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
  /**
   * URI variables by name. Required for variables with the name of an option, and recommended for untrusted names, which
   * can then never be taken for options.
   */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** v2: presents the merchant's TLS client certificate. By default only if the operation requires it. */
  security?: boolean | undefined;
  /** v2: omits `nonce_str`. By default only if the operation takes none. */
  nonceless?: boolean | undefined;
  /** Treats the response as a file: a stream, which WeChat Pay does not sign. By default only if it is one. */
  download?: boolean | undefined;
  /**
   * Expected hash of the plain text of the file, as returned with its `download_url`; with `tar_type: 'GZIP'` the file is
   * unzipped. The body errors at its end if the hash does not match.
   */
  digest?: { hash_type: string; hash_value: string; tar_type?: string | undefined } | undefined;
  /**
   * Maximum number of bytes of a downloaded file, after unzipping, that `text()`, `json()`, `xml()`, `bytes()`,
   * `arrayBuffer()`, `blob()` and `formData()` hold in memory; 64 MiB by default. They reject larger files: read those
   * as a stream, through `body`.
   */
  maxBuffer?: number | undefined;
  /** v2: does not require `sign` in the response. By default only if the response has none. */
  unsigned?: boolean | undefined;
  /** The sensitive fields are already encrypted; response fields stay encrypted. */
  encrypted?: boolean | undefined;
}

/** A file to upload, as returned by `Media.from()`. */
export interface Upload {
  readonly meta: string;
  readonly headers: { 'content-type': string };
  readonly contentLength: number;
  stream(): AsyncIterable<Uint8Array>;
}

/** A body that is sent as it is. */
export type RawBody = string | Uint8Array | ArrayBuffer | Upload | null;

/** Options of an upload. */
export interface UploadOptions extends CommonOptions {
  /** The file and its metadata, as returned by `Media.from()`; or the bytes of a form of your own. */
  body: RawBody;
}

/** Options of a call to a path that the catalogue does not know. URI variables are further members, by name. */
export interface LooseOptions extends CommonOptions {
  /** Body, sent as JSON. */
  json?: unknown;
  /** Fields of a v2 request, sent as XML. */
  xml?: Readonly<Record<string, Scalar | null | undefined>>;
  /** Query, as an object, `URLSearchParams`, or a string without the question mark. */
  query?: QueryObject | URLSearchParams | string | null | undefined;
  /** Body, sent unchanged. */
  body?: RawBody | undefined;
  readonly [variable: string]: unknown;
}
