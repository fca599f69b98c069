import { ApiError, BodyError, SignatureError, TransportError } from '../errors';
import { toXml } from '../format/transformer';

/** The protocol of a notification: v2 sends XML, APIv3 sends JSON. */
export type Protocol = 'v2' | 'v3';

/** A reply to WeChat Pay. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The reply that WeChat Pay takes for success: status 204 for APIv3, XML for v2. */
export function success(protocol: Protocol = 'v3'): Reply {
  return protocol === 'v2' ? xml(200, 'SUCCESS', 'OK') : { status: 204, headers: {}, body: '' };
}

/**
 * The reply that WeChat Pay takes for a failure, so that it sends the notification again.
 *
 * The sender may be a stranger: the reply says what is wrong with the notification, but nothing about errors in this
 * program.
 * @param error what `parse` threw; anything else leads to a reply with status 500
 */
export function failure(error?: unknown, protocol: Protocol = 'v3'): Reply {
  const [status, message] = explain(error);
  return refuse(status, message, protocol);
}

/** A failure reply with a fixed text. */
export function refuse(status: number, message: string, protocol: Protocol): Reply {
  if (protocol === 'v2') return xml(status, 'FAIL', message);
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers, body: JSON.stringify({ code: 'FAIL', message }) };
}

function explain(error: unknown): [status: number, message: string] {
  if (error instanceof SignatureError) return [401, 'The signature is not accepted.'];
  if (error instanceof BodyError && error.code === 'ERR_BODY_TOO_LARGE') return [413, 'The body is too large.'];
  if (error instanceof BodyError) return [400, 'The body cannot be read.'];
  if (error instanceof TransportError) return [400, 'The body ended prematurely.'];
  if (error instanceof ApiError) return [400, 'The notification reports a failure.'];
  return [500, 'The notification was not processed.'];
}

function xml(status: number, return_code: string, return_msg: string): Reply {
  return {
    status,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: toXml({ return_code, return_msg }),
  };
}
