import { Agent, type Dispatcher } from 'undici';
import { ConfigurationError } from '../errors';
import { signer, v2Signer, v2Verifier, verifier } from '../middleware';
import type { LoadedConfig } from './config';
import { merchantDispatcher } from './merchant';
import type { Protocol } from './target';

/** Gives what a request goes through: dispatcher, verifier, signer. */
export type Stacks = (protocol: Protocol, security: boolean) => Dispatcher;

/** Options of the configuration without which a protocol cannot be spoken. */
const NEEDED: Record<Protocol, string> = { v2: '"secret"', v3: '"serial", "privateKey" and "certs"' };

/**
 * The ways that requests of a client go. Those that present the merchant's certificate have connections of their own,
 * so that it is never shown for another request.
 * @throws {@link ConfigurationError} where a key or a certificate cannot be used
 */
export function createStacks(config: LoadedConfig): Stacks {
  const { mchid, baseUrl, v2, v3 } = config;
  const interceptors: Record<Protocol, Dispatcher.DispatcherComposeInterceptor[] | undefined> = {
    v2: v2 && [v2Verifier(v2), v2Signer({ mchid, baseUrl, ...v2 })],
    v3: v3 && [verifier(v3), signer({ mchid, baseUrl, ...v3 })],
  };
  const over = (base: Dispatcher): Record<Protocol, Dispatcher | undefined> => ({
    v2: interceptors.v2 && base.compose(interceptors.v2),
    v3: interceptors.v3 && base.compose(interceptors.v3),
  });
  const plain = over(config.dispatcher ?? new Agent());
  const secure = config.merchant && over(merchantDispatcher(config.merchant));

  return (protocol, security) => {
    if (security && !secure) {
      throw new ConfigurationError('A request with "security" presents a certificate: configure "merchant" with it.');
    }
    const stack = (security && secure ? secure : plain)[protocol];
    if (!stack)
      throw new ConfigurationError(`A request of ${protocol} needs ${NEEDED[protocol]} in the configuration.`);
    return stack;
  };
}
