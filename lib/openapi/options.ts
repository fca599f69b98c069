/** A value in a query or a URI variable: sent as text. */
export type Scalar = string | number | bigint | boolean;

/** A query as an object: nested members are sent as `a[b]=…`, `null` and `undefined` are left out. */
export interface QueryObject {
  [name: string]: Scalar | null | undefined | QueryObject | readonly (Scalar | null | undefined | QueryObject)[];
}

/** The value of a header; `null` and `undefined` drop it. */
export type HeaderValue = Scalar | readonly string[] | null | undefined;

/** Headers as undici and `fetch` take them; `null` and `undefined` drop a header. */
export type HeadersInput = Headers | Iterable<readonly [string, string]> | Record<string, HeaderValue>;

/** Headers of an operation that documents some of its own. */
export type HeadersWith<Known> =
  | Headers
  | Iterable<readonly [string, string]>
  | (Known & Readonly<Record<string, HeaderValue>>);

/** Longest times, in milliseconds. */
export interface Timeouts {
  /** For the whole call, retries included; of a file until it begins. */
  total?: number | undefined;
  /** To find a connection. */
  connect?: number | undefined;
  /** From the request to the headers of its response. */
  headers?: number | undefined;
  /** Between two pieces of the response. */
  body?: number | undefined;
}

/** Options that every call takes, besides its own `json`, `query` and URI variables. */
export interface CommonOptions {
  /** Headers to send besides those that the client sets. */
  headers?: HeadersInput | undefined;
  /**
   * Root of the API for this call, such as `https://apihk.mch.weixin.qq.com/`: on a host of WeChat Pay, or on one that is
   * configured as `baseUrl` or in `baseUrls`.
   */
  baseUrl?: string | URL | undefined;
  /** Longest time for the whole call, in milliseconds; or times for each of its phases. */
  timeout?: number | Timeouts | undefined;
  /**
   * Whether to repeat the call where it fails for a passing reason; `true` also where that may have a second effect. By
   * default where it has none. Needs `retry` in the configuration.
   */
  retry?: boolean | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
  /**
   * URI variables by name: the only way to give those that are named like an option, and the way to give what strangers
   * typed, whose names then never mean an option.
   */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** v2: presents the merchant's TLS client certificate. By default where the operation needs it. */
  security?: boolean | undefined;
  /** v2: sends no `nonce_str`. By default where the operation takes none. */
  nonceless?: boolean | undefined;
  /** The response is a file: a stream, which WeChat Pay does not sign. By default where it is. */
  download?: boolean | undefined;
  /**
   * Hash of the plain text of the file, as the response that named the file gives it; with `tar_type: 'GZIP'` it is
   * unzipped on the way. The body fails at its end where the hash is another.
   */
  digest?: { hash_type: string; hash_value: string; tar_type?: string | undefined } | undefined;
  /**
   * How many bytes of a downloaded file `text()`, `json()`, `xml()`, `bytes()`, `arrayBuffer()`, `blob()` and `formData()`
   * may hold in memory, after unzipping; 64 MiB by default. They reject larger files: read those as a stream, by `body`.
   */
  maxBuffer?: number | undefined;
  /** v2: the response may lack `sign`. By default where it has none. */
  unsigned?: boolean | undefined;
  /** The sensitive fields are encrypted already; those of the response stay encrypted. */
  encrypted?: boolean | undefined;
}

/** A file to upload, as `Media.from()` makes it. */
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
  /** The file and what describes it, as `Media.from()` makes it; or the bytes of a form of your own. */
  body: RawBody;
}

/** Options of a call to a path that the catalogue does not know. URI variables stand beside them, by their own name. */
export interface LooseOptions extends CommonOptions {
  /** Body, sent as JSON. */
  json?: unknown;
  /** Fields of a request of v2, sent as XML. */
  xml?: Readonly<Record<string, Scalar | null | undefined>>;
  /** Query, as an object, as `URLSearchParams`, or as text without the question mark. */
  query?: QueryObject | URLSearchParams | string | null | undefined;
  /** Body, sent as it is. */
  body?: RawBody | undefined;
  readonly [variable: string]: unknown;
}
