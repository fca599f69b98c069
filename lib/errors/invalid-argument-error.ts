import { brand, WechatPayError } from './wechatpay-error';

/** An argument of a call is invalid. Nothing was sent. */
export class InvalidArgumentError extends WechatPayError {
  static {
    brand(this, 'InvalidArgumentError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INVALID_ARGUMENT', message, options);
  }
}
