import { BodyError } from '../errors';
import type { Fields } from '../format/fields';
import { type ReceivedHeaders, toHeaders } from '../format/headers';
import { parseJson } from '../format/json';
import { toObject } from '../format/transformer';
import type { BufferedResponse } from '../middleware/verifying-handler';
import type { ApiResponse as ApiResponseOf, ResponsePromise as ResponsePromiseOf } from '../openapi/response';
import type { Decoder } from '../sensitive/fields';

/** TypeScript declares properties on `Response` where it has methods and accessors, which a class could not override. */
type Base = new (...init: ConstructorParameters<typeof Response>) => Omit<Response, keyof Readable> & Readable;

interface Readable {
  get headers(): Headers;
  get body(): Response['body'];
  get bodyUsed(): boolean;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  formData(): Promise<FormData>;
  clone(): Response;
  json(): Promise<unknown>;
}

/** A standard `Response` with WeChat Pay's request id, which reads an empty body as `undefined`. */
export class ApiResponse extends (Response as Base) implements ApiResponseOf {
  readonly #decode: Decoder | undefined;

  constructor(body: ReadableStream<Uint8Array> | null, init: ResponseInit, decode?: Decoder) {
    super(body, init);
    this.#decode = decode;
  }

  get requestId(): string | undefined {
    return this.headers.get('request-id') ?? undefined;
  }

  /** A standard clone would be a plain `Response`, whose JSON is not decrypted. */
  override clone(): ApiResponse {
    const { body, status, headers } = super.clone();
    return new ApiResponse(body, { status, headers }, this.#decode);
  }

  async xml<X>(): Promise<X> {
    // As with JSON, the caller states the type of the body.
    return toObject(await this.text()) as X;
  }

  override async json<J>(): Promise<J> {
    const text = await this.text();
    if (text === '') return undefined as J;
    const json = this.#parse(text);
    // The caller states the type of the body. WeChat Pay adds fields, so nothing is validated at run time.
    return (this.#decode ? await this.#decode(json) : json) as J;
  }

  #parse(text: string): unknown {
    const parsed = parseJson(text);
    if (parsed.ok) return parsed.value;
    const type = this.headers.get('content-type') ?? 'no content type';
    throw new BodyError('ERR_BODY_NOT_JSON', `The body (${type}) is not JSON (${parsed.where}); use .text() instead.`);
  }
}

/** A copy of what was read of XML: clones share that, and each caller may change what it gets. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) copy[name] = copyOf(member);
  return copy;
}

const utf8 = new TextDecoder();

type Head = Pick<BufferedResponse, 'status' | 'headers'>;

/**
 * A response whose body is in memory. Its headers and its body stream are created on demand: that takes longer than the
 * rest of a response, and most callers need only the JSON.
 */
export class HeldResponse extends ApiResponse {
  readonly #bytes: Uint8Array;
  readonly #received: ReceivedHeaders;
  readonly #decode: Decoder | undefined;
  readonly #fields: Fields | undefined;
  #headers: Headers | undefined;
  #streaming: Response | undefined;
  #used = false;

  /** @param fields those of v2, where the body has been read already */
  constructor(bytes: Uint8Array, { status, headers }: Head, decode?: Decoder, fields?: Fields) {
    const deferred = new DeferredStream();
    super(WITHOUT_BODY.has(status) ? null : streamOf(deferred), { status }, decode);
    deferred.open = () => this.#stream().body ?? undefined;
    this.#bytes = bytes;
    this.#received = headers;
    this.#decode = decode;
    this.#fields = fields;
  }

  override get headers(): Headers {
    this.#headers ??= toHeaders(this.#received);
    return this.#headers;
  }

  override async text(): Promise<string> {
    if (this.#used || this.#streaming) return this.#stream().text();
    this.#used = true;
    return utf8.decode(this.#bytes);
  }

  override async xml<X>(): Promise<X> {
    if (!this.#fields || this.#used || this.#streaming) return super.xml<X>();
    this.#used = true;
    return copyOf(this.#fields) as X;
  }

  override get body(): Response['body'] {
    return this.#stream().body;
  }

  override get bodyUsed(): boolean {
    return this.#used || (this.#streaming?.bodyUsed ?? false);
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#stream().arrayBuffer();
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  override blob(): Promise<Blob> {
    return this.#stream().blob();
  }

  override formData(): Promise<FormData> {
    return this.#stream().formData();
  }

  /** The bytes never change, so both copies may share them. */
  override clone(): HeldResponse {
    if (this.bodyUsed || this.#streaming?.body?.locked) {
      throw new TypeError('Response.clone: the body has been read, or is being read.');
    }
    const copy = new HeldResponse(
      this.#bytes,
      { status: this.status, headers: this.#received },
      this.#decode,
      this.#fields,
    );
    copy.#headers = this.#headers && new Headers(this.#headers);
    return copy;
  }

  #stream(): Response {
    if (this.#streaming) return this.#streaming;
    this.#streaming = new Response(this.#bytes, this);
    // A body read as text cannot be read again, as in the standard.
    if (this.#used) void this.#streaming.arrayBuffer();
    return this.#streaming;
  }
}

/** The statuses for which `Response` accepts no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205]);

/**
 * The body for `Response`'s own methods: `Response.prototype.text.call(response)`. It becomes a stream on first use,
 * because creating a stream takes many times as long as creating the response.
 */
class DeferredStream {
  open: (() => ReadableStream | undefined) | undefined;

  static {
    Object.setPrototypeOf(this.prototype, ReadableStream.prototype);
    for (const key of Reflect.ownKeys(ReadableStream.prototype)) this.#defer(key);
  }

  /** A member of the stream; while there is no stream, nothing has been read or locked. */
  static #defer(key: string | symbol): void {
    const member = Object.getOwnPropertyDescriptor(ReadableStream.prototype, key);
    const { value, get } = member ?? {};
    if (key === 'constructor' || !(get || typeof value === 'function')) return;
    const descriptor: PropertyDescriptor & ThisType<DeferredStream> = get
      ? {
          get() {
            const stream = this.open?.();
            return stream !== undefined && Reflect.get(stream, key);
          },
        }
      : {
          value(...args: unknown[]) {
            return Reflect.apply(value, this.open?.(), args);
          },
        };
    Object.defineProperty(DeferredStream.prototype, key, descriptor);
  }
}

/** Its prototype makes it one; TypeScript knows classes only by their declarations. */
function streamOf(deferred: DeferredStream): ReadableStream<Uint8Array> {
  return deferred as unknown as ReadableStream<Uint8Array>;
}

/** A promise of a response, with shortcuts to its body. */
export class ResponsePromise extends Promise<ApiResponse> implements ResponsePromiseOf {
  /** `then`, `catch` and `finally` return plain promises. */
  static override get [Symbol.species]() {
    return Promise;
  }

  json<J>(): Promise<J> {
    return this.then((response) => response.json<J>());
  }

  xml<X>(): Promise<X> {
    return this.then((response) => response.xml<X>());
  }

  text(): Promise<string> {
    return this.then((response) => response.text());
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.then((response) => response.arrayBuffer());
  }

  blob(): Promise<Blob> {
    return this.then((response) => response.blob());
  }
}
