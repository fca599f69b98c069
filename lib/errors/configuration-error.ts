import { brand, WechatPayError } from './wechatpay-error';

/** The configuration is invalid: a key of the wrong kind, a missing option, an unreadable file. Nothing was sent. */
export class ConfigurationError extends WechatPayError {
  static {
    brand(this, 'ConfigurationError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CONFIGURATION', message, options);
  }
}
