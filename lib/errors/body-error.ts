import { brand, WechatPayError } from './wechatpay-error';

/** What a {@link BodyError} can be about. */
export type BodyErrorCode =
  | 'ERR_BODY_NOT_JSON'
  | 'ERR_BODY_NOT_XML'
  | 'ERR_BODY_NOT_BILL'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_DIGEST'
  | 'ERR_BODY_NOT_DECRYPTED';

/**
 * A response whose body is not what it should be.
 * After a request that changes something, query its outcome before you send it again.
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
