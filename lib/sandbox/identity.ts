import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError } from '../errors';
import { nonce } from '../signature/formatter';
import { type KeyPair, type Keyring, keyPair } from './protocol/keyring';
import { selfSigned } from './protocol/x509';
import type { Store } from './store';

/** Who may sign requests: a merchant or a brand, with its keys. */
export interface Identity extends KeyPair {
  readonly kind: 'merchant' | 'brand';
  /** Merchant id or brand id. */
  readonly id: string;
  /** Serial number of its API certificate, upper-case hexadecimal. */
  readonly serial: string;
  /** Its API certificate, PEM. */
  readonly certificate: string;
  /** Its APIv3 key or brand API key: 32 characters. */
  readonly apiKey: string;
  /** Its APIv2 key; brands have none. */
  readonly secret: string;
  /** Its own keys and the files that they are from, if known: these keys are never shown or kept. */
  readonly own: OwnFiles;
}

/** The files of keys that a merchant or a brand brings along. */
export interface OwnFiles {
  readonly privateKey?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly secret?: string | undefined;
}

/** What identities share: the platform and its keys. */
export interface Identities {
  readonly platform: Keyring;
  find(kind: Identity['kind'], id: string): Identity | undefined;
  all(): readonly Identity[];
  /** Those whose own keys are missing at this start: their state exists, but they cannot sign. */
  absent(kind: Identity['kind']): readonly string[];
  /** @throws ConfigurationError if it exists already, or its keys do not belong together */
  add(kind: Identity['kind'], own?: OwnIdentity): Promise<Identity>;
}

/** The own id and keys of a merchant or a brand; the sandbox generates what is missing. */
export interface OwnIdentity {
  /** Merchant id or brand id. */
  readonly id?: string | undefined;
  /** Its private key, PEM. */
  readonly privateKey?: string | undefined;
  /** Its API certificate, PEM; it gives serial number, public key and, without `id`, the id. */
  readonly certificate?: string | undefined;
  /** Its APIv3 key or brand API key: 32 characters. */
  readonly apiKey?: string | undefined;
  /** Its APIv2 key: 32 characters. */
  readonly secret?: string | undefined;
  /** The files that these are from: the control API shows them instead of the keys. */
  readonly files?: OwnFiles | undefined;
}

/** An identity as the store keeps it: without its own keys, which must be passed at the next start, too. */
interface Stored extends Pick<Identity, 'kind' | 'id' | 'serial' | 'certificate'> {
  readonly privateKey?: string;
  readonly apiKey?: string;
  readonly secret?: string;
}

/** How long the certificates of merchants are valid: five years. */
const VALID_FOR = 5 * 365 * 86_400_000;

/** Ids of the first merchant and the first brand; further ones count up from there. */
const FIRST: Readonly<Record<Identity['kind'], number>> = { merchant: 1900000109, brand: 1087690001 };

export function createIdentities(store: Store, platform: Keyring): Identities {
  const stored = store.table<Stored>('identities', { survivesReset: true });
  const loaded = new Map<string, Identity>();

  function load(key: string): Identity | undefined {
    const known = loaded.get(key);
    if (known) return known;
    const value = stored.get(key);
    // An identity whose own keys were not passed at this start is not available.
    if (value?.privateKey === undefined || value.apiKey === undefined || value.secret === undefined) return undefined;
    const { apiKey, secret } = value;
    const privateKey = createPrivateKey(value.privateKey);
    const identity = { ...value, apiKey, secret, privateKey, publicKey: createPublicKey(privateKey), own: {} };
    loaded.set(key, identity);
    return identity;
  }

  return {
    platform,
    find: (kind, id) => load(`${kind}/${id}`),
    all: () => [...stored.values()].flatMap(({ kind, id }) => load(`${kind}/${id}`) ?? []),
    async add(kind, own = {}) {
      const nextId = () => {
        let id = FIRST[kind];
        while (stored.get(`${kind}/${id}`)) id += 1;
        return String(id);
      };
      const id = own.id ?? idOf(own.certificate) ?? nextId();
      const key = `${kind}/${id}`;
      const before = stored.get(key);
      if (before && load(key)) throw new ConfigurationError(`The sandbox already has the ${kind} ${id}.`);
      const identity = await createIdentity(kind, id, before, own);
      stored.put(key, storedOf(identity));
      store.commit();
      loaded.set(key, identity);
      return identity;
    },
    absent: (kind) =>
      [...stored.values()].flatMap((one) => (one.kind !== kind || load(`${kind}/${one.id}`) ? [] : one.id)),
  };
}

function storedOf({ kind, id, serial, certificate, privateKey, apiKey, secret, own }: Identity): Stored {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const made = Object.entries({ privateKey: pem, apiKey, secret }).filter(([name]) => !Object.hasOwn(own, name));
  return { kind, id, serial, certificate, ...Object.fromEntries(made) };
}

const KEYS = ['privateKey', 'apiKey', 'secret'] as const;

