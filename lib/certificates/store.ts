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

/** What {@link createCertificates} needs. */
export interface CertificatesConfig {
  /** The configured keys. */
  certs: Readonly<Record<string, PublicKey | X509Certificate | VerifyFunction>>;
  /** Those of them that are certificates. */
  issued: readonly X509Certificate[];
  apiv3Key: Uint8Array;
  cache: CertificateCache | undefined;
  /** Asks WeChat Pay for the certificates; gives the body of the response once that is verified. */
  request(verify: VerifyCertificates): Promise<string>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long before the newest certificate expires the next one is asked for, in milliseconds. */
const EARLY = 12 * HOUR;

/**
 * Keeps the platform certificates of one merchant: downloads them when they are needed, and again before the newest
 * expires. No timer is started: the time is looked at where a certificate is used.
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
  /** When a newer certificate may be asked for again, and when one of an unknown serial number. */
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
    // Where there is no newer one yet, it is not asked for with every request.
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
    // There is a valid one still: requests go on with that.
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
      // Someone else's search may have begun before the certificate was issued.
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

/** Lets calls that come while one is under way share its result. */
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
