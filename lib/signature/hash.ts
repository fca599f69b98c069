import { createHash, createHmac, getHashes, timingSafeEqual } from 'node:crypto';
import { bytesOf } from '../crypto/bytes';
import { InvalidArgumentError } from '../errors';
import { queryStringLike, sortedEntries } from '../format/fields';

/** How v2 signs, by the `sign_type`. */
export type SignType = 'MD5' | 'HMAC-SHA256';

const SIGNERS: Record<SignType, (message: string, key: string | Uint8Array) => string> = {
  MD5: md5,
  'HMAC-SHA256': hmac,
};

/**
 * MD5, over the message and, where there is a key, `&key=` and the key behind it, as v2 signs.
 * @param message text, which is taken as UTF-8, or bytes
 * @param key the APIv2 key; without it the MD5 is that of the message alone
 * @param agency anything truthy (`true`, the agent id) for a key of WeCom (企业微信), which goes behind `&secret=`
 * @returns lower-case hexadecimal
 * @see https://developer.work.weixin.qq.com/document/path/90281
 */
export function md5(
  message: string | Uint8Array,
  key: string | Uint8Array = '',
  agency: boolean | number | string = false,
): string {
  const hash = createHash('md5').update(bytesOf(message, 'message'));
  const secret = bytesOf(key, 'key');
  if (secret.length > 0) hash.update(agency ? '&secret=' : '&key=').update(secret);
  return hash.digest('hex');
}

/**
 * HMAC as v2 signs: keyed with the key, and over the message with `&key=` and the key behind it.
 * @param message text, which is taken as UTF-8, or bytes
 * @param key the APIv2 key
 * @param algorithm a hash of OpenSSL
 * @returns lower-case hexadecimal
 * @throws {@link InvalidArgumentError} where OpenSSL has no such hash
 */
export function hmac(message: string | Uint8Array, key: string | Uint8Array, algorithm = 'sha256'): string {
  if (!getHashes().includes(algorithm)) {
    throw new InvalidArgumentError('"algorithm" must be a hash that OpenSSL supports, such as sha256 or sha512.');
  }
  const secret = bytesOf(key, 'key');
  return createHmac(algorithm, secret).update(bytesOf(message, 'message')).update('&key=').update(secret).digest('hex');
}

/**
 * The signature of v2.
 * @param type the `sign_type`
 * @param data the fields: all are signed but `sign` and those that are `''`, `null` or `undefined`, in the order of
 * their names. Or the text to sign, ready made
 * @param key the APIv2 key
 * @returns upper-case hexadecimal
 * @throws {@link InvalidArgumentError} for another type, an empty key, or a field that is `false`, an array or an object
 * @example const sign = Hash.sign('MD5', { appid, mch_id, nonce_str, body: 'test' }, apiv2Key);
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=4_3
 */
export function sign(
  type: SignType,
  data: Readonly<Record<string, unknown>> | string,
  key: string | Uint8Array,
): string {
  if (!Object.keys(SIGNERS).includes(type)) {
    throw new InvalidArgumentError(`The sign type must be one of ${Object.keys(SIGNERS).join(', ')}.`);
  }
  if (bytesOf(key, 'key').length === 0) throw new InvalidArgumentError('"key" is empty: pass the APIv2 key.');
  if (typeof data !== 'string' && (typeof data !== 'object' || data === null || Array.isArray(data))) {
    throw new InvalidArgumentError('"data" must be an object of fields, or the string to sign.');
  }
  const message = typeof data === 'string' ? data : queryStringLike(sortedEntries(data));
  return SIGNERS[type](message, key).toUpperCase();
}

/**
 * Compares in a time that does not tell how much of the text is right.
 * @param known the text that should be
 * @param user the text that came; `undefined` or `null` where none did, which equals nothing
 */
export function equals(known: string, user?: string | null): boolean {
  if (typeof known !== 'string' || typeof user !== 'string') return false;
  const [one, other] = [Buffer.from(known), Buffer.from(user)];
  return one.length === other.length && timingSafeEqual(one, other);
}
