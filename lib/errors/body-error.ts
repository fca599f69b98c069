import { brand, WechatPayError } from './wechatpay-error';

/** What a {@link BodyError} can be about. */
export type BodyErrorCode =
  | 'ERR_BODY_NOT_JSON'
  | 'ERR_BODY_NOT_XML'
  | 'ERR_BODY_NOT_BILL'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_DIGEST';

/** The answer is WeChat Pay's, but its body is not what it should be. */
export class BodyError extends WechatPayError {
  static {
    brand(this, 'BodyError');
  }
  declare readonly code: BodyErrorCode;

  constructor(code: BodyErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
