import { brand, WechatPayError } from './wechatpay-error';

/** The codes of a {@link BodyError}. */
export type BodyErrorCode =
  | 'ERR_BODY_NOT_JSON'
  | 'ERR_BODY_NOT_XML'
  | 'ERR_BODY_NOT_BILL'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_DIGEST'
  | 'ERR_BODY_NOT_DECRYPTED';

/**
 * The body of a response is not as expected.
 * After a request that changes something, query the outcome before retrying.
 */
export class BodyError extends WechatPayError {
  static {
    brand(this, 'BodyError');
  }
  declare readonly code: BodyErrorCode;

  constructor(code: BodyErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
