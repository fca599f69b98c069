import { once } from 'node:events';
import type { Dispatcher } from 'undici';
import { BodyError } from '../errors';
import { toObject } from '../format/transformer';
import { checkDigest } from '../media/digest';
import { statementDigest } from '../media/statement';
import { abortError } from '../middleware/aborting';
import { refuseFailure } from '../middleware/v2-verifier';
import type { Answer } from '../middleware/verifying-handler';
import { MAX_FAILURE } from './answer';
import { deadline } from './deadline';
import { explainFailure, refuseAnswer } from './failure';
import type { WireRequest } from './request';
import { ApiResponse, readHeaders } from './response';
import { wireOptions } from './send';

type Chunks = AsyncIterable<Uint8Array>;
type Head = Omit<Answer, 'body'>;

/**
 * Sends a request for a file, and makes a response of it that streams. The time of the call ends where the file begins.
 * @param what method and path, for errors
 */
export async function download(dispatcher: Dispatcher, request: WireRequest, what: string): Promise<ApiResponse> {
  const { protocol, digest } = request;
  const controller = new AbortController();
  // undici acts on an abort only once there is a socket; the caller need not wait for that.
  const ended = once(controller.signal, 'abort').then(() => Promise.reject(controller.signal.reason));
  const limit = deadline(request, what, (reason) => controller.abort(abortError(reason)));
  try {
    const options = { ...wireOptions(request), signal: controller.signal };
    const { statusCode, headers, body } = await Promise.race([dispatcher.request(options), ended]);
    const head: Head = { status: statusCode, headers };
    if (statusCode >= 300) throw refuseAnswer({ ...head, body: await firstPart(body) }, protocol, what);
    limit.stopClock();
    body.once('close', limit.clear);
    const file = explained(protocol === 'v2' ? await refuseXml(body, head, what) : body, request, what);
    const stream = ReadableStream.from(file) as ReadableStream<Uint8Array>;
    const init = { status: statusCode, headers: readHeaders(headers) };
    const expected = digest ?? statementDigest(headers);
    return new ApiResponse(expected ? checkDigest(stream, expected) : stream, init);
  } catch (error) {
    limit.clear();
    // Ends the connection, of whose body nothing more is wanted.
    controller.abort(abortError(error));
    throw error;
  }
}

/** What is kept of the body of a failure. */
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

/** A stream whose failures are errors of ours. */
async function* explained(chunks: Chunks, request: WireRequest, what: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw explainFailure(error, what, request);
  }
}

/** v2 answers a request for a file with XML where it fails. */
async function refuseXml(chunks: Chunks, head: Head, what: string): Promise<Chunks> {
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
  refuseFailure(what, toObject(body), { ...head, body });
  return resumed({ value: body }, rest);
}

async function* resumed(first: IteratorResult<Uint8Array>, rest: AsyncIterator<Uint8Array>) {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}
