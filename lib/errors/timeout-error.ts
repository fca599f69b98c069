import { brand, WechatPayError } from './wechatpay-error';

/**
 * No response arrived in time.
 * If `timeout.connect` expired, the message says that nothing was sent. Otherwise WeChat Pay may or may not have processed
 * the request; query the outcome before retrying.
 */
export class TimeoutError extends WechatPayError {
  static {
    brand(this, 'TimeoutError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TIMEOUT', message, options);
  }
}
