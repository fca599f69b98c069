import { Agent, type Dispatcher } from 'undici';
import { ConfigurationError } from '../errors';
import { failover, type Interceptor, retry, signer, v2Signer, v2Verifier, verifier } from '../middleware';
import { connectTimeout } from '../middleware/connect-timeout';
import { pageDispatcher } from '../middleware/redirect-url';
import type { Protocol } from '../openapi/protocol';
import { merchantDispatcher, readDispatcher } from './base-dispatcher';
import type { LoadedConfig } from './config';

/** How a request goes out: over the common connections, over those with the merchant's certificate, or not at all. */
export type Way = 'plain' | 'secure' | 'page';

/** Gives what a request goes through: dispatcher, verifier, signer. */
export type Stacks = (protocol: Protocol, way: Way) => Dispatcher;

/** Options of the configuration without which a protocol cannot be spoken. */
const NEEDED: Record<Protocol, string> = { v2: '"secret"', v3: '"serial", "privateKey", and "certs" or "apiv3Key"' };

/**
 * The ways that requests of a client go. Those that present the merchant's certificate have connections of their own,
 * so that it is never shown for another request.
 * @throws {@link ConfigurationError} where a key or a certificate cannot be used
 */
export function createStacks(config: LoadedConfig): Stacks {
  const { mchid, v2, v3, origins } = config;
  const signers = { v2: v2 && v2Signer({ mchid, origins, ...v2 }), v3: v3 && signer({ mchid, origins, ...v3 }) };
  const verifiers = { v2: v2 && v2Verifier(v2), v3: v3 && verifier(v3) };
  // The last one runs first: whatever repeats a request is outside of what signs it.
  const repeaters = [config.failover && failover(config.failover), config.retry && retry(config.retry)];
  const over = (dispatcher: Dispatcher) => ({
    v2: signers.v2 && compose(dispatcher, connectTimeout, verifiers.v2, signers.v2, ...repeaters),
    v3: signers.v3 && compose(dispatcher, connectTimeout, verifiers.v3, signers.v3, ...repeaters),
  });
  const ways: Record<Way, Record<Protocol, Dispatcher | undefined> | undefined> = {
    plain: over(config.dispatcher === undefined ? new Agent() : readDispatcher('dispatcher', config.dispatcher)),
    secure: config.merchant && over(merchantDispatcher(config.merchant)),
    page: {
      v2: signers.v2 && compose(pageDispatcher(), signers.v2),
      v3: signers.v3 && compose(pageDispatcher(), signers.v3),
    },
  };

  return (protocol, way) => {
    const stacks = ways[way];
    if (!stacks) {
      throw new ConfigurationError('This operation requires a TLS client certificate; configure it as "merchant".');
    }
    const stack = stacks[protocol];
    if (!stack) throw new ConfigurationError(`${protocol} requests require ${NEEDED[protocol]} in the configuration.`);
    return stack;
  };
}

function compose(dispatcher: Dispatcher, ...interceptors: (Interceptor | undefined)[]): Dispatcher {
  return dispatcher.compose(interceptors.filter((interceptor) => interceptor !== undefined));
}
