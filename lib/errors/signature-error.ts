import { brand, WechatPayError } from './wechatpay-error';

/** The check of the signature that failed. */
export type SignatureErrorCode =
  | 'ERR_SIGNATURE_MISSING'
  | 'ERR_SIGNATURE_CLOCK'
  | 'ERR_SIGNATURE_SERIAL'
  | 'ERR_SIGNATURE_WRONG'
  | 'ERR_SIGNATURE_UNCHECKED'
  | 'ERR_SIGNATURE_OTHER_REQUEST'
  /** v2: the signed text can also be split into a different message. */
  | 'ERR_SIGNATURE_AMBIGUOUS';

/** Further details of a {@link SignatureError}. */
export interface SignatureErrorOptions extends ErrorOptions {
  probe?: boolean;
  serial?: string | undefined;
  requestId?: string | undefined;
}

/**
 * The signature of a response or a notification cannot be trusted; its content is not returned.
 * After a request that changes something, query the outcome before retrying.
 */
export class SignatureError extends WechatPayError {
  static {
    brand(this, 'SignatureError');
  }
  declare readonly code: SignatureErrorCode;

  /**
   * `true` if WeChat Pay sent a wrong signature on purpose (`WECHATPAY/SIGNTEST/…`), to check that it is rejected.
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
   */
  readonly probe: boolean;
  /** The `Wechatpay-Serial` that was received. */
  readonly serial: string | undefined;
  /** The `Request-ID` that was received; quote it to WeChat Pay's support. */
  readonly requestId: string | undefined;

  constructor(code: SignatureErrorCode, message: string, options: SignatureErrorOptions = {}) {
    super(code, message, options);
    this.probe = options.probe ?? false;
    this.serial = options.serial;
    this.requestId = options.requestId;
  }
}
