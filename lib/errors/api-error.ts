import { brand, WechatPayError } from './wechatpay-error';

/** What an {@link ApiError} is made of. */
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
 * WeChat Pay refused the request. `code` is WeChat Pay's own (`PARAM_ERROR`, `SIGN_ERROR`, …; of v2 `err_code`), or
 * `HTTP_502` and the like where the response has none.
 *
 * `detail`, `headers` and `body` can be read but are not printed: they may repeat what was sent.
 */
export class ApiError extends WechatPayError {
  static {
    brand(this, 'ApiError');
  }

  /** Method and path of the request, without its query. */
  readonly request: string;
  /** HTTP status of the response. */
  readonly status: number;
  /** `Request-ID` of the response, to be quoted to WeChat Pay's support. */
  readonly requestId: string | undefined;
  /**
   * Whether the refusal is WeChat Pay's for sure: its signature was checked and is right. `false` where it has none, or
   * one that cannot be checked for want of the key or because of the clock; a signature that is wrong is a
   * {@link SignatureError}. After a refusal that is not verified, query the outcome of a request that moves money.
   */
  readonly verified: boolean;
  /** v2: whether the request was understood. */
  declare readonly return_code?: string | undefined;
  /** v2: whether it was carried out. */
  declare readonly result_code?: string | undefined;
  /** v2: what is wrong, as a token; the same as `code`. */
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

  /** WeChat Pay's `detail`: the field it objects to, its value, the issue. */
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
