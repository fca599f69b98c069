import { Agent, type Dispatcher } from 'undici';
import { ConfigurationError } from '../errors';
import { failover, type Interceptor, retry, signer, v2Signer, v2Verifier, verifier } from '../middleware';
import { connectTimeout } from '../middleware/connect-timeout';
import { redirectUrlDispatcher } from '../middleware/redirect-url';
import type { Protocol } from '../openapi/trait-of';
import { merchantDispatcher, readDispatcher } from './base-dispatcher';
import type { LoadedConfig } from './config';

/** How to send a request: over the shared connections, over those with the merchant's certificate, or not at all. */
export type Route = 'plain' | 'secure' | 'redirect-url';

/** Returns the dispatcher for a request, composed with verifier and signer. */
export type Dispatchers = (protocol: Protocol, route: Route) => Dispatcher;

/** Options that a protocol requires. */
const NEEDED: Record<Protocol, string> = { v2: '"secret"', v3: '"serial", "privateKey", and "certs" or "apiv3Key"' };

/**
 * The dispatchers of a client. Requests that present the merchant's certificate use separate connections, so that it is
 * never presented with another request.
 * @throws {@link ConfigurationError} if a key or a certificate cannot be used
 */
export function createDispatchers(config: LoadedConfig): Dispatchers {
  const { signatory, v2, v3, origins } = config;
  const { mchid, brandId } = signatory;
  const signers = {
    // A brand has no v2.
    v2: v2 && mchid !== undefined ? v2Signer({ mchid, origins, ...v2 }) : undefined,
    v3: v3 && signer({ ...signatory, origins, ...v3 }),
  };
  const verifiers = { v2: v2 && v2Verifier(v2), v3: v3 && verifier({ brandId, ...v3 }) };
  // The last one runs first: interceptors that repeat a request are outside the signer.
  const repeaters = [config.failover && failover(config.failover), config.retry && retry(config.retry)];
  const over = (dispatcher: Dispatcher) => ({
    v2: signers.v2 && compose(dispatcher, connectTimeout, verifiers.v2, signers.v2, ...repeaters),
    v3: signers.v3 && compose(dispatcher, connectTimeout, verifiers.v3, signers.v3, ...repeaters),
  });
  const routes: Record<Route, Record<Protocol, Dispatcher | undefined> | undefined> = {
    plain: over(config.dispatcher === undefined ? new Agent() : readDispatcher('dispatcher', config.dispatcher)),
    secure: config.merchant && over(merchantDispatcher(config.merchant)),
    'redirect-url': {
      v2: signers.v2 && compose(redirectUrlDispatcher(), signers.v2),
      v3: signers.v3 && compose(redirectUrlDispatcher(), signers.v3),
    },
  };

  return (protocol, route) => {
    const dispatchers = routes[route];
    if (!dispatchers) {
      throw new ConfigurationError('This operation requires a TLS client certificate; configure it as "merchant".');
    }
    const dispatcher = dispatchers[protocol];
    if (!dispatcher)
      throw new ConfigurationError(`${protocol} requests require ${NEEDED[protocol]} in the configuration.`);
    return dispatcher;
  };
}

function compose(dispatcher: Dispatcher, ...interceptors: (Interceptor | undefined)[]): Dispatcher {
  return dispatcher.compose(interceptors.filter((interceptor) => interceptor !== undefined));
}
