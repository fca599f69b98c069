import { createHash } from 'node:crypto';
import { BodyError } from '../errors';
import { type DecryptingKey, decryptApiv3 } from '../signature/api-key';
import type { PlatformKeys } from '../signature/platform-keys';
import { verifyPlatformSignature } from '../signature/platform-signature';
import { BRAND_SCHEME } from '../signature/scheme';
import type { RawRequest } from './request';
import type { V3Notification } from './types';

/**
 * Verifies a notification of APIv3, or of a brand, over its raw bytes, then decrypts its `resource`.
 * @param apiKey decrypts it
 * @param option the one that this key was configured by
 * @throws {@link SignatureError} that says which check failed
 * @throws {@link ConfigurationError} if the content cannot be decrypted
 * @throws {@link BodyError} if the body or its content is not JSON
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012071382
 * @see https://pay.weixin.qq.com/doc/brand/4015407591
 */
export async function parseV3(
  { headers, body }: RawRequest,
  keys: PlatformKeys,
  apiKey: Uint8Array,
  option: DecryptingKey = 'apiv3Key',
): Promise<V3Notification> {
  await verifyPlatformSignature(headers, body, keys, undefined, option === 'brandApiKey' ? BRAND_SCHEME : undefined);
  const envelope = readJson(body.toString(), 'body');
  const { id, create_time, event_type, resource_type, summary, resource } = envelope as Partial<V3Notification>;
  const { ciphertext, nonce, associated_data } = Object(resource) as Record<string, unknown>;
  return {
    protocol: 'v3',
    // Notifications without an id must not be treated as the same one.
    id: typeof id === 'string' && id !== '' ? id : contentId(body),
    create_time: create_time ?? '',
    event_type: event_type ?? '',
    resource_type: resource_type ?? '',
    summary: summary ?? '',
    resource:
      ciphertext === undefined
        ? Object(resource)
        : readJson(await decrypt(ciphertext, apiKey, nonce, associated_data, option), 'content'),
    envelope,
  };
}

/**
 * Decrypts the content of a verified notification.
 * @throws {@link ConfigurationError} if decryption fails
 */
export function decrypt(
  ciphertext: unknown,
  key: Uint8Array,
  nonce: unknown,
  aad: unknown,
  option?: DecryptingKey,
): Promise<string> {
  const issue = 'The notification is signed by WeChat Pay, but its content cannot be decrypted.';
  return decryptApiv3({ ciphertext, nonce, associated_data: aad }, key, issue, option);
}

/** An id for a notification without one: a hash of its content. */
export function contentId(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The error of `JSON.parse` would quote the input. */
function readJson(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw new BodyError('ERR_BODY_NOT_JSON', `The notification ${what} is not a JSON object.`);
}
