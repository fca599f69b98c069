/** Codes of Node and undici for a connection that was not made; another attempt may make it. */
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

/** Codes for a request that got no connection, and will get none by another attempt. */
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

/** System calls on a connection that exists: their errors say nothing of what was sent before, whatever their code. */
const ON_A_CONNECTION: ReadonlySet<unknown> = new Set(['read', 'write']);

interface Cause {
  code?: unknown;
  syscall?: unknown;
}

/**
 * Whether nothing of a request was sent, since it never had a connection. This is the one place that decides it: what
 * may be sent again without a second effect, and what the error says, follow from it.
 *
 * The code of an error is not enough: the kernel reports EHOSTUNREACH or ECONNREFUSED also on a connection that a request
 * has gone out on. Nor is it enough that no start was seen, since a dispatcher may not report it.
 * @param started whether `onRequestStart` was called: undici does so on a connection, right before the first byte
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

/** Whether a connection failed for a reason that may pass, before the request was sent or after it. */
export function connectionFailed(error: unknown): boolean {
  return every(error, ({ code }) => NEVER_MADE.has(code) || BROKEN.has(code));
}

/** Node tries all addresses of a host, and fails with the errors of all of them. */
function every(error: unknown, test: (cause: Cause) => boolean): boolean {
  const { errors } = Object(error) as { errors?: unknown };
  const causes: unknown[] = Array.isArray(errors) && errors.length > 0 ? errors : [error];
  return causes.every((cause) => test(Object(cause) as Cause));
}
