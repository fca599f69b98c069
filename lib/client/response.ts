import { BodyError } from '../errors';
import { toObject } from '../format/transformer';
import type { ApiResponse as ApiResponseOf } from '../openapi/response';

/** `Response` is typed with `json` as a property, which a method could not override. */
type Base = new (...init: ConstructorParameters<typeof Response>) => Omit<Response, 'json'>;

/** Decrypts what of an answer's JSON is encrypted. */
export type Decoder = (json: unknown) => Promise<unknown>;

/** A standard `Response` that knows WeChat Pay's request id, and reads an empty body as nothing. */
export class ApiResponse extends (Response as Base) implements ApiResponseOf {
  readonly #decode: Decoder | undefined;

  constructor(body: Uint8Array | ReadableStream<Uint8Array> | null, init: ResponseInit, decode?: Decoder) {
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

  async json<J>(): Promise<J> {
    const text = await this.text();
    if (text === '') return undefined as J;
    const json = this.#parse(text);
    // The caller says what the body is; WeChat Pay adds fields, so that nothing is checked at run time.
    return (this.#decode ? await this.#decode(json) : json) as J;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      const type = this.headers.get('content-type') ?? 'of no content type';
      throw new BodyError('ERR_BODY_NOT_JSON', `The body (${type}) is no JSON; read it as text.`, { cause });
    }
  }
}
