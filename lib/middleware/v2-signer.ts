import * as Hash from '../crypto/hash';
import { InvalidArgumentError } from '../errors';
import { encodeComponent } from '../format/encode';
import { nonce } from '../format/formatter';
import { toObject, toXml } from '../format/transformer';
import { isMedia } from '../media/media';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { trustedOrigins } from './origins';
import { type SignableRequest, signing } from './signing';

/** What the signer of v2 needs. */
export interface V2SignerConfig {
  /** Merchant id: a request must be of this merchant. */
  mchid: string;
  /** The APIv2 key. */
  secret: string;
  /** A root of the API to sign for, besides WeChat Pay's own hosts. */
  baseUrl?: string | URL;
}

/** The fields that may hold the merchant id, in the order in which they are looked for. */
const MERCHANT_FIELDS = ['mch_id', 'mchid', 'combine_mch_id'];

/**
 * An interceptor of undici that signs requests as v2 wants it: `nonce_str` and `sign` join the fields of the XML body,
 * or those of the query of a GET; of an upload, `sign` joins its fields. The field `sign_type` chooses between MD5, the default, and HMAC-SHA256.
 * @throws {@link ConfigurationError} where the base URL cannot be used
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=4_3
 */
export function v2Signer({ mchid, secret, baseUrl }: V2SignerConfig): Interceptor {
  const signFields = (fields: Record<string, unknown>, { nonceless = false }: SignedDispatchOptions) => {
    const found = MERCHANT_FIELDS.map((name) => fields[name]).find(Boolean);
    if (String(found ?? '') !== mchid) {
      const were = found === undefined ? 'are missing' : `say ${String(found)}`;
      throw new InvalidArgumentError(`The fields ${MERCHANT_FIELDS.join(', ')} ${were}: one must be "${mchid}".`);
    }
    const once = nonceless || Object.hasOwn(fields, 'nonce_str') ? fields : { ...fields, nonce_str: nonce() };
    return { ...once, sign: Hash.sign(signType(fields), once, secret) };
  };

  return signing(
    trustedOrigins(baseUrl),
    async ({ method, path, body }, options): Promise<Partial<SignableRequest>> => {
      if (isMedia(body)) return { body: body.withFields(signFields(body.fields, { ...options, nonceless: true })) };
      if (method !== 'GET') return { body: toXml(signFields(toObject(body || '<xml/>'), options)) };
      const [pathname = '', query = ''] = path.split(/\?(.*)/s);
      return { path: `${pathname}?${writeFields(signFields(readFields(query), options))}`, body: null };
    },
  );
}

function signType({ sign_type }: Record<string, unknown>): Hash.SignType {
  const type = sign_type || 'MD5';
  if (type === 'MD5' || type === 'HMAC-SHA256') return type;
  throw new InvalidArgumentError('The field "sign_type" must be MD5 or HMAC-SHA256, or be left out.');
}

function readFields(query: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (Object.hasOwn(fields, name) || name.endsWith(']')) {
      throw new InvalidArgumentError(`The field "${name}" is a list, which v2 cannot sign: give text.`);
    }
    fields[name] = value;
  }
  return fields;
}

function writeFields(fields: Record<string, string | unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${encodeComponent(name)}=${encodeComponent(String(value))}`)
    .join('&');
}
