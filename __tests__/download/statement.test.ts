import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { checkDigest, signedStatement, statementDigest } from '../../lib/download/digest';
import { SignatureError } from '../../lib/errors';
import { response } from '../../lib/signature/formatter';

const SHA1 = createHash('sha1').update('statement').digest('hex');
const headers = { 'wechatpay-statement-sha1': SHA1 };

const named = (sha1: string) => ({ 'wechatpay-statement-sha1': sha1 });

test.each<[string, Record<string, string>, string | undefined]>([
  ['/hk/v3/statements?date=20180130&mchid=1900000109', headers, `{"sha1":"${SHA1}"}`],
  ['/v3/global/statements', headers, `{"sha1":"${SHA1}"}`],
  ['/V3/Global/Statements?date=20180130', headers, `{"sha1":"${SHA1}"}`],
  ['/v3/global/statements/', headers, `{"sha1":"${SHA1}"}`],
  // Behind a proxy, whose root the configured `baseUrl` is.
  ['/wechatpay/v3/global/statements', headers, `{"sha1":"${SHA1}"}`],
  ['/v3/statements?date=20180130', headers, `{"sha1":"${SHA1}"}`],
  ['/v3/global/statements', named(SHA1.toUpperCase()), `{"sha1":"${SHA1.toUpperCase()}"}`],
  ['/v3/global/statements/x', headers, undefined],
  ['/v3/my-statements', headers, undefined],
  ['/v3/certificates', headers, undefined],
  ['/v3/certificates?/v3/global/statements', headers, undefined],
  ['/v3/certificates', {}, undefined],
])('%s %j is signed over %s', (target, received, expected) => {
  expect(signedStatement(target, received)).toBe(expected);
});

describe.each(['/hk/v3/statements?date=20180130', '/v3/global/statements', '/V3/GLOBAL/statements', '/v3/statements'])(
  '%s',
  (target) => {
    test.each<[string, string | string[] | undefined]>([
      ['is missing', undefined],
      ['is repeated', [SHA1, SHA1]],
      ['is repeated', [SHA1]],
      ['is not a SHA-1 hash', ''],
      ['is not a SHA-1 hash', `${SHA1}","a":"`],
      ['is not a SHA-1 hash', `${SHA1}, ${SHA1}`],
      ['is not a SHA-1 hash', SHA1.slice(1)],
    ])('the header %s: %j', (found, sha1) => {
      const received = { 'wechatpay-statement-sha1': sha1, 'wechatpay-serial': 'S', 'request-id': 'R' };
      expect(() => signedStatement(target, received)).toThrow(SignatureError);
      const error = {
        code: 'ERR_SIGNATURE_MISSING',
        serial: 'S',
        requestId: 'R',
        message: expect.stringContaining(found),
      };
      expect(() => signedStatement(target, received)).toThrow(expect.objectContaining(error));
    });
  },
);

test('the signature covers the hash, the hash the body', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('sha256', Buffer.from(`1700000000\nNONCE\n{"sha1":"${SHA1}"}\n`), privateKey);
  const signed = signedStatement('/v3/global/statements', headers);
  expect(verify('sha256', Buffer.from(response(1700000000, 'NONCE', signed)), publicKey, signature)).toBe(true);

  const digest = statementDigest(headers);
  expect(digest).toEqual({ hash_type: 'SHA1', hash_value: SHA1 });
  const text = (body: string) => new Response(checkDigest(new Blob([body]).stream(), digest as never)).text();
  expect(await text('statement')).toBe('statement');
  await expect(text('statemenT')).rejects.toThrow();
});

test.each<[Record<string, string>, string | undefined]>([
  [{ ...headers, 'content-encoding': 'gzip' }, 'GZIP'],
  [{ ...headers, 'content-encoding': 'X-GZip' }, 'GZIP'],
  [{ ...headers, 'content-encoding': 'identity' }, undefined],
  [{ ...headers, 'content-encoding': '' }, undefined],
  [headers, undefined],
])('%j is zipped as %s', (received, expected) => {
  expect(statementDigest(received)?.tar_type).toBe(expected);
});

test.each(['br', 'gzip, gzip', ['gzip', 'gzip']])('%j cannot be checked', (encoding) => {
  const digest = () => statementDigest({ ...headers, 'content-encoding': encoding });
  expect(digest).toThrow(expect.objectContaining({ name: 'BodyError', code: 'ERR_BODY_DIGEST' }));
});

test('a response without the header has no hash', () => {
  expect(statementDigest({})).toBeUndefined();
});
