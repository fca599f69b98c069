import { webcrypto } from 'node:crypto';
import { types } from 'node:util';
import { ConfigurationError } from '../errors';

type Peculiar = typeof import('@peculiar/webcrypto');
type Subtle = webcrypto.SubtleCrypto;

/** The loaded @peculiar/webcrypto and its `SubtleCrypto`. */
const subtles = new Map<Peculiar, Subtle>();

/**
 * The `SubtleCrypto` of `@peculiar/webcrypto`, for what Node.js's WebCrypto lacks and WeChat Pay needs. Loaded on first
 * use.
 */
export function peculiarSubtle(): Subtle {
  return subtleOf(peculiar());
}

/**
 * The `SubtleCrypto` that a `CryptoKey` belongs to.
 * @throws {@link ConfigurationError} if the key belongs neither to Node.js nor to `@peculiar/webcrypto`
 */
export async function subtleFor(key: webcrypto.CryptoKey): Promise<Subtle> {
  const native: boolean = types.isCryptoKey(key);
  if (native) return webcrypto.subtle;
  if (key instanceof peculiar().CryptoKey) return peculiarSubtle();
  // `import` and `require` load separate copies of @peculiar/webcrypto, which reject each other's keys.
  const imported = await import('@peculiar/webcrypto').catch(() => undefined);
  if (imported && key instanceof imported.CryptoKey) return subtleOf(imported);
  throw new ConfigurationError(
    'The CryptoKey comes neither from Node.js nor from the @peculiar/webcrypto that wechatpay-undici uses: ' +
      'pass the key material itself, or a signing function.',
  );
}

function peculiar(): Peculiar {
  return require('@peculiar/webcrypto') as Peculiar;
}

function subtleOf(module: Peculiar): Subtle {
  const subtle = subtles.get(module) ?? (new module.Crypto().subtle as unknown as Subtle);
  subtles.set(module, subtle);
  return subtle;
}
