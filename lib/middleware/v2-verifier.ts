import { ApiError, BodyError, SignatureError, type SignatureErrorCode, UNKNOWN_OUTCOME } from '../errors';
import { toHeaders } from '../format/headers';
import { toObject } from '../format/transformer';
import * as Hash from '../signature/hash';
import { refuseSecondReading } from '../signature/v2-readings';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { refusingRedirects } from './handler';
import { refuseOtherNumbers } from './own-numbers';
import { type BufferedResponse, VerifyingHandler } from './verifying-handler';

/** Options of the v2 verifier. */
export interface V2VerifierConfig {
  /** The APIv2 key. */
  secret: string;
}

const SUCCESS = 'SUCCESS';
const HMAC_LENGTH = 64;

/**
 * An undici interceptor that checks v2 responses: first `sign`, with MD5 or HMAC-SHA256 depending on its length, then
 * `return_code` and `result_code`, then whether any merchant-assigned number matches the request. A response with FAIL
 * becomes an {@link ApiError}, with or without `sign`; one with a wrong `sign` becomes a {@link SignatureError},
 * whatever its status; one that can also be read as a different message becomes a {@link SignatureError}
 * `ERR_SIGNATURE_AMBIGUOUS`.
 *
 * With `unsigned: true`, no `sign` is expected, and the response may be JSON; with `download: true`, it streams through.
 */
export function v2Verifier({ secret }: V2VerifierConfig): Interceptor {
  return (dispatch) => (options: SignedDispatchOptions, down) => {
    const handler = refusingRedirects(down, options);
    const what = `${options.method} ${options.path.split('?')[0]}`;
    const success = async (response: BufferedResponse): Promise<void> => {
      if (options.unsigned && isJson(response.body)) return refuseJsonFailure(what, response);
      const fields = readXml(what, response.body);
      const verified = isSigned(fields, secret);
      refuseFailure(what, fields, response, verified);
      if (!verified && !options.unsigned) throw signatureError('ERR_SIGNATURE_MISSING', 'has no field "sign"');
      refuseOtherNumbers(options, fields);
      if (options.exchange) options.exchange.fields = fields;
    };
    const failure = async ({ body }: BufferedResponse): Promise<boolean> => {
      const fields = xmlOf(body);
      if (options.exchange) options.exchange.fields = fields;
      return fields !== undefined && isSigned(fields, secret);
    };
    const checks = options.download ? { failure } : { success, failure };
    return dispatch(options, new VerifyingHandler(handler, checks, options.exchange));
  };
}

/**
 * @param verified whether the `sign` of the response is valid
 * @throws {@link ApiError} if `return_code` or `result_code` reports a failure
 */
export function refuseFailure(
  what: string,
  fields: Record<string, unknown>,
  response: BufferedResponse,
  verified: boolean = false,
): void {
  const { return_code, result_code, err_code, return_msg, err_code_des, ...rest } = textsOf(fields);
  if (return_code === SUCCESS && (result_code ?? SUCCESS) === SUCCESS) return;
  // Some operations use other names.
  const { error_code, error_code_des } = rest;
  throw new ApiError({
    ...received(what, response),
    verified,
    code: err_code || error_code || result_code || return_code || `HTTP_${response.status}`,
    message: err_code_des || error_code_des || return_msg || `${what} failed.`,
    return_code,
    result_code,
    err_code,
    err_code_des,
  });
}

/**
 * `v2/appauth/getaccesstoken` responds in JSON, with its own codes. A body that is not JSON is left to the reader.
 * @throws {@link ApiError} if `retcode` reports a failure
 */
function refuseJsonFailure(what: string, response: BufferedResponse): void {
  const { retcode, retmsg } = parse(response.body);
  if (retcode === undefined || Number(retcode) === 0) return;
  const message = retmsg ? String(retmsg) : `${what} failed.`;
  throw new ApiError({ ...received(what, response), code: String(retcode), message });
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

function received(request: string, { status, headers: received, body }: BufferedResponse) {
  const headers = toHeaders(received);
  const requestId = headers.get('request-id') ?? undefined;
  return { request, status, headers, requestId, body: Buffer.from(body).toString() };
}

function textsOf(fields: Record<string, unknown>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string')) as Record<
    string,
    string
  >;
}

/** The fields of an XML response; `undefined` for any other. */
export function xmlOf(body: Uint8Array | string): Record<string, unknown> | undefined {
  try {
    return toObject(body);
  } catch {
    return undefined;
  }
}

function readXml(what: string, body: Uint8Array): Record<string, unknown> {
  try {
    return toObject(body);
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    throw new BodyError(error.code, `${what}: ${error.message} ${UNKNOWN_OUTCOME}`, { cause: error });
  }
}

/**
 * Whether a response has a valid `sign`.
 * @returns false if it has none
 * @throws {@link SignatureError} if it is wrong, or the response contains fields that `sign` cannot cover
 */
function isSigned({ sign, ...fields }: Record<string, unknown>, secret: string): boolean {
  if (sign === undefined || sign === '') return false;
  const isFlat = Object.values(fields).every((value) => typeof value === 'string');
  if (typeof sign !== 'string' || !isFlat) {
    throw signatureError('ERR_SIGNATURE_WRONG', 'has repeated or nested fields, which v2 cannot sign');
  }
  const type = sign.length === HMAC_LENGTH ? 'HMAC-SHA256' : 'MD5';
  if (!Hash.equals(Hash.sign(type, fields, secret), sign)) {
    throw signatureError('ERR_SIGNATURE_WRONG', 'has a field "sign" that does not match its content and the APIv2 key');
  }
  refuseSecondReading(fields, 'response');
  return true;
}

function signatureError(code: SignatureErrorCode, issue: string): SignatureError {
  return new SignatureError(code, `The response ${issue}. ${UNKNOWN_OUTCOME}`);
}
