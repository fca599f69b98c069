import type { KeyObject, X509Certificate } from 'node:crypto';
import { toVerify, type VerifyFunction } from './custom';
import type { KeyInput } from './key';
import type { Thread } from './rsa-signature';

/** What verifies signatures of one key. */
export type SignatureCheck = ReturnType<typeof toVerify>;

/** WeChat Pay's keys, ready to verify, by their serial number or id; a `Map` will do. */
export interface PlatformKeys {
  /** The key of that id, if it is at hand. */
  get(serial: string): SignatureCheck | undefined;
  /** The ids of those at hand. */
  keys(): Iterable<string>;
  /** Looks for a key that is not at hand; rejects where it cannot be looked for. */
  find?(serial: string): Promise<SignatureCheck | undefined>;
}

/** Platform certificates that are downloaded when they are needed, beside the configured keys. */
export interface PlatformCertificates extends Required<PlatformKeys> {
  /** The id of the key to encrypt with and to announce, if one is at hand. */
  preferred(): string | undefined;
  /** The same; downloads certificates first where none is at hand. */
  ready(): Promise<string>;
  /** The key of a certificate, to encrypt with. */
  publicKey(serial: string): KeyObject | undefined;
  /** Downloads the certificates now. @returns those that are valid, that with the longest validity first */
  refresh(): Promise<X509Certificate[]>;
}

/** Loads each key of the configuration's `certs`. @throws {@link ConfigurationError} */
export function loadPlatformKeys(
  certs: Readonly<Record<string, KeyInput | VerifyFunction>>,
  thread?: Thread,
): ReadonlyMap<string, SignatureCheck> {
  return new Map(Object.entries(certs).map(([serial, key]) => [serial, toVerify(key, `certs["${serial}"]`, thread)]));
}

/** Whether an id is that of a public key; the serial number of a certificate is hexadecimal. */
export function isPublicKeyId(serial: string): boolean {
  return serial.startsWith('PUB_KEY_ID_');
}

/** The public key's id before certificates, which WeChat Pay is replacing by it; undefined of none. */
export function preferredSerial(serials: readonly string[]): string | undefined {
  return serials.find(isPublicKeyId) ?? serials[0];
}
