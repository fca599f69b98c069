import { brand, WechatPayError } from './wechatpay-error';

/** An argument of a call cannot be used. Nothing has been sent. */
export class InvalidArgumentError extends WechatPayError {
  static {
    brand(this, 'InvalidArgumentError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INVALID_ARGUMENT', message, options);
  }
}
