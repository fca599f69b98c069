/** Error codes of Node.js and undici for a connection that could not be made; another attempt may succeed. */
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

/** Error codes for a request that got no connection, and would get none on another attempt. */
const REFUSED: ReadonlySet<unknown> = new Set([
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_PRX_TLS',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Error codes for a connection that broke: it is unknown whether the request arrived. */
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

/** System calls on an existing connection: whatever their code, their errors do not tell what was sent before. */
const ON_A_CONNECTION: ReadonlySet<unknown> = new Set(['read', 'write']);

interface Cause {
  code?: unknown;
  syscall?: unknown;
}

/**
 * Whether nothing of a request was sent because it never had a connection. This is the only place that decides it; both
 * whether a retry is safe and what the error says depend on it.
 *
 * The error code is not enough: the kernel also reports EHOSTUNREACH or ECONNREFUSED on a connection over which a request
 * has been sent. A missing start is not enough either, because a dispatcher may not report it.
 * @param started whether `onRequestStart` was called; undici calls it on a connection, right before the first byte
 */
export function neverConnected(error: unknown, started: boolean): boolean {
  return (
    !started &&
    every(error, ({ code, syscall }) => {
      if (ON_A_CONNECTION.has(syscall)) return false;
      return syscall === 'connect' || NEVER_MADE.has(code) || REFUSED.has(code);
    })
  );
}

/** Whether a connection failure is transient, whether or not the request was sent. */
export function connectionFailed(error: unknown): boolean {
  return every(error, ({ code }) => NEVER_MADE.has(code) || BROKEN.has(code));
}

/** Node.js tries all addresses of a host, and fails with the errors of all of them. */
function every(error: unknown, test: (cause: Cause) => boolean): boolean {
  const { errors } = Object(error) as { errors?: unknown };
  const causes: unknown[] = Array.isArray(errors) && errors.length > 0 ? errors : [error];
  return causes.every((cause) => test(Object(cause) as Cause));
}
