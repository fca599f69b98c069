import { certificatesPath } from './certificates/response';
import { createCertificates } from './certificates/store';
import { chain } from './chain/chain';
import { type BrandConfig, type ClientConfig, createClient, type LoadedConfig, loadConfig } from './client';
import type { BrandChain, Chain } from './openapi/chain';
import { remember } from './signature/credentials';
import type { PlatformCertificates } from './signature/platform-keys';

/**
 * Builds a client for one brand (品牌): `instance.brand.store.brandstores.post({ json })`.
 *
 * It signs as the brand. Keys are loaded and checked here, once. Nothing is sent, no timer is started.
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 * @see https://pay.weixin.qq.com/doc/brand/4015407523
 */
function factory(config: BrandConfig): BrandChain;
/**
 * Builds a client for one merchant: `instance.v3.pay.transactions.native.post({ json })`.
 *
 * Keys are loaded and checked here, once. Nothing is sent, no timer is started.
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 */
function factory(config: ClientConfig): Chain;
function factory(config: ClientConfig | BrandConfig): Chain | BrandChain {
  const loaded = withCertificates(loadConfig(config));
  const { signatory, apiv3Key, brandApiKey, payBankKey, v2, v3 } = loaded;
  const credentials = { ...signatory, apiv3Key, brandApiKey, payBankKey, ...v2, ...v3 };
  // The Proxy has every path; what is known of each is a matter of types alone.
  return remember(chain(createClient(loaded, credentials)) as Chain | BrandChain, credentials);
}

/** Builds clients. */
export const Builder = { factory };

/** Enables the download of platform certificates if the APIv3 key is configured. */
function withCertificates(loaded: LoadedConfig): LoadedConfig {
  const { v3, apiv3Key, certificateCache: cache } = loaded;
  if (!v3 || !apiv3Key) return loaded;
  const certificates: PlatformCertificates = createCertificates({
    ...v3,
    apiv3Key,
    cache,
    request: (verify) => {
      // A separate client, which neither waits for certificates nor announces one; downloads are rare.
      const alone = { ...loaded, v2: undefined, merchant: undefined, v3: { ...v3, certs: {}, verify } };
      const client = createClient(alone, loaded.signatory);
      return client('get', certificatesPath(loaded.baseUrl), undefined).text();
    },
  });
  return { ...loaded, v3: { ...v3, certificates } };
}
