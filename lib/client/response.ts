import { BodyError } from '../errors';
import { parseJson } from '../format/json';
import { toObject } from '../format/transformer';
import type { Answer } from '../middleware/verifying-handler';
import type { ApiResponse as ApiResponseOf } from '../openapi/response';
import type { ReceivedHeaders } from '../signature/platform-signature';

/** `Response` is typed with properties where it has methods and accessors, which a class could not override. */
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

/** Decrypts what of an answer's JSON is encrypted. */
export type Decoder = (json: unknown) => Promise<unknown>;

/** A standard `Response` that knows WeChat Pay's request id, and reads an empty body as nothing. */
export class ApiResponse extends (Response as Base) implements ApiResponseOf {
  readonly #decode: Decoder | undefined;

  constructor(body: ReadableStream<Uint8Array> | null, init: ResponseInit, decode?: Decoder) {
    super(body, init);
    this.#decode = decode;
  }

  get requestId(): string | undefined {
    return this.headers.get('request-id') ?? undefined;
  }

  async xml<X>(): Promise<X> {
    // As with JSON, the caller says what the body is.
    return toObject(await this.text()) as X;
  }

  override async json<J>(): Promise<J> {
    const text = await this.text();
    if (text === '') return undefined as J;
    const json = this.#parse(text);
    // The caller says what the body is; WeChat Pay adds fields, so that nothing is checked at run time.
    return (this.#decode ? await this.#decode(json) : json) as J;
  }

  #parse(text: string): unknown {
    const parsed = parseJson(text);
    if (parsed.ok) return parsed.value;
    const type = this.headers.get('content-type') ?? 'no content type';
    throw new BodyError('ERR_BODY_NOT_JSON', `The body (${type}) is not JSON (${parsed.where}); use .text() instead.`);
  }
}

const utf8 = new TextDecoder();

type Head = Pick<Answer, 'status' | 'headers'>;

/**
 * A response whose body is in memory. Its headers and its body as a stream are made when they are asked for: that takes
 * longer than all else of a response, and most callers want the JSON alone.
 */
export class HeldResponse extends ApiResponse {
  readonly #bytes: Uint8Array;
  readonly #received: ReceivedHeaders;
  #headers: Headers | undefined;
  #streaming: Response | undefined;
  #used = false;

  constructor(bytes: Uint8Array, { status, headers }: Head, decode?: Decoder) {
    super(null, { status }, decode);
    this.#bytes = bytes;
    this.#received = headers;
  }

  override get headers(): Headers {
    this.#headers ??= readHeaders(this.#received);
    return this.#headers;
  }

  override async text(): Promise<string> {
    if (this.#used || this.#streaming) return this.#stream().text();
    this.#used = true;
    return utf8.decode(this.#bytes);
  }

  override get body(): Response['body'] {
    return this.#stream().body;
  }

  override get bodyUsed(): boolean {
    return this.#used || this.#stream().bodyUsed;
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

  override clone(): Response {
    return this.#stream().clone();
  }

  #stream(): Response {
    if (this.#streaming) return this.#streaming;
    this.#streaming = new Response(this.#bytes, this);
    // What has been read as text cannot be read again, as the standard has it.
    if (this.#used) void this.#streaming.arrayBuffer();
    return this.#streaming;
  }
}

/** Headers as undici gives them. */
export function readHeaders(received: ReceivedHeaders): Headers {
  const headers = new Headers();
  for (const [name, value = ''] of Object.entries(received)) {
    for (const item of typeof value === 'string' ? [value] : value) headers.append(name, item);
  }
  return headers;
}
