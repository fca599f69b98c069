import { unescape as decode } from 'node:querystring';
import { InvalidArgumentError } from '../errors';
import { toObject, toXml } from '../format/transformer';
import { encodeComponent } from '../format/url';
import { nonce } from '../signature/formatter';
import * as Hash from '../signature/hash';
import { MERCHANT_FIELDS, refuseAmbiguousRequest } from '../signature/v2-readings';
import { isMedia } from '../upload/media';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { type SignableRequest, signing, trustedOrigins } from './signing';

/** Options of the v2 signer. */
export interface V2SignerConfig {
  /** Merchant id; requests must be for this merchant. */
  mchid: string;
  /** The APIv2 key. */
  secret: string;
  /** A base URL to sign for, in addition to WeChat Pay's own hosts. */
  baseUrl?: string | URL;
  /** Further ones. */
  baseUrls?: readonly (string | URL)[];
  /** All origins to sign for, instead of both. @internal */
  origins?: ReadonlySet<string>;
}

/**
 * An interceptor of undici that signs requests as v2 wants it: `nonce_str` and `sign` join the fields of the XML body,
 * or those of the query of a GET; of an upload, `sign` joins its fields. The body is text of XML, or its fields as the
 * option `fields`. The field `sign_type` chooses between MD5, the
 * default, and HMAC-SHA256.
 *
 * A request whose signature would also be valid for a different message, because of a `&` in one of its fields, fails with
 * an {@link InvalidArgumentError} and is not sent.
 * @throws {@link ConfigurationError} if the base URL is not valid
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=4_3
 */
export function v2Signer({ mchid, secret, ...bases }: V2SignerConfig): Interceptor {
  const signFields = (fields: Record<string, unknown>, { nonceless = false }: SignedDispatchOptions) => {
    const found = MERCHANT_FIELDS.map((name) => fields[name]).find(Boolean);
    if (String(found ?? '') !== mchid) {
      const were = found === undefined ? 'are missing' : `are ${String(found)}`;
      throw new InvalidArgumentError(`The fields ${MERCHANT_FIELDS.join(', ')} ${were}; one must be "${mchid}".`);
    }
    const withNonce = nonceless || Object.hasOwn(fields, 'nonce_str') ? fields : { ...fields, nonce_str: nonce() };
    refuseAmbiguousRequest(withNonce);
    return { ...withNonce, sign: Hash.sign(signType(fields), withNonce, secret) };
  };

  return signing(
    bases.origins ?? trustedOrigins(bases),
    async ({ method, path, headers, body }, options): Promise<Partial<SignableRequest>> => {
      if (isMedia(body)) return { body: body.withFields(signFields(body.fields, { ...options, nonceless: true })) };
      if (method !== 'GET') {
        // `fetch` has set a length that is no longer correct.
        const { 'content-length': _, ...rest } = headers;
        const signed = signFields(fieldsOf(body, options), options);
        return { headers: rest, body: toXml(signed), fields: signed };
      }
      const [pathname = '', query = ''] = path.split(/\?(.*)/s);
      return { path: `${pathname}?${writeFields(signFields(readFields(query), options))}`, body: null };
    },
  );
}

/** The fields of a body of XML, or those that came in its place. */
function fieldsOf(body: string | Uint8Array | null, { fields = {} }: SignedDispatchOptions): Record<string, unknown> {
  return body?.length ? toObject(body) : fields;
}

function signType({ sign_type }: Record<string, unknown>): Hash.SignType {
  const type = sign_type || 'MD5';
  if (type === 'MD5' || type === 'HMAC-SHA256') return type;
  throw new InvalidArgumentError('The field "sign_type" must be MD5 or HMAC-SHA256, or omitted.');
}

/** The fields of a query by name; `null` for a name without `=`. */
function readFields(query: string): Record<string, string | null> {
  const fields = new Map<string, string | null>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', value] = pair.replaceAll('+', ' ').split(/=(.*)/s).map(decode);
    if (fields.has(name)) {
      throw new InvalidArgumentError(`The field "${name}" appears more than once; v2 can sign it only once.`);
    }
    fields.set(name, value ?? null);
  }
  return Object.fromEntries(fields);
}

function writeFields(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => encodeComponent(name) + (value === null ? '' : `=${encodeComponent(String(value))}`))
    .join('&');
}
