import { brand, WechatPayError } from './wechatpay-error';

/** The content of an {@link ApiError}. */
export interface ApiErrorInit extends ErrorOptions {
  request: string;
  status: number;
  code: string;
  message: string;
  requestId?: string | undefined;
  headers: Headers;
  body: string;
  verified?: boolean;
  detail?: unknown;
  return_code?: string | undefined;
  result_code?: string | undefined;
  err_code?: string | undefined;
  err_code_des?: string | undefined;
}

/**
 * WeChat Pay refused the request. `code` is WeChat Pay's own (`PARAM_ERROR`, `SIGN_ERROR`, …; for v2 `err_code`), or
 * `HTTP_502` and the like if the response has none.
 *
 * `detail`, `headers` and `body` can be read but are never printed: they may repeat what was sent.
 */
export class ApiError extends WechatPayError {
  static {
    brand(this, 'ApiError');
  }

  /** Method and path of the request, without its query. */
  readonly request: string;
  /** HTTP status of the response. */
  readonly status: number;
  /** `Request-ID` of the response; quote it to WeChat Pay's support. */
  readonly requestId: string | undefined;
  /**
   * Whether the refusal is certain to come from WeChat Pay: its signature was verified. `false` if it has no signature, or
   * one that cannot be checked because the key is missing or the clock is wrong; a wrong signature is a
   * {@link SignatureError}. After an unverified refusal, query the outcome of any request that moves money.
   */
  readonly verified: boolean;
  /** v2 `return_code`: whether the request was understood. */
  declare readonly return_code?: string | undefined;
  /** v2 `result_code`: whether the operation succeeded. */
  declare readonly result_code?: string | undefined;
  /** v2 `err_code`; the same as `code`. */
  declare readonly err_code?: string | undefined;
  /** v2: what is wrong, in words: `message`, without the query that it may name. */
  declare readonly err_code_des?: string | undefined;
  readonly #init: ApiErrorInit;

  constructor(init: ApiErrorInit) {
    super(init.code, init.message, 'cause' in init ? { cause: init.cause } : undefined);
    this.request = init.request;
    this.status = init.status;
    this.requestId = init.requestId;
    this.verified = init.verified ?? false;
    this.#init = init;
    const { return_code, result_code, err_code, err_code_des } = init;
    if (return_code !== undefined) Object.assign(this, { return_code, result_code, err_code, err_code_des });
  }

  /** WeChat Pay's `detail`: the rejected field, its value, the issue. */
  get detail(): unknown {
    return this.#init.detail;
  }

  /** Headers of the response. */
  get headers(): Headers {
    return this.#init.headers;
  }

  /** Body of the response, as text. */
  get body(): string {
    return this.#init.body;
  }
}
