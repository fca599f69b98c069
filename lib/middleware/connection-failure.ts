/** Codes of Node and undici for connections that were never made: nothing has been sent. */
const NEVER_MADE: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Codes for connections that broke: whether the request has arrived is unknown. */
const BROKEN: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Whether nothing has been sent, since there was no connection. */
export function neverConnected(error: Error): boolean {
  return everyCode(error, (code) => NEVER_MADE.has(code));
}

/** Whether a connection failed, before the request was sent or after it. */
export function connectionFailed(error: Error): boolean {
  return everyCode(error, (code) => NEVER_MADE.has(code) || BROKEN.has(code));
}

/** Node tries all addresses of a host, and fails with the errors of all of them. */
function everyCode(error: Error & { code?: unknown }, test: (code: unknown) => boolean): boolean {
  const { errors } = error as Partial<AggregateError>;
  return Array.isArray(errors) && errors.length > 0 ? errors.every(({ code }) => test(code)) : test(error.code);
}
