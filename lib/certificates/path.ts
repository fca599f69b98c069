/** WeChat Pay's hosts abroad. */
const OVERSEAS = /^api(?:hk|us|eu)\.mch\.weixin\.qq\.com$/;

/**
 * Where the certificates are: under `v3/global/` on WeChat Pay's hosts abroad, and directly under `v3/` on all others.
 * @param baseUrl the configured root of the API
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764
 * @see https://pay.weixin.qq.com/doc/global/v3/zh/4013013878
 */
export function certificatesPath(baseUrl: URL | undefined): string {
  return baseUrl && OVERSEAS.test(baseUrl.hostname) ? 'v3/global/certificates' : 'v3/certificates';
}
