import { ApiError, InvalidArgumentError, TimeoutError, TransportError, WechatPayError } from '../errors';
import { toObject } from '../format/transformer';
import { neverConnected } from '../middleware/connection-failure';
import { refuseFailure } from '../middleware/v2-verifier';
import type { Answer } from '../middleware/verifying-handler';
import type { WireRequest } from './request';
import { readHeaders } from './response';
import type { Protocol } from './target';

const TIMEOUTS: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/**
 * An error of undici or Node as one of our family; errors of ours stay. Where the caller has aborted, it is the caller's
 * own reason, whatever that is.
 * @param what method and path, for the error
 */
export function explainFailure(error: unknown, what: string, { signal, attempts }: Limits): unknown {
  if (error instanceof WechatPayError) return error;
  if (signal?.aborted && (Object.is(error, signal.reason) || isAbort(error))) return signal.reason;
  const { message, code } = Object(error) as { message?: unknown; code?: unknown };
  const options = { cause: error };
  if (code === 'UND_ERR_INVALID_ARG' && !attempts.started) {
    return new InvalidArgumentError(`${what}: ${message}.`, options);
  }
  const outcome = neverConnected(error, attempts.started) ? NOTHING_SENT : UNKNOWN_OUTCOME;
  const text = `${what}: ${message || code || error}. ${outcome}`;
  return TIMEOUTS.has(code) ? new TimeoutError(text, options) : new TransportError(text, options);
}

/** What of a request says why and when it failed. */
type Limits = Pick<WireRequest, 'signal' | 'attempts'>;

/** undici's own name for an abort, where a reason is none to it. */
function isAbort(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === 'UND_ERR_ABORTED';
}

/** What to do when a request never had a connection. */
export const NOTHING_SENT = 'Nothing was sent, so it can be sent again without a second effect.';

/** What to do when it is not known whether WeChat Pay carried out a request. */
export const UNKNOWN_OUTCOME = 'Whether it was carried out is unknown: query the outcome before you send it again.';

/** The error for an answer of status 300 and above: from v2's XML, or APIv3's `{ code, message, detail }`. */
export function refuseAnswer(answer: Answer, protocol: Protocol, what: string): ApiError {
  const { status, headers: received } = answer;
  const body = Buffer.from(answer.body).toString();
  if (protocol === 'v2' && body.startsWith('<xml')) refuseFailure(what, toObject(body), answer);
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
