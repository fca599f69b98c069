import { brand, WechatPayError } from './wechatpay-error';

/**
 * The connection failed: no address, no connection, a reset, a truncated body. `cause` is the error of undici.
 * Whether WeChat Pay has carried out the request is unknown: query the order before you send it again.
 */
export class TransportError extends WechatPayError {
  static {
    brand(this, 'TransportError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TRANSPORT', message, options);
  }
}
