import * as AesEcb from '../crypto/aes-ecb';
import { ApiError, BodyError, ConfigurationError, SignatureError } from '../errors';
import { sortedEntries } from '../format/fields';
import { toObject } from '../format/transformer';
import * as Hash from '../signature/hash';
import { isKind, refuseSecondReading } from '../signature/v2-readings';
import type { RawRequest } from './request';
import type { V2Notification } from './types';
import { contentId, decrypt } from './v3';

type Fields = Record<string, unknown>;

const HMAC_LENGTH = 64;

/** Pieces of markup: a notification has some thirty elements, plus two for each coupon. */
const MAX_MARKUP = 1000;

/** Maximum length of `req_info`, which has about a thousand characters. */
const MAX_REQ_INFO = 32 * 1024;

/** Excluded from the id, because repeats may differ in it. */
const VARYING = new Set(['nonce_str', 'sign']);

/**
 * Verifies a v2 notification by its `sign` and decrypts it. Refund notifications have no `sign`; their `req_info` can
 * only be decrypted, so `verified` is `false`.
 *
 * Other data signed by a merchant (redirect URLs, codes, parameters for pages) is not a notification and is refused, and
 * so is a message that can be split into a different one. Still check `result_code`, the order and the amount.
 * @param secret the APIv2 key
 * @param apiv3Key required by the few notifications that have an `event_ciphertext`
 * @throws {@link SignatureError} if neither `sign` nor `req_info` is valid
 * @throws {@link ApiError} if `return_code` is present and not SUCCESS
 * @throws {@link BodyError} if the body is not XML
 * @throws {@link ConfigurationError} if `event_ciphertext` cannot be decrypted
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_7
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_16
 */
export async function parseV2(
  { body }: RawRequest,
  secret: string,
  apiv3Key: Uint8Array | undefined,
): Promise<V2Notification> {
  const fields = toObject(body, { size: body.length, markup: MAX_MARKUP });
  const { sign, return_code, req_info, event_type, event_id } = fields;
  if (sign !== undefined) verifySign(fields, secret);
  if (return_code !== undefined && return_code !== 'SUCCESS') throw refusal(fields);
  if (sign === undefined && req_info === undefined) {
    throw new SignatureError('ERR_SIGNATURE_MISSING', 'The notification has neither "sign" nor "req_info".');
  }
  const resource = await open(fields, secret, apiv3Key);
  const content = sortedEntries(resource).filter(([name]) => !VARYING.has(name));
  return {
    protocol: 'v2',
    id: typeof event_id === 'string' && sign ? event_id : contentId(JSON.stringify(content)),
    event_type: typeof event_type === 'string' && sign ? event_type : undefined,
    resource,
    envelope: fields,
    verified: sign !== undefined,
  };
}

function verifySign(fields: Fields, secret: string): void {
  const { sign } = fields;
  const composed = Object.values(fields).some((value) => typeof value !== 'string');
  const type = String(sign).length === HMAC_LENGTH ? 'HMAC-SHA256' : 'MD5';
  if (composed || !Hash.equals(Hash.sign(type, fields, secret), String(sign))) {
    throw new SignatureError('ERR_SIGNATURE_WRONG', 'The field "sign" does not match the fields and the APIv2 key.');
  }
  // Parameters for pages and apps are signed with the same key, but lack the members of a notification.
  if (!isKind(fields)) {
    throw new SignatureError(
      'ERR_SIGNATURE_WRONG',
      'The signed fields are not those of a notification (such as "mch_id" and "return_code", or "event_type"): this ' +
        'is something else signed with the APIv2 key, such as a redirect URL.',
    );
  }
  refuseSecondReading(fields, 'notification');
}

async function open(fields: Fields, secret: string, apiv3Key: Uint8Array | undefined): Promise<Fields> {
  const { req_info, event_ciphertext, event_nonce, event_associated_data } = fields;
  if (req_info !== undefined) return openRefund(String(req_info), secret);
  if (event_ciphertext === undefined) return fields;
  if (!apiv3Key)
    throw new ConfigurationError('The notification has an encrypted "event_ciphertext"; configure "apiv3Key".');
  return toObject(await decrypt(event_ciphertext, apiv3Key, event_nonce, event_associated_data));
}

async function openRefund(ciphertext: string, secret: string): Promise<Fields> {
  if (ciphertext.length > MAX_REQ_INFO) {
    throw new BodyError('ERR_BODY_TOO_LARGE', `"req_info" is longer than the ${MAX_REQ_INFO} characters allowed.`);
  }
  try {
    return toObject(await AesEcb.decrypt(ciphertext, Hash.md5(secret)));
  } catch (cause) {
    throw new SignatureError(
      'ERR_SIGNATURE_WRONG',
      'The field "req_info" cannot be decrypted: it is forged, or "secret" is not this merchant\'s APIv2 key.',
      { cause },
    );
  }
}

function refusal({ return_code, return_msg }: Fields): ApiError {
  const code = String(return_code);
  const message =
    typeof return_msg === 'string' && return_msg !== '' ? return_msg : 'The notification reports a failure.';
  return new ApiError({
    request: 'notification',
    status: 200,
    code,
    message,
    return_code: code,
    headers: new Headers(),
    body: '',
  });
}
