import { chain } from './chain';
import { type ClientConfig, createClient, loadConfig } from './client';
import { remember } from './crypto/credentials';
import type { Chain } from './openapi/chain';

/** Builds clients. */
export const Builder = {
  /**
   * Builds a client for one merchant: `instance.v3.pay.transactions.native.post({ json })`.
   *
   * Keys are loaded and checked here, once. Nothing is sent, no timer is started.
   * @throws {@link ConfigurationError} that names the option, what was found and what was expected
   */
  factory(config: ClientConfig): Chain {
    const loaded = loadConfig(config);
    const { mchid, payBankKey, v2, v3 } = loaded;
    const credentials = { mchid, payBankKey, ...v2, ...v3 };
    // The Proxy answers to every path; what is known of each is a matter of types alone.
    return remember(chain(createClient(loaded, credentials)) as Chain, credentials);
  },
};
