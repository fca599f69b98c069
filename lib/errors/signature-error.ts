import { brand, WechatPayError } from './wechatpay-error';

/** Which check of the signature failed. */
export type SignatureErrorCode =
  | 'ERR_SIGNATURE_MISSING'
  | 'ERR_SIGNATURE_CLOCK'
  | 'ERR_SIGNATURE_SERIAL'
  | 'ERR_SIGNATURE_WRONG'
  | 'ERR_SIGNATURE_UNCHECKED'
  | 'ERR_SIGNATURE_OTHER_REQUEST'
  /** v2: what is signed can be split into another message as well. */
  | 'ERR_SIGNATURE_AMBIGUOUS';

/** What else is known of a signature that cannot be trusted. */
export interface SignatureErrorOptions extends ErrorOptions {
  probe?: boolean;
  serial?: string | undefined;
  requestId?: string | undefined;
}

/**
 * A response or a notification whose signature cannot be trusted; its content is not handed out.
 * After a request that changes something, query its outcome before you send it again.
 */
export class SignatureError extends WechatPayError {
  static {
    brand(this, 'SignatureError');
  }
  declare readonly code: SignatureErrorCode;

  /**
   * `true` where WeChat Pay sent a wrong signature on purpose (`WECHATPAY/SIGNTEST/…`), to see that it is refused.
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
   */
  readonly probe: boolean;
  /** The `Wechatpay-Serial` received. */
  readonly serial: string | undefined;
  /** The `Request-ID` received, to be quoted to WeChat Pay's support. */
  readonly requestId: string | undefined;

  constructor(code: SignatureErrorCode, message: string, options: SignatureErrorOptions = {}) {
    super(code, message, options);
    this.probe = options.probe ?? false;
    this.serial = options.serial;
    this.requestId = options.requestId;
  }
}
