import { ApiError, InvalidArgumentError, TimeoutError, TransportError, WechatPayError } from '../errors';
import { toObject } from '../format/transformer';
import { startsXml } from '../format/xml-start';
import { refuseFailure } from '../middleware/v2-verifier';
import type { Answer } from '../middleware/verifying-handler';
import { readHeaders } from './response';
import type { Protocol } from './target';

const TIMEOUTS: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** An error of undici or Node as one of our family; errors of ours and the caller's own reason to abort stay. */
export function explainFailure(error: unknown, what: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof WechatPayError || (signal?.aborted && error === signal.reason)) return error;
  const { message, code } = error as Error & { code?: unknown };
  const options = { cause: error };
  if (TIMEOUTS.has(code)) return new TimeoutError(`${what}: ${message}. ${UNKNOWN_OUTCOME}`, options);
  if (code === 'UND_ERR_INVALID_ARG') return new InvalidArgumentError(`${what}: ${message}.`, options);
  return new TransportError(`${what}: ${message || code}. ${UNKNOWN_OUTCOME}`, options);
}

/** What to do when it is not known whether WeChat Pay carried out a request. */
export const UNKNOWN_OUTCOME = 'Whether it was carried out is unknown: query the outcome before you send it again.';

/** The error for an answer of status 300 and above: from v2's XML, or APIv3's `{ code, message, detail }`. */
export function refuseAnswer(answer: Answer, protocol: Protocol, what: string): ApiError {
  const { status, headers: received } = answer;
  const body = Buffer.from(answer.body).toString();
  if (protocol === 'v2' && startsXml(answer.body)) refuseFailure(what, toObject(body), answer);
  const headers = readHeaders(received);
  const { code, message, detail } = parse(body);
  return new ApiError({
    request: what,
    status,
    code: typeof code === 'string' && code !== '' ? code : `HTTP_${status}`,
    message: typeof message === 'string' && message !== '' ? message : `${what} was answered with status ${status}.`,
    detail,
    requestId: headers.get('request-id') ?? undefined,
    headers,
    body,
  });
}

function parse(body: string): { code?: unknown; message?: unknown; detail?: unknown } {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
