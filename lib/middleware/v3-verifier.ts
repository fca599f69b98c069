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

/** Verifies the head of a file; rejects if it cannot be trusted. */
type VerifyHead = (headers: ReceivedHeaders) => Promise<void>;

/** Holds back the head of a response with status 200–299 until it is verified; the body then streams through. */
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

/** Options of the verifier. */
export interface VerifierConfig {
  /** WeChat Pay's keys, or functions that verify, by public key id or certificate serial number. */
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>;
  /** Used instead of `certs`. @internal */
  certificates?: PlatformKeys;
  /** Used instead of verification with a known key. @internal */
  verify?: Verify;
  /** The merchant's key and serial number, if available, so that they are refused where WeChat Pay's belong. */
  serial?: string;
  privateKey?: MerchantKeyInput;
  /** The brand, in whose responses `Wechatpay-Signature-Type` must name the scheme of brands. */
  brandId?: string | undefined;
}

/**
 * An undici interceptor that verifies APIv3 responses. Responses with status 200–299 reach the caller only if their
 * signature is valid, and any merchant-assigned number in them matches the request. WeChat Pay does not sign all responses
 * with other statuses: they pass if they have no signature, or one that cannot be checked because the key is missing or
 * the clock is wrong, and are an error if it is invalid.
 *
 * A request with `download: true` streams through: WeChat Pay does not sign files. For overseas statements it signs a
 * hash of the file, so the head is held back until that is verified.
 * @throws {@link ConfigurationError} if a key cannot be used, is the merchant's own (if the merchant's `privateKey` or
 * `serial` is given), or no certificate is currently valid
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export function verifier(config: VerifierConfig): Interceptor {
  const keys = config.certificates ?? loadPlatformKeys(config.certs);
  refuseOwnKeys(config.certs, config);
  const scheme = config.brandId === undefined ? undefined : BRAND_SCHEME;
  // For a failure, no key is searched for: an invented serial number would cost a download.
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

/** A wrong signature is an error; one that is missing or cannot be checked proves nothing. */
function unlessWrong(error: unknown): false {
  if (error instanceof SignatureError && error.code !== 'ERR_SIGNATURE_WRONG') return false;
  throw error;
}

/** WeChat Pay has received the request by now, so if it may have changed something, the error says so. */
function adviceFor({ method }: SignedDispatchOptions): string | undefined {
  return method === 'GET' ? undefined : UNKNOWN_OUTCOME;
}

const utf8 = new TextDecoder();

/** The members of a response, if it has any. */
function membersOf(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(utf8.decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Code that reads it as JSON gets an error.
    return {};
  }
}
