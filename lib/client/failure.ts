import {
  ApiError,
  ConfigurationError,
  InvalidArgumentError,
  NOTHING_SENT,
  TimeoutError,
  TransportError,
  UNKNOWN_OUTCOME,
  WechatPayError,
} from '../errors';
import { toHeaders } from '../format/headers';
import { neverConnected } from '../middleware/connection-failure';
import { refuseFailure, xmlOf } from '../middleware/v2-verifier';
import type { BufferedResponse } from '../middleware/verifying-handler';
import type { OutgoingRequest } from './request';

const TIMEOUTS: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/**
 * Converts an error of undici or Node.js to an error of this package; one of this package is returned unchanged. If the
 * caller has aborted, it is the caller's own reason, whatever that is.
 */
export function explainFailure(error: unknown, { label, signal, exchange }: Failing): unknown {
  if (error instanceof WechatPayError) return error;
  if (signal?.aborted && (Object.is(error, signal.reason) || isAbort(error))) return signal.reason;
  const { message, code } = Object(error) as { message?: unknown; code?: unknown };
  // The response that undici could not parse, from HTTPParserError; our errors never show a body.
  if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'data');
  const options = { cause: error };
  if (code === 'UND_ERR_INVALID_ARG' && !exchange.started) {
    return new InvalidArgumentError(`${label}: ${message}.`, options);
  }
  const isUnsent = !exchange.dispatched || neverConnected(error, exchange.started);
  const outcome = isUnsent ? NOTHING_SENT : UNKNOWN_OUTCOME;
  const text = `${label}: ${message || code || error}. ${outcome}`;
  return TIMEOUTS.has(code) ? new TimeoutError(text, options) : new TransportError(text, options);
}

/**
 * Converts an error after there has been a connection: one which says that nothing was sent, or that the configuration is
 * wrong, becomes one with an unknown outcome. A retry may fail before it is sent although the first attempt was sent.
 */
export function afterSending(error: unknown, { label }: Failing): unknown {
  if (!(error instanceof InvalidArgumentError || error instanceof ConfigurationError)) return error;
  return new TransportError(`${label}: ${error.message} It had already been sent once. ${UNKNOWN_OUTCOME}`, {
    cause: error,
  });
}

/** What tells why and when a request failed. */
type Failing = Pick<OutgoingRequest, 'label' | 'signal' | 'exchange'>;

/** undici's name for an abort whose reason it ignores. */
function isAbort(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === 'UND_ERR_ABORTED';
}

/** The error for a response with status 300 or above: from v2's XML, or APIv3's `{ code, message, detail }`. */
export function apiErrorOf(response: BufferedResponse, { protocol, label, exchange }: OutgoingRequest): ApiError {
  const { status, headers: received } = response;
  const body = Buffer.from(response.body).toString();
  const fields = protocol === 'v2' ? (exchange.fields ?? xmlOf(body)) : undefined;
  if (fields) refuseFailure(label, fields, response);
  const headers = toHeaders(received);
  const { code, message, detail } = parse(body);
  return new ApiError({
    request: label,
    status,
    code: typeof code === 'string' && code !== '' ? code : `HTTP_${status}`,
    message: typeof message === 'string' && message !== '' ? message : explainStatus(label, status),
    detail,
    requestId: headers.get('request-id') ?? undefined,
    headers,
    body,
  });
}

/** A server that fails may have processed the request before. */
function explainStatus(label: string, status: number): string {
  return `${label} responded with status ${status}.${status >= 500 ? ` ${UNKNOWN_OUTCOME}` : ''}`;
}

function parse(body: string): { code?: unknown; message?: unknown; detail?: unknown } {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
