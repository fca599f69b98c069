import {
  createPrivateKey,
  type KeyObject,
  type PrivateKeyInput as NodePrivateKeyInput,
  type webcrypto,
} from 'node:crypto';
import { ConfigurationError } from '../errors';
import { isCryptoKey, type KeyUse } from './crypto-key';
import { codeOf } from './error-code';
import { checkKey, unreadable, wrongKind } from './key-check';
import { type KeyInput, type Material, mostTelling, readKeySource } from './key-source';

/** A private key, loaded. */
export type PrivateKey = KeyObject | webcrypto.CryptoKey;

/** A private key in any form of {@link KeyInput}, or such a form with the passphrase that opens it. */
export type PrivateKeyInput = KeyInput | { key: KeyInput; passphrase: string | Uint8Array };

type Passphrase = string | Uint8Array | undefined;

/** How Node is to read the kinds of material that are private keys. */
const ENCODINGS: Partial<Record<Material['kind'], Pick<NodePrivateKeyInput, 'format' | 'type'>>> = {
  'pkcs1-private': { format: 'der', type: 'pkcs1' },
  pkcs8: { format: 'der', type: 'pkcs8' },
  'encrypted-pkcs8': { format: 'der', type: 'pkcs8' },
  'encrypted-pkcs1': { format: 'pem' },
};

/**
 * Loads a private key: RSA, 2048 bits or more. What is loaded already is checked and handed back as it is.
 * @param input PKCS#1 or PKCS#8, in any form of {@link PrivateKeyInput}; of a PEM text with several blocks, the first
 * private key
 * @param name what errors call the input
 * @param use what the key is for; matters to a `CryptoKey`, which is bound to one algorithm
 * @throws {@link ConfigurationError} that says what was found instead and what to do; it never shows the input
 */
export function loadPrivateKey(input: PrivateKeyInput, name = 'privateKey', use: KeyUse = 'sign'): PrivateKey {
  const { key, passphrase } = hasPassphrase(input) ? input : { key: input, passphrase: undefined };
  const materials = readKeySource(key, name);
  const material = materials.find((one) => 'key' in one || ENCODINGS[one.kind]) ?? mostTelling(materials);
  return checkKey(open(material, passphrase, name), 'private', use, name);
}

function hasPassphrase(input: PrivateKeyInput): input is { key: KeyInput; passphrase: string | Uint8Array } {
  return typeof input === 'object' && input !== null && 'key' in input && !isCryptoKey(input);
}

function open(material: Material, passphrase: Passphrase, name: string): PrivateKey {
  if ('key' in material) return material.key;
  const encoding = ENCODINGS[material.kind];
  if (!encoding) throw wrongKind('private', material.kind, name);
  const key = Buffer.from('pem' in material ? material.pem : 'der' in material ? material.der : '');
  if (!material.kind.startsWith('encrypted')) {
    try {
      return createPrivateKey({ key, ...encoding });
    } catch (error) {
      throw unreadable('private', material.kind, name, error);
    }
  }
  if (!passphrase?.length) {
    throw new ConfigurationError(`"${name}" is encrypted: give { key, passphrase } with the passphrase that opens it.`);
  }
  try {
    return createPrivateKey({ key, ...encoding, passphrase: Buffer.from(passphrase) });
  } catch (error) {
    throw new ConfigurationError(
      `The passphrase given does not open "${name}" (${codeOf(error)}). Check the passphrase; if it is right, the ` +
        'encryption may be too old for OpenSSL 3: convert the key with "openssl pkcs8 -topk8 -v2 aes-256-cbc".',
    );
  }
}
