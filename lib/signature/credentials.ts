import type { X509Certificate } from 'node:crypto';
import type { PublicKey } from '../crypto/keys';
import { InvalidArgumentError } from '../errors';
import type { MerchantKey, VerifyFunction } from './functions';
import type { PlatformCertificates } from './platform-keys';
import type { Signatory } from './scheme';

/** The configuration's keys, loaded. */
interface Keys {
  readonly serial?: string;
  readonly privateKey?: MerchantKey;
  readonly certs?: Readonly<Record<string, PublicKey | X509Certificate | VerifyFunction>>;
  readonly certificates?: PlatformCertificates;
  readonly secret?: string;
  readonly apiv3Key?: Uint8Array | undefined;
  readonly brandApiKey?: Uint8Array | undefined;
  readonly payBankKey?: PublicKey | undefined;
}

/** What a client signs, verifies, encrypts and decrypts with, and as whom. */
export type Credentials = Keys & Signatory;

const known = new WeakMap<object, Credentials>();

/** Remembers the keys of an instance for as long as the instance lives. */
export function remember<Instance extends object>(instance: Instance, credentials: Credentials): Instance {
  known.set(instance, credentials);
  return instance;
}

/**
 * The keys of an instance.
 * @throws {@link InvalidArgumentError} if the instance was not created by `Builder.factory`
 */
export function credentialsOf(instance: object): Credentials {
  const credentials = known.get(instance);
  if (credentials) return credentials;
  throw new InvalidArgumentError(
    '"instance" was not created by Builder.factory; pass its return value, not a path such as instance.v3.',
  );
}
