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
 * @throws {@link InvalidArgumentError} where `Builder.factory` did not build the instance; {@link ConfigurationError}
 * where it has no `apiv3Key`, is one for v2 alone, or that of a brand
 * @example
 * // Downloads now, even if some are cached. Only valid ones, the one that expires last first.
 * for (const certificate of await Certificates.of(instance).refresh()) {
 *   await writeFile(`wechatpay_${certificate.serialNumber}.pem`, certificate.toString());
 * }
 */
export function of(instance: object): PlatformCertificateDownloads {
  const { certificates, brandId } = credentialsOf(instance);
  if (certificates) return { refresh: certificates.refresh };
  if (brandId !== undefined) {
    throw new ConfigurationError(
      'This is the client of a brand, and WeChat Pay has no platform certificates for brands: responses are verified ' +
        'with the public key in "certs".',
    );
  }
  throw new ConfigurationError(
    'This client does not download platform certificates; configure "serial", "privateKey" and "apiv3Key" (APIv3).',
  );
}
