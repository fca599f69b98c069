/** The scheme of the `Authorization` header of APIv3, and the value of `Wechatpay-Signature-Type`. */
export const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
