import { createHash, createHmac, getHashes, timingSafeEqual } from 'node:crypto';
import { bytesOf } from '../crypto/bytes';
import { InvalidArgumentError } from '../errors';
import { queryStringLike, sortedEntries } from '../format/fields';

/** The signature algorithms of v2, by `sign_type`. */
export type SignType = 'MD5' | 'HMAC-SHA256';

const SIGNERS: Record<SignType, (message: string, key: string | Uint8Array) => string> = {
  MD5: md5,
  'HMAC-SHA256': hmac,
};

/**
 * MD5 over the message and, if there is a key, `&key=` and the key, as v2 signs.
 * @param message a string, encoded as UTF-8, or bytes
 * @param key the APIv2 key; without it, only the message is hashed
 * @param agency anything truthy (`true`, the agent id) for a WeCom (企业微信) key, which is appended after `&secret=`
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
 * HMAC as v2 signs: keyed with the key, over the message followed by `&key=` and the key.
 * @param message a string, encoded as UTF-8, or bytes
 * @param key the APIv2 key
 * @param algorithm a hash that OpenSSL supports
 * @returns lower-case hexadecimal
 * @throws {@link InvalidArgumentError} if OpenSSL does not support the hash
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
 * @param data the fields: all are signed, sorted by name, except `sign` and those that are `''`, `null` or
 * `undefined`. Or the complete string to sign
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
 * Compares in a time that does not reveal how much of the string matches.
 * @param known the expected string
 * @param user the received string; `undefined` or `null` equals nothing
 */
export function equals(known: string, user?: string | null): boolean {
  if (typeof known !== 'string' || typeof user !== 'string') return false;
  const [one, other] = [Buffer.from(known), Buffer.from(user)];
  return one.length === other.length && timingSafeEqual(one, other);
}
