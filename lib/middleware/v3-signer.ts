import { ConfigurationError, NOTHING_SENT } from '../errors';
import * as Formatter from '../signature/formatter';
import { type MerchantKeyInput, toSign } from '../signature/functions';
import { DatedKeys, type PlatformCertificates, refuseOwnKeys } from '../signature/platform-keys';
import { brandAuthorization, type Signatory } from '../signature/scheme';
import { isMedia } from '../upload/media';
import type { Interceptor } from './dispatch-options';
import { signing, trustedOrigins } from './signing';

/** What the signer needs: who signs, as `mchid` or as `brandId`, and with what. */
export type SignerConfig = Signatory & {
  /** Serial number of the certificate of the merchant, or of the brand. */
  serial: string;
  /** Private key of that certificate, or what signs with it elsewhere. */
  privateKey: MerchantKeyInput;
  /** WeChat Pay's keys by id. The preferred one is sent as `Wechatpay-Serial`, so that WeChat Pay signs with it. */
  certs: Readonly<Record<string, unknown>>;
  /** Used instead of `certs`. @internal */
  certificates?: PlatformCertificates;
  /** A base URL to sign for, in addition to WeChat Pay's own hosts. */
  baseUrl?: string | URL;
  /** Further ones. */
  baseUrls?: readonly (string | URL)[];
  /** All origins to sign for, instead of both. @internal */
  origins?: ReadonlySet<string>;
};

/**
 * An interceptor of undici that signs requests as APIv3 wants it: as a merchant (`WECHATPAY2-SHA256-RSA2048`), or as a
 * brand (`WECHATPAY-BRAND-SHA256-RSA2048`).
 *
 * Of an upload, a {@link Media} as the body, the part `meta` alone is signed. Requests to hosts that are neither WeChat
 * Pay's nor the configured one pass without a signature. Compose it inside of all that repeats requests, so that each
 * attempt is signed afresh.
 * @throws {@link ConfigurationError} where the key or the base URL cannot be used, `certs` holds the signer's own key,
 * or none of its certificates is valid now
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function signer(config: SignerConfig): Interceptor {
  const { serial, certificates } = config;
  const authorization = authorizationOf(config);
  const sign = toSign(config.privateKey);
  refuseOwnKeys(config.certs, config);
  const configured = new DatedKeys(config.certs, certificates ? 'counted' : 'required');
  configured.require();
  const preferred = (): string | undefined => {
    configured.require();
    return configured.preferred();
  };

  return signing(config.origins ?? trustedOrigins(config), async ({ method, path, headers, body }, { exchange }) => {
    const announced =
      headers['wechatpay-serial'] ??
      (certificates ? (certificates.preferred() ?? (await certificates.ready())) : preferred());
    refuseExpired(configured, announced);
    const time = Formatter.timestamp();
    const nonce = Formatter.nonce();
    const content = isMedia(body) ? body.meta : (body ?? '');
    const signature = await sign(Formatter.request(method, path, time, nonce, content)).catch((error: unknown) => {
      throw exchange?.dispatched === false ? unsent(error) : error;
    });
    if (announced !== undefined) headers['wechatpay-serial'] = announced;
    headers.authorization = authorization(nonce, signature, time, serial);
    return { headers };
  });
}

/** A function in the place of the key may do at the next attempt; where an attempt was sent before, the client says so. */
function unsent(error: unknown): unknown {
  if (!(error instanceof ConfigurationError)) return error;
  const { cause } = error;
  return new ConfigurationError(`${error.message} ${NOTHING_SENT}`, cause === undefined ? undefined : { cause });
}

/** What writes the header `Authorization`: the scheme belongs to who signs. */
function authorizationOf(signatory: Signatory): (...parts: [string, string, number, string]) => string {
  const { brandId, mchid } = signatory;
  if (brandId === undefined) return (...parts) => Formatter.authorization(mchid, ...parts);
  return (...parts) => brandAuthorization(brandId, ...parts);
}

/** WeChat Pay would sign its response with an unusable key, so the outcome would be unknown. */
function refuseExpired(configured: DatedKeys, announced: string | string[] | undefined): void {
  const reason = typeof announced === 'string' ? configured.explain(announced) : undefined;
  if (reason) throw new ConfigurationError(`${reason} Nothing was sent. Set "Wechatpay-Serial" to another key.`);
}
