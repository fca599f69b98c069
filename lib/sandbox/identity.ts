import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { nonce } from '../signature/formatter';
import { createKeyring, type KeyPair, type Keyring, keyPair, publicKeyId } from './protocol/keyring';

/** A configuration that `Builder.factory` takes. */
export interface SandboxConfig {
  readonly mchid: string;
  /** Serial number of the merchant certificate, upper-case hexadecimal. */
  readonly serial: string;
  /** The merchant's private key. */
  readonly privateKey: KeyObject;
  /** The platform's public key, by its id. */
  readonly certs: Readonly<Record<string, KeyObject>>;
  /** The APIv2 key; it is not shown when the configuration is printed. */
  readonly secret: string;
  /** The APIv3 key; it is not shown either. */
  readonly apiv3Key: string;
  /** Where the sandbox listens, such as `http://127.0.0.1:45678/`. */
  readonly baseUrl: string;
}

/** The merchant and the platform, each with keys of its own. */
export interface Identity {
  readonly merchant: { readonly mchid: string; readonly serial: string } & KeyPair;
  readonly platform: Keyring;
  /** The APIv2 key that both have. */
  readonly secret: string;
  /** The APIv3 key that both have: 32 characters. */
  readonly apiv3Key: string;
}

const MCHID = '1900000109';

/** Makes a merchant and a platform with fresh RSA-2048 keys and a fresh APIv2 key. */
export async function createIdentity(): Promise<Identity> {
  const [merchant, platform] = await Promise.all([keyPair(), keyPair()]);
  return {
    merchant: { mchid: MCHID, serial: nonce(40).toUpperCase(), ...merchant },
    platform: createKeyring({ serial: publicKeyId(MCHID), ...platform }),
    secret: nonce(32),
    apiv3Key: nonce(32),
  };
}

/** What a client of the merchant needs to talk to the platform at `baseUrl`. */
export function clientConfig({ merchant, platform, secret, apiv3Key }: Identity, baseUrl: string): SandboxConfig {
  const { mchid, serial, privateKey } = merchant;
  const shown = { mchid, serial, privateKey, certs: { [platform.serial]: platform.publicKey }, baseUrl };
  // Not enumerable, so that a copy of the configuration is a plain one.
  return Object.defineProperties(
    { ...shown, secret, apiv3Key },
    {
      toJSON: { value: () => shown },
      [inspect.custom]: { value: () => ({ ...shown, secret: '…', apiv3Key: '…' }) },
    },
  );
}
