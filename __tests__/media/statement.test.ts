import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { response } from '../../lib/format/formatter';
import { checkDigest } from '../../lib/media/digest';
import { signedStatement, statementDigest } from '../../lib/media/statement';

const SHA1 = createHash('sha1').update('statement').digest('hex');
const headers = { 'wechatpay-statement-sha1': SHA1 };

test.each<[string, Record<string, string | string[]>, string | undefined]>([
  ['/hk/v3/statements?date=20180130&mchid=1900000109', headers, `{"sha1":"${SHA1}"}`],
  ['/v3/global/statements', headers, `{"sha1":"${SHA1}"}`],
  ['/V3/Global/Statements?date=20180130', headers, `{"sha1":"${SHA1}"}`],
  ['/v3/global/statements', { 'wechatpay-statement-sha1': SHA1.toUpperCase() }, `{"sha1":"${SHA1.toUpperCase()}"}`],
  ['/v3/global/statements', {}, undefined],
  ['/v3/global/statements', { 'wechatpay-statement-sha1': `${SHA1}","a":"` }, undefined],
  ['/v3/global/statements', { 'wechatpay-statement-sha1': [SHA1, SHA1] }, undefined],
  ['/v3/global/statements/x', headers, undefined],
  ['/v3/certificates', headers, undefined],
  ['/v3/certificates?/v3/global/statements', headers, undefined],
])('%s %j is signed over %s', (target, received, expected) => {
  expect(signedStatement(target, received)).toBe(expected);
});

test('the signature covers the hash, the hash the body', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('sha256', Buffer.from(`1700000000\nNONCE\n{"sha1":"${SHA1}"}\n`), privateKey);
  const signed = signedStatement('/v3/global/statements', headers);
  expect(verify('sha256', Buffer.from(response(1700000000, 'NONCE', signed)), publicKey, signature)).toBe(true);

  const digest = statementDigest(headers);
  expect(digest).toEqual({ hash_type: 'SHA1', hash_value: SHA1, tar_type: undefined });
  const text = (body: string) => new Response(checkDigest(new Blob([body]).stream(), digest as never)).text();
  expect(await text('statement')).toBe('statement');
  await expect(text('statemenT')).rejects.toThrow();
});

test.each<[Record<string, string>, string | undefined]>([
  [{ ...headers, 'content-encoding': 'gzip' }, 'gzip'],
  [headers, undefined],
])('%j is zipped as %s', (received, expected) => {
  expect(statementDigest(received)?.tar_type).toBe(expected);
});

test('an answer without the header has no hash', () => {
  expect(statementDigest({})).toBeUndefined();
});
