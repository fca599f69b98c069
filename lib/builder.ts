import { chain } from './chain';
import { type ClientConfig, createClient } from './client';
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
    // The Proxy answers to every path; what is known of each is a matter of types alone.
    return chain(createClient(config)) as Chain;
  },
};
