import { brand, WechatPayError } from './wechatpay-error';

/**
 * The connection failed: no address, no connection, a reset, a truncated body. `cause` is the error of undici.
 * Where the request never had a connection, the message says that nothing was sent. Otherwise it is unknown whether
 * WeChat Pay has carried it out: query the order before you send it again.
 */
export class TransportError extends WechatPayError {
  static {
    brand(this, 'TransportError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_TRANSPORT', message, options);
  }
}
