import * as Hash from '../crypto/hash';
import { ApiError, SignatureError } from '../errors';
import { toObject } from '../format/transformer';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { refusingRedirects } from './redirect';
import { type Answer, VerifyingHandler } from './verifying-handler';

/** What the verifier of v2 needs. */
export interface V2VerifierConfig {
  /** The APIv2 key. */
  secret: string;
}

const SUCCESS = 'SUCCESS';
const HMAC_LENGTH = 64;

/**
 * An interceptor of undici that checks the answers of v2: `return_code`, `result_code`, then `sign`, by MD5 or
 * HMAC-SHA256 as its length tells. An answer that says FAIL becomes an {@link ApiError}.
 *
 * A request with `unsigned: true` expects no `sign`, and may be answered in JSON; one with `download: true` streams
 * through.
 */
export function v2Verifier({ secret }: V2VerifierConfig): Interceptor {
  return (dispatch) => (options: SignedDispatchOptions, down) => {
    const handler = refusingRedirects(down, options);
    if (options.download) return dispatch(options, handler);
    const what = `${options.method} ${options.path.split('?')[0]}`;
    const verify = async (answer: Answer): Promise<void> => {
      if (options.unsigned && isJson(answer.body)) return refuseJsonFailure(what, answer);
      const fields = toObject(answer.body);
      refuseFailure(what, fields, answer);
      if (!options.unsigned || fields.sign) verifySign(fields, secret);
    };
    return dispatch(options, new VerifyingHandler(handler, verify));
  };
}

/** @throws {@link ApiError} where `return_code` or `result_code` say that the request failed */
export function refuseFailure(what: string, fields: Record<string, unknown>, answer: Answer): void {
  const { return_code, result_code, err_code, return_msg, err_code_des, ...rest } = textsOf(fields);
  if (return_code === SUCCESS && (result_code ?? SUCCESS) === SUCCESS) return;
  // Some operations have a spelling of their own.
  const { error_code, error_code_des } = rest;
  throw new ApiError({
    ...received(what, answer),
    code: err_code || error_code || result_code || return_code || `HTTP_${answer.status}`,
    message: err_code_des || error_code_des || return_msg || `${what} was answered without success.`,
    return_code,
    result_code,
    err_code,
    err_code_des,
  });
}

/**
 * `v2/appauth/getaccesstoken` answers in JSON, with codes of its own. What is no JSON is left to whoever reads it.
 * @throws {@link ApiError} where `retcode` says that the request failed
 */
function refuseJsonFailure(what: string, answer: Answer): void {
  const { retcode, retmsg } = parse(answer.body);
  if (retcode === undefined || Number(retcode) === 0) return;
  const message = retmsg ? String(retmsg) : `${what} was answered without success.`;
  throw new ApiError({ ...received(what, answer), code: String(retcode), message });
}

function isJson(body: Uint8Array): boolean {
  return /^\s*\{/.test(Buffer.from(body).toString('latin1', 0, 100));
}

function parse(body: Uint8Array): { retcode?: unknown; retmsg?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(body).toString()));
  } catch {
    return {};
  }
}

function received(request: string, { status, headers: received, body }: Answer) {
  const headers = new Headers(Object.entries(received).map(([name, value]) => [name, String(value)]));
  const requestId = headers.get('request-id') ?? undefined;
  return { request, status, headers, requestId, body: Buffer.from(body).toString() };
}

function textsOf(fields: Record<string, unknown>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string')) as Record<
    string,
    string
  >;
}

function verifySign({ sign, ...fields }: Record<string, unknown>, secret: string): void {
  if (typeof sign !== 'string' || sign === '') {
    throw new SignatureError('ERR_SIGNATURE_MISSING', 'The answer has no field "sign".');
  }
  const type = sign.length === HMAC_LENGTH ? 'HMAC-SHA256' : 'MD5';
  if (!Hash.equals(Hash.sign(type, fields, secret), sign)) {
    throw new SignatureError('ERR_SIGNATURE_WRONG', 'The field "sign" does not fit the answer and the APIv2 key.');
  }
}
