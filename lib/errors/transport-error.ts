import { brand, WechatPayError } from './wechatpay-error';

/**
 * The connection failed: DNS failure, no connection, a reset, a truncated body. `cause` is undici's error.
 * If the request never had a connection, the message says that nothing was sent. Otherwise WeChat Pay may or may not have
 * processed it; query the outcome before retrying.
 */
export class TransportError extends WechatPayError {
  static {
    brand(this, 'TransportError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TRANSPORT', message, options);
  }
}
