import type { ReceivedHeaders } from '../crypto/platform-signature';
import { BodyError, SignatureError } from '../errors';
import type { FileDigest } from './digest';
import { isDigest } from './fingerprint';

/**
 * The overseas statements (`hk/v3/statements`, `v3/global/statements`), whatever the root of the API. The response is
 * signed over the hash of its body, since the body may be long.
 */
const STATEMENTS = /\/v3\/(?:global\/)?statements\/*$/i;
const HEADER = 'wechatpay-statement-sha1';

/** Values of `Content-Encoding`. */
const PLAIN = /^(?:identity)?$/i;
const ZIPPED = /^(?:x-)?gzip$/i;

/**
 * What stands for the body where WeChat Pay signs the answer to a download of an overseas statement: `{"sha1":"…"}` with
 * the header `Wechatpay-Statement-Sha1` as it is.
 *
 * The rule is not documented by WeChat Pay; it is that of wechatpay-php since 1.4.5 (pull requests 95 and 112).
 * @param target path of the request, with or without its query
 * @param headers headers of the answer
 * @returns the text, to be verified in place of the body; `undefined` for any other path
 * @throws {@link SignatureError} `ERR_SIGNATURE_MISSING` where the header is missing, repeated or not a SHA-1 hash: it is
 * all that the signature covers, and without it anything could take the place of the statement
 * @see https://pay.weixin.qq.com/doc/global/v3/en/4012356934
 */
export function signedStatement(target: string, headers: ReceivedHeaders): string | undefined {
  if (!STATEMENTS.test(target.split('?', 1)[0] as string)) return undefined;
  const sha1 = headers[HEADER];
  if (isDigest('sha1', sha1)) return `{"sha1":"${sha1}"}`;
  const found = sha1 === undefined ? 'is missing' : Array.isArray(sha1) ? 'is repeated' : 'is not a SHA-1 hash';
  throw new SignatureError(
    'ERR_SIGNATURE_MISSING',
    `The header "${HEADER}" ${found}: without it, the signature does not cover the statement.`,
    { serial: text(headers['wechatpay-serial']), requestId: text(headers['request-id']) },
  );
}

/**
 * The hash that the body of an overseas statement must have, for `checkDigest`: without that check, the signature says
 * nothing of the body.
 * @param headers headers of the answer
 * @returns `undefined` where it names no hash
 * @throws {@link BodyError} `ERR_BODY_DIGEST` where the body is compressed with anything but gzip
 */
export function statementDigest(headers: ReceivedHeaders): FileDigest | undefined {
  const sha1 = headers[HEADER];
  if (!isDigest('sha1', sha1)) return undefined;
  const encoding = headers['content-encoding'];
  if (encoding === undefined || PLAIN.test(String(encoding))) return { hash_type: 'SHA1', hash_value: sha1 };
  if (ZIPPED.test(String(encoding))) return { hash_type: 'SHA1', hash_value: sha1, tar_type: 'GZIP' };
  throw new BodyError(
    'ERR_BODY_DIGEST',
    'The "content-encoding" of the statement is not gzip: its hash cannot be checked.',
  );
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? undefined : value;
}
