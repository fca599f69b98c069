import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { nonce } from '../signature/formatter';
import { createKeyring, type KeyPair, type Keyring, keyPair, type PlatformKey, publicKeyId } from './protocol/keyring';

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

/** A configuration that `Builder.factory` takes to build the client of a brand. */
export interface SandboxBrandConfig extends Pick<SandboxConfig, 'serial' | 'privateKey' | 'certs' | 'baseUrl'> {
  readonly brandId: string;
  /** The brand's API key; it is not shown when the configuration is printed. */
  readonly brandApiKey: string;
}

/** A brand, and the key that the platform has for it. */
export interface Brand extends KeyPair {
  readonly brandId: string;
  readonly serial: string;
  readonly platform: PlatformKey;
  /** The API key that both have: 32 characters. */
  readonly apiKey: string;
}

/** The merchant, the brand and the platform, each with keys of its own. */
export interface Identity {
  readonly merchant: { readonly mchid: string; readonly serial: string } & KeyPair;
  readonly platform: Keyring;
  /** Its keys are made when they are first asked for. */
  readonly brand: Brand;
  /** The APIv2 key that both have. */
  readonly secret: string;
  /** The APIv3 key that both have: 32 characters. */
  readonly apiv3Key: string;
}

const MCHID = '1900000109';
const BRAND_ID = '120344';

/** Makes a merchant and a platform with fresh RSA-2048 keys and a fresh APIv2 key. */
export async function createIdentity(): Promise<Identity> {
  const [merchant, platform] = await Promise.all([keyPair(), keyPair()]);
  let brand: Brand | undefined;
  return {
    get brand() {
      brand ??= createBrand();
      return brand;
    },
    merchant: { mchid: MCHID, serial: nonce(40).toUpperCase(), ...merchant },
    platform: createKeyring({ serial: publicKeyId(MCHID), ...platform }),
    secret: nonce(32),
    apiv3Key: nonce(32),
  };
}

function createBrand(): Brand {
  const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
  const platform = { serial: publicKeyId(BRAND_ID), ...pair() };
  return { brandId: BRAND_ID, serial: nonce(40).toUpperCase(), ...pair(), platform, apiKey: nonce(32) };
}

/** What a client of the brand needs to talk to the platform at `baseUrl`. */
export function brandConfig({ brand }: Identity, baseUrl: string): SandboxBrandConfig {
  const { brandId, serial, privateKey, platform, apiKey } = brand;
  const shown = { brandId, serial, privateKey, certs: { [platform.serial]: platform.publicKey }, baseUrl };
  return withHidden(shown, { brandApiKey: apiKey });
}

/** What a client of the merchant needs to talk to the platform at `baseUrl`. */
export function clientConfig({ merchant, platform, secret, apiv3Key }: Identity, baseUrl: string): SandboxConfig {
  const { mchid, serial, privateKey } = merchant;
  const shown = { mchid, serial, privateKey, certs: { [platform.serial]: platform.publicKey }, baseUrl };
  return withHidden(shown, { secret, apiv3Key });
}

/** A configuration with keys that are not shown when it is printed. */
function withHidden<Shown extends object, Hidden extends object>(shown: Shown, hidden: Hidden): Shown & Hidden {
  const masked = Object.fromEntries(Object.keys(hidden).map((name) => [name, '…']));
  // Not enumerable, so that a copy of the configuration is a plain one.
  return Object.defineProperties(
    { ...shown, ...hidden },
    {
      toJSON: { value: () => shown },
      [inspect.custom]: { value: () => ({ ...shown, ...masked }) },
    },
  );
}
