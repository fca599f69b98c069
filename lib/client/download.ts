import { once } from 'node:events';
import type { Dispatcher } from 'undici';
import { checkDigest, statementDigest } from '../download/digest';
import { BodyError } from '../errors';
import { toHeaders } from '../format/headers';
import { toObject } from '../format/transformer';
import { startsXml } from '../format/xml-reader';
import { abortError } from '../middleware/aborting';
import { refuseFailure } from '../middleware/v2-verifier';
import type { BufferedResponse } from '../middleware/verifying-handler';
import { apiErrorOf, explainFailure } from './failure';
import type { OutgoingRequest } from './request';
import { ApiResponse } from './response';
import { deadline, dispatchOptions, MAX_FAILURE } from './send';

/** A file being received. */
export interface IncomingFile {
  /** What has been received so far. */
  begun: Uint8Array[];
  rest: AsyncIterator<Uint8Array>;
}

/** Aborts the request for a file whose stream has been garbage-collected, because nobody can read it any more. */
const abandoned = new FinalizationRegistry<AbortController>((controller) => controller.abort());

/**
 * The stream of a file. It never reads ahead of the caller. Cancelling the stream aborts the request, even before the
 * first read, and so does garbage collection.
 *
 * Nothing that outlives the stream may refer to it. Therefore this is a separate function: closures created in one
 * function share what they capture.
 * @param controller aborts the request
 * @param explain converts a connection error to an error of this package
 */
export function fileStream(
  { begun, rest }: IncomingFile,
  controller: AbortController,
  explain: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(sink) {
        const first = begun.shift();
        if (first) return sink.enqueue(first);
        const { done, value } = await rest.next().catch((error: unknown) => {
          throw explain(error);
        });
        return done ? sink.close() : sink.enqueue(value);
      },
      cancel() {
        controller.abort();
      },
    },
    { highWaterMark: 0 },
  );
  abandoned.register(stream, controller);
  return stream;
}

const utf8 = new TextDecoder();

/** A response that streams a file. Methods that read the whole file into memory are limited. */
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

  override clone(): FileResponse {
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
    // A body that has been read, or is being read, rejects as in the standard.
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
  const advice = 'read it as a stream through "body", or raise "maxBuffer"';
  return new BodyError('ERR_BODY_TOO_LARGE', `The file exceeds the ${max} bytes allowed in memory; ${advice}.`);
}

type Chunks = AsyncIterable<Uint8Array>;
type Head = Omit<BufferedResponse, 'body'>;

/** How many bytes of a v2 response are read to decide whether it is XML; a bill differs in its first few. */
const MAX_PROLOG = 16 * 1024;

/**
 * Requests a file and returns a response that streams it. The timeout of the call ends when the file starts.
 */
export async function download(dispatcher: Dispatcher, request: OutgoingRequest): Promise<ApiResponse> {
  const { protocol, digest, label } = request;
  const controller = new AbortController();
  // undici acts on an abort only once there is a socket; do not make the caller wait for that.
  const ended = once(controller.signal, 'abort').then(() => Promise.reject(controller.signal.reason));
  const limit = deadline(request, (reason) => controller.abort(abortError(reason)));
  try {
    const options = { ...dispatchOptions(request), signal: controller.signal };
    const { statusCode, headers, body } = await Promise.race([dispatcher.request(options), ended]);
    const head: Head = { status: statusCode, headers };
    if (statusCode >= 300) throw apiErrorOf({ ...head, body: await firstPart(body) }, request);
    body.once('close', limit.clear);
    const file: IncomingFile = { begun: [], rest: body[Symbol.asyncIterator]() };
    if (protocol === 'v2') await refuseXml(file, head, label);
    limit.stopClock();
    const expected = digest ?? statementDigest(headers);
    const stream = fileStream(file, controller, (error) => explainFailure(error, request));
    const init = { status: statusCode, headers: toHeaders(headers) };
    return new FileResponse(expected ? checkDigest(stream, expected) : stream, init, request.maxBuffer);
  } catch (error) {
    limit.clear();
    // Closes the connection, because the rest of its body is not needed.
    controller.abort(abortError(error));
    throw error;
  }
}

/** How much of the body of a failure to keep. */
async function firstPart(chunks: Chunks): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    if (size > MAX_FAILURE) break;
  }
  return Buffer.concat(held);
}

/**
 * v2 reports a failed download as XML in place of the file: reads until it is known which one it is, and XML to its end.
 * @throws {@link ApiError} if the XML reports a failure; {@link BodyError} if it is too long or not valid
 */
async function refuseXml({ begun, rest }: IncomingFile, head: Head, label: string): Promise<void> {
  let size = 0;
  let isXml: boolean | undefined;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) break;
    begun.push(value);
    size += value.length;
    // Anything undecided by now is not a bill, and must be valid XML, however it was split.
    isXml ??= startsXml(Buffer.concat(begun).subarray(0, MAX_PROLOG)) ?? (size >= MAX_PROLOG || undefined);
    if (isXml === false) return;
    if (size > MAX_FAILURE)
      throw new BodyError('ERR_BODY_TOO_LARGE', `${label} returned an XML error larger than 1 MiB.`);
  }
  const body = Buffer.concat(begun);
  if (isXml || body.includes('<')) refuseFailure(label, toObject(body), { ...head, body });
}
