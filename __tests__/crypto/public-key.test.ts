import { generateKeyPairSync, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { certificateOf, type KeyInput, loadPublicKey, serialOf } from '../../lib/crypto/keys';
import { ConfigurationError } from '../../lib/errors';
import { pem, rsaKeyPair, selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';
import { expectNoLeak } from './support';

const SERIAL = 'B775B6A45ACD588826D15E583A95F5DD01020304';
const { privateKey, publicKey } = rsaKeyPair();
const folder = mkdtempSync(join(tmpdir(), 'wechatpay-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const spkiDer = publicKey.export({ type: 'spki', format: 'der' });
const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const pkcs1Der = publicKey.export({ type: 'pkcs1', format: 'der' });
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const certificate = selfSigned({ serial: SERIAL });
const { raw } = new X509Certificate(certificate);
const certificateUrl = pathToFileURL(join(folder, 'cert.pem'));
writeFileSync(certificateUrl, certificate);

const certificates: [string, KeyInput][] = [
  ['a certificate', certificate],
  ['a certificate with \\n written out', certificate.replaceAll('\n', '\\n')],
  ['a certificate in DER', raw],
  ['an X509Certificate', new X509Certificate(certificate)],
  ['a file:// URL of a certificate', certificateUrl],
  ['a certificate behind its private key', pkcs8 + certificate],
];

const keys: [string, KeyInput][] = [
  ['SPKI', spki],
  ['PKCS#1', pkcs1],
  ['PEM with \\n written out', spki.replaceAll('\n', '\\n')],
  ['PEM with CR LF', pkcs1.replaceAll('\n', '\r\n')],
  ['PKCS#1 under the label of SPKI', pem('PUBLIC KEY', pkcs1Der)],
  ['the bytes of PEM', Buffer.from(spki)],
  ['the bytes of SPKI', spkiDer],
  ['the bytes of PKCS#1', new Uint8Array(pkcs1Der)],
  ['public.spki://', `public.spki://${spkiDer.toString('base64')}`],
  ['public.pkcs1://', `public.pkcs1://${pkcs1Der.toString('base64')}`],
  ['a KeyObject', publicKey],
];

describe('loadPublicKey', () => {
  test.each([...keys, ...certificates])('takes %s', (_, input) => {
    const key = loadPublicKey(input) as KeyObject;
    expect(key.type).toBe('public');
    expect(key.equals(publicKey)).toBe(true);
  });

  test('takes a CryptoKey as it is, if it is for the use', async () => {
    const verifying = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const key = await webcrypto.subtle.importKey('spki', spkiDer, verifying, false, ['verify']);
    expect(loadPublicKey(key)).toBe(key);
    expect(() => loadPublicKey(key, 'publicKey', 'encrypt')).toThrow(/; RSA-OAEP with SHA-1 is required/);
  });

  test.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /^"publicKey" is undefined/],
    ['a private key', pkcs8, /should hold WeChat Pay's RSA public key or platform certificate; found a private key/],
    ['a private KeyObject', privateKey, /KeyObject of the type "private"/],
    [
      'private.pkcs8://',
      `private.pkcs8://${privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')}`,
      /a private key/,
    ],
    ['an EC key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, /a key for EC; RSA .* is required/],
    ['1024 bits', rsaKeyPair(1024).publicKey, /a 1024-bit key/],
    ['a certificate of 1024 bits', selfSigned({ pair: rsaKeyPair(1024) }), /a 1024-bit key/],
    [
      'a damaged certificate',
      pem('CERTIFICATE', Buffer.from(raw).fill(0, 30, 60)),
      /a certificate that cannot be read|damaged/,
    ],
    ['a path', '/etc/pub_key.pem', /looks like a path/],
    ['a key with a passphrase', { key: spki, passphrase: 'x' }, /of type object/],
  ])('refuses %s', async (_, input, message) => {
    const error = await rejection(() => loadPublicKey(input as KeyInput));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(message);
    expectNoLeak(error, `${pkcs8} ${spki}`);
  });
});

describe('certificateOf', () => {
  test.each(certificates)('finds %s', (_, input) => {
    const found = certificateOf(input);
    expect(found).toBeInstanceOf(X509Certificate);
    expect(found && serialOf(found)).toBe(SERIAL);
  });

  test.each([...keys, ['a private key', pkcs8], ['garbage', 'x'], ['a file that is missing', 'file:///no/such.pem']])(
    'finds none in %s',
    (_, input) => {
      expect(certificateOf(input as KeyInput)).toBeUndefined();
    },
  );
});

test('serialOf keeps the zeros in front that make the digits pair', () => {
  const { serialNumber } = new X509Certificate(selfSigned({ serial: '0abc' }));
  expect(serialOf(new X509Certificate(selfSigned({ serial: '0abc' })))).toBe('0ABC');
  expect(serialNumber).toBe('0ABC');
});