/** @param before what the store has of it: that it brought along another part is no reason to make up this one again */
async function createIdentity(
  kind: Identity['kind'],
  id: string,
  before: Partial<Stored> = {},
  own: OwnIdentity,
): Promise<Identity> {
  const privateKey = own.privateKey ?? before.privateKey;
  const certificate = own.certificate ?? before.certificate;
  const { apiKey = before.apiKey ?? nonce(32), secret = before.secret ?? nonce(32), files = {} } = own;
  if (apiKey.length !== 32) throw new ConfigurationError('The API key of an identity must have 32 characters.');
  const brought = KEYS.filter((name) => own[name] !== undefined).map((name) => [name, files[name]]);
  const common = { kind, id, apiKey, secret, own: Object.fromEntries(brought) };
  if (certificate !== undefined) {
    const parsed = parseCertificate(certificate);
    if (privateKey === undefined) throw new ConfigurationError('The private key of the certificate is missing.');
    const pair = pairOf(privateKey);
    if (!parsed.checkPrivateKey(pair.privateKey)) {
      throw new ConfigurationError('The private key does not match the certificate.');
    }
    return { ...common, serial: parsed.serialNumber.toUpperCase(), certificate, ...pair };
  }
  const pair = privateKey === undefined ? await keyPair() : pairOf(privateKey);
  const serial = `5${nonce(39)}`.toUpperCase();
  const notBefore = new Date();
  const notAfter = new Date(Date.now() + VALID_FOR);
  return { ...common, serial, certificate: selfSigned({ serial, subject: id, notBefore, notAfter, pair }), ...pair };
}

/** The subject of a merchant certificate is its merchant id. */
function idOf(certificate: string | undefined): string | undefined {
  return certificate === undefined ? undefined : /^CN=(\d+)$/m.exec(parseCertificate(certificate).subject)?.[1];
}

function pairOf(pem: string): KeyPair {
  try {
    const privateKey = createPrivateKey(pem);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    throw new ConfigurationError('The private key is not a PEM file of an RSA key, such as apiclient_key.pem.');
  }
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ConfigurationError('The certificate is not a PEM file, such as apiclient_cert.pem.');
  }
}

/** A configuration that `Builder.factory` takes. */
export interface SandboxConfig {
  readonly mchid: string;
  /** Serial number of the merchant certificate, upper-case hexadecimal. */
  readonly serial: string;
  /** The merchant's private key. */
  readonly privateKey: KeyObject;
  /** The platform's public key, by its id. */
  readonly certs: Readonly<Record<string, KeyObject>>;
  /** The APIv2 key; hidden when the configuration is printed. */
  readonly secret: string;
  /** The APIv3 key; hidden, too. */
  readonly apiv3Key: string;
  /** Where the sandbox listens, such as `http://127.0.0.1:45678/`. */
  readonly baseUrl: string;
}

/** A configuration of a brand that `Builder.factory` takes. */
export interface SandboxBrandConfig {
  readonly brandId: string;
  /** Serial number of the brand's API certificate, upper-case hexadecimal. */
  readonly serial: string;
  /** The brand's private key. */
  readonly privateKey: KeyObject;
  /** The platform's public key, by its id. */
  readonly certs: Readonly<Record<string, KeyObject>>;
  /** The brand API key; hidden when the configuration is printed. */
  readonly brandApiKey: string;
  /** Where the sandbox listens, such as `http://127.0.0.1:45678/`. */
  readonly baseUrl: string;
}

/** What a client of a merchant needs to talk to the sandbox at `baseUrl`. */
export function merchantConfig(identity: Identity, platform: Keyring, baseUrl: string): SandboxConfig {
  const { id, secret, apiKey } = identity;
  return withSecrets({ mchid: id, ...sharedConfig(identity, platform, baseUrl) }, { secret, apiv3Key: apiKey });
}

/** What a client of a brand needs to talk to the sandbox at `baseUrl`. */
export function brandConfig(identity: Identity, platform: Keyring, baseUrl: string): SandboxBrandConfig {
  const { id, apiKey } = identity;
  return withSecrets({ brandId: id, ...sharedConfig(identity, platform, baseUrl) }, { brandApiKey: apiKey });
}

function sharedConfig({ serial, privateKey }: Identity, platform: Keyring, baseUrl: string) {
  return { serial, privateKey, certs: { [platform.original.serial]: platform.original.publicKey }, baseUrl };
}

/** Adds secrets to a configuration, hidden when it is printed. */
function withSecrets<Shown extends object, Secrets extends object>(shown: Shown, secrets: Secrets): Shown & Secrets {
  const hidden = Object.fromEntries(Object.keys(secrets).map((name) => [name, '…']));
  // Not enumerable, so that a copy of the configuration is a plain one.
  return Object.defineProperties(
    { ...shown, ...secrets },
    { toJSON: { value: () => shown }, [inspect.custom]: { value: () => ({ ...shown, ...hidden }) } },
  );
}
