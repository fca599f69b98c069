import { brand, WechatPayError } from './wechatpay-error';

/** The configuration cannot work: a key of the wrong kind, a missing option, a file that cannot be read. Nothing has been sent. */
export class ConfigurationError extends WechatPayError {
  static {
    brand(this, 'ConfigurationError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CONFIGURATION', message, options);
  }
}
