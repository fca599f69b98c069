/** Who signs: a merchant or a brand. The scheme follows from that, and never from the call. */
export type Signatory =
  | { readonly mchid: string; readonly brandId?: undefined }
  | { readonly brandId: string; readonly mchid?: undefined };

/**
 * The schemes of the `Authorization` header of APIv3, and the values of `Wechatpay-Signature-Type`.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 * @see https://pay.weixin.qq.com/doc/brand/4015597833
 */
export const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
export const BRAND_SCHEME = 'WECHATPAY-BRAND-SHA256-RSA2048';
