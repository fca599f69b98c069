import { operation } from '../catalogue/operation';
import type { SandboxRequest } from '../wire/request';
import type { Product, ProductContext } from './product';

/** The lists of platform certificates, and v2's key for payments to banks. @see https://pay.weixin.qq.com/doc/v3/merchant/4012551764 */
export function certificates({ identities }: ProductContext): Product {
  // Keys use the real time, as signatures do.
  const list = ({ mchid }: SandboxRequest) =>
    identities.platform.list(identities.find('merchant', mchid)?.apiKey ?? '', Date.now());
  return {
    routes: [
      operation('get', 'v3/certificates', list),
      operation('get', 'v3/global/certificates', list),
      // The sandbox decrypts with the platform's own key.
      operation('post', 'v2/risk/getpublickey', () => ({
        ...{ return_code: 'SUCCESS', result_code: 'SUCCESS' },
        pub_key: identities.platform.original.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      })),
    ],
  };
}
