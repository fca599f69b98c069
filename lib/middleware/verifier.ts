import { type KeyInput, loadPublicKey, type PublicKey } from '../crypto/key';
import { verifyPlatformSignature } from '../crypto/platform-signature';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { type Verify, VerifyingHandler } from './verifying-handler';

/** What the verifier needs. */
export interface VerifierConfig {
  /** WeChat Pay's public keys, by the id of the public key or the serial number of the platform certificate. */
  certs: Readonly<Record<string, KeyInput>>;
}

/**
 * An interceptor of undici that verifies the answers of APIv3: those of status 200–299 reach the caller only once their
 * signature has been found right; others pass, since WeChat Pay does not sign all of them.
 * A request with `verify: false` streams through, as downloads need it.
 * @throws {@link ConfigurationError} where a key cannot be used
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export function verifier(config: VerifierConfig): Interceptor {
  const certs = loadCerts(config.certs);
  const verify: Verify = (headers, body) => verifyPlatformSignature(headers, body, certs);
  return (dispatch) => (options: SignedDispatchOptions, handler) =>
    dispatch(options, options.verify === false ? handler : new VerifyingHandler(handler, verify));
}

/** Loads each key of the configuration's `certs`. */
export function loadCerts(certs: Readonly<Record<string, KeyInput>>): ReadonlyMap<string, PublicKey> {
  return new Map(Object.entries(certs).map(([serial, key]) => [serial, loadPublicKey(key, `certs["${serial}"]`)]));
}
