import { BodyError } from '../errors';
import { ApiResponse } from './response';

const utf8 = new TextDecoder();

/** A response that streams a file. Methods that read the whole file into memory are bounded. */
export class FileResponse extends ApiResponse {
  readonly #maxBuffer: number;

  constructor(body: ReadableStream<Uint8Array>, init: ResponseInit, maxBuffer: number) {
    super(body, init);
    this.#maxBuffer = maxBuffer;
  }

  override async text(): Promise<string> {
    return utf8.decode(await this.#read());
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#read()).buffer;
  }

  override async blob(): Promise<Blob> {
    return (await this.#held()).blob();
  }

  override async formData(): Promise<FormData> {
    return (await this.#held()).formData();
  }

  override clone(): Response {
    const { body, status, headers } = super.clone();
    return new FileResponse(body as ReadableStream<Uint8Array>, { status, headers }, this.#maxBuffer);
  }

  async bytes(): Promise<Uint8Array> {
    return this.#read();
  }

  async #held(): Promise<Response> {
    return new Response(await this.#read(), { headers: this.headers });
  }

  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    const body = this.body as ReadableStream<Uint8Array>;
    // A body that has been read, or is being read, fails as the standard requires.
    if (this.bodyUsed || body.locked) return new Uint8Array(await super.arrayBuffer());
    const chunks: Uint8Array[] = [];
    let size = 0;
    const reader = body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > this.#maxBuffer) {
        // Not awaited: the cancel of a clone settles only once the other half is cancelled too.
        reader.cancel().catch(() => {});
        throw tooLarge(this.#maxBuffer);
      }
      chunks.push(next.value);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

function tooLarge(max: number): BodyError {
  const advice = 'read it as a stream, by "body", or raise the option "maxBuffer"';
  return new BodyError(
    'ERR_BODY_TOO_LARGE',
    `The file is larger than the ${max} bytes that may be held in memory: ${advice}.`,
  );
}
