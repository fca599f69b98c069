import { brand, WechatPayError } from './wechatpay-error';

/**
 * No response came in time.
 * Where `timeout.connect` ran out, the message says that nothing was sent. Otherwise it is unknown whether WeChat Pay has
 * carried out the request: query the order before you send it again.
 */
export class TimeoutError extends WechatPayError {
  static {
    brand(this, 'TimeoutError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TIMEOUT', message, options);
  }
}
