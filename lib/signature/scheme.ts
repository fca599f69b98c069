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

/**
 * The value of the `Authorization` header of a request of a brand (品牌); that of a merchant is in `Formatter`.
 * @param signature over the same string as a merchant's, in Base64
 * @param serial serial number of the brand's API certificate, upper-case hexadecimal
 */
export function brandAuthorization(
  brandId: string,
  nonce: string,
  signature: string,
  time: number | string,
  serial: string,
): string {
  return `${BRAND_SCHEME} brand_id="${brandId}",nonce_str="${nonce}",timestamp="${time}",serial_no="${serial}",signature="${signature}"`;
}
