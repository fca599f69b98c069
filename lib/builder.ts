import { certificatesPath } from './certificates/response';
import { createCertificates } from './certificates/store';
import { chain } from './chain/chain';
import { type ClientConfig, createClient, type LoadedConfig, loadConfig } from './client';
import type { Chain } from './openapi/chain';
import { remember } from './signature/credentials';
import type { PlatformCertificates } from './signature/platform-keys';

/** Builds clients. */
export const Builder = {
  /**
   * Builds a client for one merchant: `instance.v3.pay.transactions.native.post({ json })`.
   *
   * Keys are loaded and checked here, once. Nothing is sent, no timer is started.
   * @throws {@link ConfigurationError} that names the option, what was found and what was expected
   */
  factory(config: ClientConfig): Chain {
    const loaded = withCertificates(loadConfig(config));
    const { mchid, apiv3Key, payBankKey, v2, v3 } = loaded;
    const credentials = { mchid, apiv3Key, payBankKey, ...v2, ...v3 };
    // The Proxy accepts every path; the types describe the known ones.
    return remember(chain(createClient(loaded, credentials)) as Chain, credentials);
  },
};

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
      const client = createClient(alone, { mchid: loaded.mchid });
      return client('get', certificatesPath(loaded.baseUrl), undefined).text();
    },
  });
  return { ...loaded, v3: { ...v3, certificates } };
}
