import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { BodyError } from '../errors';
import { toObject } from '../format/transformer';
import { checkDigest } from '../media/digest';
import { statementDigest } from '../media/statement';
import { refuseFailure } from '../middleware/v2-verifier';
import type { Deadline } from './deadline';
import { apiError, explainFailure } from './failure';
import type { WireRequest } from './request';
import { ApiResponse, type Decoder } from './response';

/** Greatest size of an answer that says why there is no file, in bytes. */
const MAX_FAILURE = 1024 * 1024;

type Chunks = AsyncIterable<Uint8Array>;
type Head = { status: number; headers: Headers };

/**
 * Sends a request and makes a response of its answer: of a file a stream, of all else what has been verified.
 * @param what method and path, for errors
 * @param decode decrypts what of the answer's JSON is encrypted
 */
export async function send(
  dispatcher: Dispatcher,
  request: WireRequest,
  limit: Deadline,
  what: string,
  decode: Decoder | undefined,
): Promise<ApiResponse> {
  const { protocol, security, timeout, digest, ...rest } = request;
  limit.signal.throwIfAborted();
  // The interceptors take a Media as body as well, and options of their own.
  const options = { ...rest, signal: limit.signal, bodyTimeout: timeout } as Dispatcher.RequestOptions;
  const answer = await dispatcher.request(options);
  const head: Head = { status: answer.statusCode, headers: readHeaders(answer.headers) };
  if (head.status >= 300) {
    const text = await answer.body.text();
    if (protocol === 'v2' && text.startsWith('<xml')) await refuseXml(Readable.from([Buffer.from(text)]), head, what);
    throw apiError(what, head.status, head.headers, text);
  }
  if (!request.download) {
    const bytes = await answer.body.bytes();
    return new ApiResponse(bytes.length === 0 ? null : bytes, head, decode);
  }
  limit.stopClock();
  answer.body.once('close', limit.clear);
  const file = explained(protocol === 'v2' ? await refuseXml(answer.body, head, what) : answer.body, request, what);
  const body = ReadableStream.from(file) as ReadableStream<Uint8Array>;
  const expected = digest ?? statementDigest(head.headers);
  return new ApiResponse(expected ? checkDigest(body, expected) : body, head);
}

function readHeaders(received: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const item of Array.isArray(value) ? value : [value ?? '']) headers.append(name, item);
  }
  return headers;
}

/** A stream whose failures are errors of ours. */
async function* explained(chunks: Chunks, { signal }: WireRequest, what: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw explainFailure(error, what, signal);
  }
}

/** v2 answers a request for a file with XML where it fails. */
async function refuseXml(chunks: Chunks, { status, headers }: Head, what: string): Promise<Chunks> {
  const rest = chunks[Symbol.asyncIterator]();
  const first = await rest.next();
  if (first.done || !Buffer.from(first.value).toString('latin1').trimStart().startsWith('<xml')) {
    return resumed(first, rest);
  }
  const held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of resumed(first, rest)) {
    size += chunk.length;
    if (size > MAX_FAILURE) throw new BodyError('ERR_BODY_TOO_LARGE', `${what} was answered with XML that has no end.`);
    held.push(chunk);
  }
  const body = Buffer.concat(held);
  refuseFailure(what, toObject(body), { status, headers: Object.fromEntries(headers), body });
  return resumed({ value: body }, rest);
}

async function* resumed(first: IteratorResult<Uint8Array>, rest: AsyncIterator<Uint8Array>) {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}
