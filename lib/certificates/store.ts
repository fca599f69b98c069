import type { X509Certificate } from 'node:crypto';
import { codeOf } from '../crypto/bytes';
import type { PublicKey } from '../crypto/keys';
import type { ReceivedHeaders } from '../format/headers';
import type { VerifyFunction } from '../signature/functions';
import { isPublicKeyId, isValid, loadPlatformKeys, type PlatformCertificates } from '../signature/platform-keys';
import { type CertificateCache, tolerant, warn } from './cache';
import {
  type Certificate,
  certificate,
  explainMissing,
  openCertificates,
  unexpired,
  verifyCertificates,
} from './response';

/** Verifies the response to a request for certificates. */
export type VerifyCertificates = (response: { headers: ReceivedHeaders; body: Uint8Array }) => Promise<void>;

/** The dependencies of {@link createCertificates}. */
export interface CertificatesConfig {
  /** The configured keys. */
  certs: Readonly<Record<string, PublicKey | X509Certificate | VerifyFunction>>;
  /** The configured certificates. */
  issued: readonly X509Certificate[];
  apiv3Key: Uint8Array;
  cache: CertificateCache | undefined;
  /** Requests the certificates from WeChat Pay; returns the verified response body. */
  request(verify: VerifyCertificates): Promise<string>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long before the newest certificate expires to request the next one, in milliseconds. */
const EARLY = 12 * HOUR;

/**
 * Maintains the platform certificates of one merchant: downloads them on demand, and again before the newest one
 * expires. It starts no timer; the time is checked when a certificate is used.
 */
export function createCertificates({
  certs,
  issued,
  apiv3Key,
  cache,
  request,
}: CertificatesConfig): PlatformCertificates {
  const configured = loadPlatformKeys(certs, { dates: 'counted' });
  const { ids } = configured;
  const publicKeyId = ids.find(isPublicKeyId);
  const dated = new Set(issued.map((x509) => certificate(x509).serial));
  const undated = ids.find((id) => !dated.has(id));
  let held: readonly Certificate[] = unexpired(issued.map((x509) => certificate(x509)));
  /** The earliest time for the next request for a newer certificate, and for one with an unknown serial number. */
  let renewAt = 0;
  let searchAt = 0;

  function newest(): Certificate | undefined {
    const now = Date.now();
    return held.find((one) => isValid(one, now));
  }

  function valid(serial: string): Certificate | undefined {
    const found = held.find((one) => one.serial === serial);
    return found && isValid(found) ? found : undefined;
  }

  function keep(certificates: readonly Certificate[]): void {
    held = unexpired(new Map([...held, ...certificates].map((one) => [one.serial, one])).values());
  }

  const download = single(async (): Promise<X509Certificate[]> => {
    const body = await request((response) => verifyCertificates(response, apiv3Key, configured)).catch(explainMissing);
    const certificates = await openCertificates(body, apiv3Key);
    keep(certificates);
    // If there is no newer certificate yet, do not ask for one with every request.
    renewAt = Date.now() + HOUR;
    if (cache) await tolerant('write', () => cache.write(body));
    return unexpired(certificates)
      .filter((one) => isValid(one))
      .map(({ x509 }) => x509);
  });

  const search = single(async (isFound: () => boolean): Promise<void> => {
    const text = cache && (await tolerant('read', () => cache.read()));
    if (typeof text === 'string' && text !== '') {
      await openCertificates(text, apiv3Key).then(keep, (error) =>
        warn(`read() returned unusable data (${codeOf(error)})`),
      );
    }
    if (!isFound()) await download();
  });

  const expiresSoon = () => Date.now() >= (newest()?.until ?? 0) - EARLY;

  function renew(): void {
    if (Date.now() < renewAt || !expiresSoon()) return;
    renewAt = Date.now() + MINUTE;
    // A valid one is left: requests go on with it.
    search(() => !expiresSoon()).catch(() => {});
  }

  function preferred(): string | undefined {
    if (publicKeyId !== undefined) return publicKeyId;
    const certificate = newest();
    if (certificate) renew();
    return certificate?.serial ?? undated;
  }

  const get = (serial: string) => configured.get(serial) ?? valid(serial)?.verify;

  return {
    get,
    preferred,
    keys: () => new Set([...configured.keys(), ...held.filter((one) => isValid(one)).map(({ serial }) => serial)]),
    publicKey: (serial) => valid(serial)?.publicKey,
    refresh: download,
    explain: configured.explain,
    async ready() {
      let serial = preferred();
      while (serial === undefined) {
        await search(() => newest() !== undefined);
        serial = preferred();
      }
      return serial;
    },
    async find(serial) {
      // Another caller's search may have started before the certificate was issued.
      await search.running;
      if (get(serial) || Date.now() < searchAt) return get(serial);
      const isFound = () => get(serial) !== undefined;
      try {
        await search(isFound);
      } finally {
        if (!isFound()) searchAt = Date.now() + MINUTE;
      }
      return get(serial);
    },
  };
}

/** Concurrent calls share one result. */
function single<Arguments extends unknown[], Result>(work: (...args: Arguments) => Promise<Result>) {
  const shared = (...args: Arguments): Promise<Result> => {
    shared.running ??= work(...args).finally(() => {
      shared.running = undefined;
    });
    return shared.running;
  };
  shared.running = undefined as Promise<Result> | undefined;
  return shared;
}
