import { ApiError, ConfigurationError } from '../errors';

/**
 * Says what to do where a merchant has no platform certificates; other errors stay as they are.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012153196
 */
export function explainMissing(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 404 || error.code !== 'RESOURCE_NOT_EXISTS') throw error;
  throw new ConfigurationError(
    'This merchant has no platform certificates: WeChat Pay signs for it with a public key. Download that, pub_key.pem, ' +
      'from the merchant platform (账户中心 → API安全 → 微信支付公钥), and configure it by the id shown there: ' +
      "certs: { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }.",
    { cause: error },
  );
}
