import type { X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../errors';
import { credentialsOf } from '../signature/credentials';

export type { CertificateCache } from './cache';

/** Downloads of platform certificates, as returned by {@link of}. */
export interface PlatformCertificateDownloads {
  /** Downloads the certificates now. @returns the currently valid ones, the one that expires last first */
  refresh(): Promise<X509Certificate[]>;
}

/**
 * The platform certificates of an instance that downloads them. It does so by itself; call this only for direct access.
 * @param instance what `Builder.factory` returned
 * @throws {@link InvalidArgumentError} if the instance was not created by `Builder.factory`; {@link ConfigurationError}
 * if it has no `apiv3Key`, or is configured for v2 only
 * @example
 * // Downloads now, even if some are cached. Only valid ones, the one that expires last first.
 * for (const certificate of await Certificates.of(instance).refresh()) {
 *   await writeFile(`wechatpay_${certificate.serialNumber}.pem`, certificate.toString());
 * }
 */
export function of(instance: object): PlatformCertificateDownloads {
  const { certificates } = credentialsOf(instance);
  if (certificates) return { refresh: certificates.refresh };
  throw new ConfigurationError(
    'This client does not download platform certificates; configure "serial", "privateKey" and "apiv3Key" (APIv3).',
  );
}
