import { once } from 'node:events';
import type { Dispatcher } from 'undici';
import { BodyError } from '../errors';
import { toObject } from '../format/transformer';
import { startsXml } from '../format/xml-start';
import { checkDigest } from '../media/digest';
import { statementDigest } from '../media/statement';
import { abortError } from '../middleware/aborting';
import { refuseFailure } from '../middleware/v2-verifier';
import type { Answer } from '../middleware/verifying-handler';
import { MAX_FAILURE } from './answer';
import { deadline } from './deadline';
import { explainFailure, refuseAnswer } from './failure';
import { FileResponse } from './file-response';
import { fileStream, type IncomingFile } from './file-stream';
import type { WireRequest } from './request';
import { type ApiResponse, readHeaders } from './response';
import { wireOptions } from './send';

type Chunks = AsyncIterable<Uint8Array>;
type Head = Omit<Answer, 'body'>;

/** How many bytes of a v2 response are read to see whether it is XML; a bill shows by its first few that it is not. */
const MAX_PROLOG = 16 * 1024;

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
    body.once('close', limit.clear);
    const file: IncomingFile = { begun: [], rest: body[Symbol.asyncIterator]() };
    if (protocol === 'v2') await refuseXml(file, head, what);
    limit.stopClock();
    const expected = digest ?? statementDigest(headers);
    const stream = fileStream(file, controller, (error) => explainFailure(error, what, request));
    const init = { status: statusCode, headers: readHeaders(headers) };
    return new FileResponse(expected ? checkDigest(stream, expected) : stream, init, request.maxBuffer);
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

/**
 * v2 reports a failed download as XML in place of the file: reads until it is known which one this is, and XML to its end.
 * @throws {@link ApiError} where it says that the request failed; {@link BodyError} where it has no end, or is none
 */
async function refuseXml({ begun, rest }: IncomingFile, head: Head, what: string): Promise<void> {
  let size = 0;
  let isXml: boolean | undefined;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) break;
    begun.push(value);
    size += value.length;
    // What is undecided by then is no bill, and is held to what XML is, however it is cut.
    isXml ??= startsXml(Buffer.concat(begun).subarray(0, MAX_PROLOG)) ?? (size >= MAX_PROLOG || undefined);
    if (isXml === false) return;
    if (size > MAX_FAILURE) throw new BodyError('ERR_BODY_TOO_LARGE', `${what} was answered with XML that has no end.`);
  }
  const body = Buffer.concat(begun);
  if (isXml || body.includes('<')) refuseFailure(what, toObject(body), { ...head, body });
}
