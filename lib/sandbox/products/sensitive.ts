import { isDeepStrictEqual } from 'node:util';
import { encrypt } from '../../crypto/rsa';
import type { Identities } from '../identity';

/**
 * Whether two bodies are equal. Encrypted members are compared by their plain text: each encryption of a text
 * gives another ciphertext.
 * @param encrypted the names of such members, wherever they are
 */
export async function sameBody(
  { platform }: Identities,
  before: unknown,
  now: unknown,
  encrypted: readonly string[],
): Promise<boolean> {
  async function opened(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map(opened));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(async ([name, member]) => {
      const isEncrypted = typeof member === 'string' && encrypted.includes(name);
      return [name, isEncrypted ? await platform.decrypt(member) : await opened(member)] as const;
    });
    return Object.fromEntries(await Promise.all(members));
  }
  return isDeepStrictEqual(await opened(before), await opened(now));
}

/** Encrypts for a merchant what has been encrypted for the platform; what is kept is the ciphertext alone. */
export async function forMerchant(identities: Identities, mchid: string, ciphertext: string): Promise<string> {
  const plaintext = await identities.platform.decrypt(ciphertext);
  const merchant = identities.find('merchant', mchid);
  return merchant ? encrypt(plaintext, merchant.publicKey) : ciphertext;
}
