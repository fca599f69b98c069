import type { Dispatcher } from 'undici';
import type { KeyInput } from '../crypto/keys';
import { signedStatement } from '../download/digest';
import { SignatureError, UNKNOWN_OUTCOME } from '../errors';
import type { ReceivedHeaders } from '../format/headers';
import type { MerchantKeyInput, VerifyFunction } from '../signature/functions';
import { loadPlatformKeys, type PlatformKeys, refuseOwnKeys } from '../signature/platform-keys';
import { verifyPlatformSignature } from '../signature/platform-signature';
import { BRAND_SCHEME } from '../signature/scheme';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { PassingHandler, refusingRedirects } from './handler';
import { refuseOtherNumbers } from './own-numbers';
import { type BufferedResponse, type Verify, VerifyingHandler } from './verifying-handler';

/** Verifies the head of a file; rejects where it cannot be trusted. */
type VerifyHead = (headers: ReceivedHeaders) => Promise<void>;

/** Holds the head of a response of status 200–299 back until it is verified; the body streams through behind it. */
class HeadHolder extends PassingHandler {
  readonly #verify: VerifyHead;
  #failed = false;

  constructor(handler: Dispatcher.DispatchHandler, verify: VerifyHead) {
    super(handler);
    this.#verify = verify;
  }

  override onResponseStart(...head: Parameters<PassingHandler['onResponseStart']>): void {
    const [controller, status, headers] = head;
    if (status < 200 || status > 299) {
      super.onResponseStart(...head);
      return;
    }
    controller.pause();
    this.#verify(headers)
      .then(() => {
        if (this.#failed) return;
        super.onResponseStart(...head);
        controller.resume();
      })
      .catch((error: Error) => controller.abort(error));
  }

  override onResponseError(...error: Parameters<PassingHandler['onResponseError']>): void {
    this.#failed = true;
    super.onResponseError(...error);
  }
}

/** What the verifier needs. */
export interface VerifierConfig {
  /** WeChat Pay's keys, or functions that verify, by the id of the public key or the serial number of the certificate. */
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>;
  /** In the place of `certs`. @internal */
  certificates?: PlatformKeys;
  /** In the place of the check by a key that is known beforehand. @internal */
  verify?: Verify;
  /** The merchant's, if they are at hand: with them the merchant's own key is refused in the place of WeChat Pay's. */
  serial?: string;
  privateKey?: MerchantKeyInput;
  /** The brand, in whose responses `Wechatpay-Signature-Type` must name the scheme of brands. */
  brandId?: string | undefined;
}

/**
 * An interceptor of undici that verifies the responses of APIv3: those of status 200–299 reach the caller only once their
 * signature has been found right, and only if a number of the merchant's own in them is that of the request. Of other
 * statuses WeChat Pay does not sign all: they pass where they have no signature, or one that cannot be checked for want
 * of the key or because of the clock, and are an error where it is wrong.
 *
 * A request with `download: true` streams through: WeChat Pay does not sign files. Of overseas statements it signs a
 * hash of the file: the head is held back until that is verified.
 * @throws {@link ConfigurationError} where a key cannot be used, is the merchant's own (where `privateKey` or `serial` of
 * the merchant are given too), or no certificate is valid now
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export function verifier(config: VerifierConfig): Interceptor {
  const keys = config.certificates ?? loadPlatformKeys(config.certs);
  refuseOwnKeys(config.certs, config);
  const scheme = config.brandId === undefined ? undefined : BRAND_SCHEME;
  // Of a failure, no key is looked for: that would cost a download for whoever makes up a serial number.
  const atHand: PlatformKeys = { get: (serial) => keys.get(serial), keys: () => keys.keys() };
  return (dispatch) => (options: SignedDispatchOptions, down) => {
    const handler = refusingRedirects(down, options);
    const advice = adviceFor(options);
    const success: Verify =
      config.verify ?? (({ headers, body }) => verifyPlatformSignature(headers, body, keys, advice, scheme));
    const accept = ({ body }: BufferedResponse): void => refuseOtherNumbers(options, membersOf(body));
    const failure = ({ headers, body }: BufferedResponse): Promise<boolean> =>
      verifyPlatformSignature(headers, body, atHand, advice, scheme).then(() => true, unlessWrong);
    if (!options.download) {
      return dispatch(options, new VerifyingHandler(handler, { success, accept, failure }, options.exchange));
    }
    const verifyHead: VerifyHead = async (headers) => {
      const statement = signedStatement(options.path, headers);
      if (statement !== undefined) await verifyPlatformSignature(headers, statement, keys, advice, scheme);
    };
    const verifying = new VerifyingHandler(handler, { failure }, options.exchange);
    return dispatch(options, new HeadHolder(verifying, verifyHead));
  };
}

/** A signature that was checked and is wrong is an error; one that is missing or cannot be checked tells nothing. */
function unlessWrong(error: unknown): false {
  if (error instanceof SignatureError && error.code !== 'ERR_SIGNATURE_WRONG') return false;
  throw error;
}

/** By now WeChat Pay has the request: of one that may have changed something, the error says that it does not tell. */
function adviceFor({ method }: SignedDispatchOptions): string | undefined {
  return method === 'GET' ? undefined : UNKNOWN_OUTCOME;
}

const utf8 = new TextDecoder();

/** The members of a response that has any. */
function membersOf(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(utf8.decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Whoever reads it as JSON is told.
    return {};
  }
}
