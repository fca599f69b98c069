import { brand, WechatPayError } from './wechatpay-error';

/**
 * No answer came in time.
 * Whether WeChat Pay has carried out the request is unknown: query the order before you send it again.
 */
export class TimeoutError extends WechatPayError {
  static {
    brand(this, 'TimeoutError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TIMEOUT', message, options);
  }
}
