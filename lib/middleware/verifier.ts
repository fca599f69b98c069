import type { VerifyFunction } from '../crypto/custom';
import type { KeyInput } from '../crypto/key';
import { loadPlatformKeys, type PlatformKeys } from '../crypto/platform-keys';
import { verifyPlatformSignature } from '../crypto/platform-signature';
import { signedStatement } from '../media/statement';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { holdingHead, type VerifyHead } from './holding-head';
import { refusingRedirects } from './redirect';
import { type Verify, VerifyingHandler } from './verifying-handler';

/** What the verifier needs. */
export interface VerifierConfig {
  /** WeChat Pay's keys, or functions that verify, by the id of the public key or the serial number of the certificate. */
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>;
  /** In the place of `certs`. @internal */
  certificates?: PlatformKeys;
  /** In the place of the check by a key that is known beforehand. @internal */
  verify?: Verify;
}

/**
 * An interceptor of undici that verifies the answers of APIv3: those of status 200–299 reach the caller only once their
 * signature has been found right; others pass, since WeChat Pay does not sign all of them.
 *
 * A request with `download: true` streams through: WeChat Pay does not sign files. Of overseas statements it signs a
 * hash of the file: the head is held back until that is verified.
 * @throws {@link ConfigurationError} where a key cannot be used
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export function verifier(config: VerifierConfig): Interceptor {
  const keys = config.certificates ?? loadPlatformKeys(config.certs);
  const verify: Verify = config.verify ?? (({ headers, body }) => verifyPlatformSignature(headers, body, keys));
  return (dispatch) => (options: SignedDispatchOptions, down) => {
    const handler = refusingRedirects(down, options);
    if (!options.download) return dispatch(options, new VerifyingHandler(handler, verify));
    const verifyHead: VerifyHead = async (headers) => {
      const statement = signedStatement(options.path, headers);
      if (statement !== undefined) await verifyPlatformSignature(headers, statement, keys);
    };
    return dispatch(options, holdingHead(handler, verifyHead));
  };
}
