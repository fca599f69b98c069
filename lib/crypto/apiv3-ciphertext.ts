import { ConfigurationError } from '../errors';
import * as AesGcm from './aes-gcm';

/** What WeChat Pay writes beside a ciphertext: what came, whatever it is. */
export interface Apiv3Ciphertext {
  ciphertext: unknown;
  nonce: unknown;
  associated_data: unknown;
}

/**
 * Decrypts what WeChat Pay has encrypted with the APIv3 key of a merchant.
 * @param issue begins the error: what cannot be decrypted
 * @throws {@link ConfigurationError} where that fails; most likely it is another key
 */
export async function decryptApiv3(
  { ciphertext, nonce, associated_data }: Apiv3Ciphertext,
  apiv3Key: Uint8Array,
  issue: string,
): Promise<string> {
  try {
    return await AesGcm.decrypt(String(ciphertext), apiv3Key, String(nonce ?? ''), String(associated_data ?? ''));
  } catch (cause) {
    throw new ConfigurationError(
      `${issue} Most likely "apiv3Key" is not the APIv3 key of this merchant, or is no longer: compare it with the ` +
        'merchant platform (账户中心 → API安全).',
      { cause },
    );
  }
}
