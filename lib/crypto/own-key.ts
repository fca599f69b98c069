import { createPublicKey, KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { types } from 'node:util';
import { ConfigurationError } from '../errors';
import { isCryptoKey } from './crypto-key';
import { type KeyInput, loadPrivateKey, loadPublicKey, type PrivateKeyInput } from './key';

/** What is known of the merchant: whatever was given, whether it can be used or not. */
export interface Merchant {
  serial?: unknown;
  privateKey?: unknown;
}

/**
 * Refuses the merchant's own public key or serial number in the place of WeChat Pay's: whoever has the private key, the
 * merchant, could make responses of its own. A function in the place of either key tells nothing of it.
 * @throws {@link ConfigurationError} that names the entry of `certs`
 */
export function refuseOwnKeys(certs: Readonly<Record<string, unknown>>, { serial, privateKey }: Merchant): void {
  const own = publicHalf(privateKey);
  for (const [id, key] of Object.entries(certs)) {
    if (typeof serial === 'string' && id.toUpperCase() === serial.toUpperCase()) {
      throw new ConfigurationError(
        `"certs" holds the merchant's own serial number ${id}; WeChat Pay's key or platform certificate belongs there.`,
      );
    }
    if (own && publicKeyOf(key)?.equals(own)) {
      throw new ConfigurationError(
        `certs["${id}"] is the merchant's own public key; WeChat Pay's public key (pub_key.pem) or platform ` +
          'certificate belongs there, not apiclient_cert.pem.',
      );
    }
  }
}

/** `undefined` of a function, and of what cannot be read: whoever uses it says what is wrong. */
function publicHalf(privateKey: unknown): KeyObject | undefined {
  return attempt(privateKey, () => {
    const key = readable(privateKey) ?? loadPrivateKey(privateKey as PrivateKeyInput);
    return types.isKeyObject(key) && key.type === 'private' ? createPublicKey(key) : undefined;
  });
}

function publicKeyOf(input: unknown): KeyObject | undefined {
  return attempt(input, () => {
    const key = readable(input) ?? loadPublicKey(input as KeyInput);
    return types.isKeyObject(key) ? key : undefined;
  });
}

/** A key that is loaded already, if it can be compared: a `CryptoKey` only where it may be taken out. */
function readable(input: unknown): KeyObject | undefined {
  if (types.isKeyObject(input)) return input;
  if (input instanceof X509Certificate) return input.publicKey;
  if (!isCryptoKey(input)) return undefined;
  return types.isCryptoKey(input) && input.extractable ? KeyObject.from(input as webcrypto.CryptoKey) : undefined;
}

function attempt(input: unknown, read: () => KeyObject | undefined): KeyObject | undefined {
  if (input === undefined || typeof input === 'function') return undefined;
  try {
    return read();
  } catch {
    return undefined;
  }
}
