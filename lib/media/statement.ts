import type { ReceivedHeaders } from '../crypto/platform-signature';
import type { FileDigest } from './digest';
import { isDigest } from './fingerprint';

/** The overseas statements: their answer is signed over the hash of its body, since the body may be long. */
const STATEMENTS: ReadonlySet<string> = new Set(['/hk/v3/statements', '/v3/global/statements']);
const HEADER = 'wechatpay-statement-sha1';

/**
 * What stands for the body where WeChat Pay signs the answer to a download of an overseas statement: `{"sha1":"…"}` with
 * the header `Wechatpay-Statement-Sha1` as it is.
 *
 * The rule is not documented by WeChat Pay; it is that of wechatpay-php since 1.4.5 (pull requests 95 and 112).
 * @param target path of the request, with or without its query
 * @param headers headers of the answer
 * @returns the text, to be verified in place of the body; `undefined` where the answer is signed as any other
 * @see https://pay.weixin.qq.com/doc/global/v3/en/4012356934
 */
export function signedStatement(target: string, headers: ReceivedHeaders): string | undefined {
  const path = target.split('?', 1)[0] as string;
  const sha1 = headers[HEADER];
  return STATEMENTS.has(path.toLowerCase()) && isDigest('sha1', sha1) ? `{"sha1":"${sha1}"}` : undefined;
}

/**
 * The hash that the body of an overseas statement must have, for `checkDigest`: without that check, the signature says
 * nothing of the body.
 * @param headers headers of the answer
 * @returns `undefined` where it names no hash
 */
export function statementDigest(headers: ReceivedHeaders): FileDigest | undefined {
  const sha1 = headers[HEADER];
  if (!isDigest('sha1', sha1)) return undefined;
  return { hash_type: 'SHA1', hash_value: sha1, tar_type: headers['content-encoding']?.toString() };
}
