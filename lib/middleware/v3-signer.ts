import { ConfigurationError } from '../errors';
import * as Formatter from '../signature/formatter';
import { type MerchantKeyInput, toSign } from '../signature/functions';
import { DatedKeys, type PlatformCertificates, refuseOwnKeys } from '../signature/platform-keys';
import { isMedia } from '../upload/media';
import type { Interceptor } from './dispatch-options';
import { trustedOrigins } from './hosts';
import { signing } from './signing';

/** Options of the signer. */
export interface SignerConfig {
  /** Merchant id. */
  mchid: string;
  /** Serial number of the merchant certificate. */
  serial: string;
  /** Private key of the merchant certificate, or a function that signs with it. */
  privateKey: MerchantKeyInput;
  /** WeChat Pay's keys by id. The preferred one is sent as `Wechatpay-Serial`, so that WeChat Pay signs with it. */
  certs: Readonly<Record<string, unknown>>;
  /** Used instead of `certs`. @internal */
  certificates?: PlatformCertificates;
  /** A base URL to sign for, in addition to WeChat Pay's own hosts. */
  baseUrl?: string | URL;
  /** Further base URLs. */
  baseUrls?: readonly (string | URL)[];
  /** All origins to sign for, instead of both. @internal */
  origins?: ReadonlySet<string>;
}

/**
 * An undici interceptor that signs requests for APIv3 (`WECHATPAY2-SHA256-RSA2048`).
 *
 * For an upload, with a {@link Media} as the body, only the `meta` part is signed. Requests to hosts other than WeChat
 * Pay's and the configured ones pass through unsigned. Compose it inside all interceptors that repeat requests, so that
 * each attempt is signed afresh.
 * @throws {@link ConfigurationError} if the key or the base URL cannot be used, `certs` contains the merchant's own key,
 * or none of its certificates is currently valid
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function signer(config: SignerConfig): Interceptor {
  const { mchid, serial, certificates } = config;
  const sign = toSign(config.privateKey);
  refuseOwnKeys(config.certs, config);
  const configured = new DatedKeys(config.certs, certificates ? 'counted' : 'required');
  configured.require();
  const preferred = (): string | undefined => {
    configured.require();
    return configured.preferred();
  };

  return signing(config.origins ?? trustedOrigins(config), async ({ method, path, headers, body }) => {
    const announced =
      headers['wechatpay-serial'] ??
      (certificates ? (certificates.preferred() ?? (await certificates.ready())) : preferred());
    refuseExpired(configured, announced);
    const time = Formatter.timestamp();
    const nonce = Formatter.nonce();
    const content = isMedia(body) ? body.meta : (body ?? '');
    const signature = await sign(Formatter.request(method, path, time, nonce, content));
    if (announced !== undefined) headers['wechatpay-serial'] = announced;
    headers.authorization = Formatter.authorization(mchid, nonce, signature, time, serial);
    return { headers };
  });
}

/** WeChat Pay would sign its response with an unusable key, so the outcome would be unknown. */
function refuseExpired(configured: DatedKeys, announced: string | string[] | undefined): void {
  const reason = typeof announced === 'string' ? configured.explain(announced) : undefined;
  if (reason) throw new ConfigurationError(`${reason} Nothing was sent. Set "Wechatpay-Serial" to another key.`);
}
