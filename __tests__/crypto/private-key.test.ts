import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Crypto } from '@peculiar/webcrypto';
import { loadPrivateKey, type PrivateKeyInput } from '../../lib/crypto/keys';
import { ConfigurationError } from '../../lib/errors';
import { der, pem, rsaKeyPair, selfSigned, sequence } from '../support/keys';
import { rejection } from '../support/rejection';
import { expectNoLeak } from './support';

const PASSPHRASE = 'correct horse battery';
const { privateKey, publicKey } = rsaKeyPair();
const folder = mkdtempSync(join(tmpdir(), 'wechatpay-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const pkcs8Der = privateKey.export({ type: 'pkcs8', format: 'der' });
const pkcs1Der = privateKey.export({ type: 'pkcs1', format: 'der' });
const lock = { cipher: 'aes-256-cbc', passphrase: PASSPHRASE };
const lockedPkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem', ...lock }).toString();
const lockedPkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem', ...lock }).toString();
const lockedDer = privateKey.export({ type: 'pkcs8', format: 'der', ...lock });
const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const certificate = selfSigned();

const file = (name: string, content: string | Buffer): URL => {
  writeFileSync(join(folder, name), content);
  return pathToFileURL(join(folder, name));
};

describe('loadPrivateKey takes', () => {
  const forms: [string, PrivateKeyInput][] = [
    ['PKCS#8 PEM', pkcs8],
    ['PKCS#1 PEM', pkcs1],
    ['PEM with \\n written out', pkcs8.replaceAll('\n', '\\n')],
    ['PEM with \\r\\n written out', pkcs1.replaceAll('\n', '\\r\\n')],
    ['PEM with \\n escaped twice', pkcs8.replaceAll('\n', '\\\\n')],
    ['PEM with CR LF', pkcs8.replaceAll('\n', '\r\n')],
    ['PEM without a final newline', pkcs8.trimEnd()],
    ['PEM whose line breaks became blanks', pkcs1.replaceAll('\n', ' ')],
    ['PEM with blanks around each line', ` \n\t${pkcs8.replaceAll('\n', '  \n  ')}\n\n`],
    ['PEM in quotes', `"${pkcs8}"`],
    ['PEM with a byte order mark', `\uFEFF${pkcs8}`],
    ['PKCS#1 under the label of PKCS#8', pem('PRIVATE KEY', pkcs1Der)],
    ['the key behind its certificate', `Bag Attributes\n${certificate}${pkcs8}`],
    ['a file:// URL as text', file('a.pem', pkcs8).href],
    ['a file:// URL', file('b key.pem', pkcs1)],
    ['a file:// URL of DER', file('c.der', pkcs8Der)],
    ['the bytes of PEM', Buffer.from(pkcs8)],
    ['the bytes of PEM as a Uint8Array', new Uint8Array(Buffer.from(pkcs1))],
    ['the bytes of PKCS#8', pkcs8Der],
    ['the bytes of PKCS#1', pkcs1Der],
    ['private.pkcs8://', `private.pkcs8://${pkcs8Der.toString('base64')}`],
    ['private.pkcs1://', `private.pkcs1://${pkcs1Der.toString('base64')}`],
    ['private.pkcs1:// over several lines', `private.pkcs1://${pem('', pkcs1Der).split('-----')[2]}`],
    ['a KeyObject', privateKey],
    ['encrypted PKCS#8', { key: lockedPkcs8, passphrase: PASSPHRASE }],
    ['encrypted PKCS#1', { key: lockedPkcs1, passphrase: Buffer.from(PASSPHRASE) }],
    ['encrypted PKCS#1 with \\n written out', { key: lockedPkcs1.replaceAll('\n', '\\n'), passphrase: PASSPHRASE }],
    [
      'encrypted PKCS#1 whose line breaks became blanks',
      { key: lockedPkcs1.replaceAll('\n', ' '), passphrase: PASSPHRASE },
    ],
    ['the bytes of encrypted PKCS#8', { key: lockedDer, passphrase: PASSPHRASE }],
    ['a file of encrypted PKCS#8', { key: file('d.pem', lockedPkcs8), passphrase: PASSPHRASE }],
    ['a plain key with a needless passphrase', { key: pkcs8, passphrase: PASSPHRASE }],
  ];

  test.each(forms)('%s', (_, input) => {
    const key = loadPrivateKey(input) as KeyObject;
    expect(key.type).toBe('private');
    expect(createPublicKey(key).equals(publicKey)).toBe(true);
  });

  test('a loaded KeyObject as it is', () => {
    expect(loadPrivateKey(privateKey)).toBe(privateKey);
  });

  test.each([
    ['Node', webcrypto.subtle],
    ['@peculiar/webcrypto', new Crypto().subtle as unknown as webcrypto.SubtleCrypto],
  ])('a CryptoKey of %s as it is', async (_, subtle) => {
    const signing = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const signer = await subtle.importKey('pkcs8', pkcs8Der, signing, false, ['sign']);
    const decrypter = await subtle.importKey('pkcs8', pkcs8Der, { name: 'RSA-OAEP', hash: 'SHA-1' }, false, [
      'decrypt',
    ]);
    expect(loadPrivateKey(signer)).toBe(signer);
    expect(loadPrivateKey(decrypter, 'privateKey', 'decrypt')).toBe(decrypter);
    expect(() => loadPrivateKey(decrypter)).toThrow(
      /CryptoKey for RSA-OAEP with SHA-1; RSASSA-PKCS1-v1_5 with SHA-256 is required/,
    );
    expect(() => loadPrivateKey(signer, 'key', 'decrypt')).toThrow(/"key" .* RSA-OAEP with SHA-1 is required/);
  });
});

describe('loadPrivateKey refuses', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey;
  const pkcs12 = sequence(der(2, Buffer.of(3)), sequence(der(6, Buffer.from('2a864886f70d010701', 'hex'))));
  const request = sequence(sequence(der(2, Buffer.of(0)), sequence(), sequence(), der(0xa0)), sequence(), der(3));
  const missing = join(folder, 'missing.pem');
  const pkcs8Base64 = pkcs8Der.toString('base64');

  const cases: [string, unknown, RegExp][] = [
    ['undefined', undefined, /^"privateKey" is undefined: .* environment variable/],
    ['null', null, /is null/],
    ['the empty string', '', /is empty: .*-----BEGIN/],
    ['blanks', ' \n', /is empty/],
    ['no bytes', Buffer.alloc(0), /is empty/],
    ['a number', 12345678901, /of type number; expected PEM text/],
    ['an object', { pem: pkcs8 }, /of type object/],
    ['garbage', 'garbage-of-the-caller', /found something that is not a key\. Pass .*apiclient_key\.pem/],
    ['random bytes', Buffer.from('00ff17', 'hex'), /found something that is not a key/],
    ['a path', join(folder, 'a.pem'), /looks like a path\. .*file:\/\/\//],
    ['a relative path', 'certs/apiclient_key.pem', /looks like a path/],
    ['a path of Windows', 'C:\\certs\\key', /looks like a path/],
    ['a file that is missing', pathToFileURL(missing).href, /missing\.pem, which cannot be read \(ENOENT\)/],
    ['a directory', pathToFileURL(folder), /cannot be read \(EISDIR\)/],
    ['a file:// URL of a relative path', 'file://key.pem', /not a file:\/\/ URL of an absolute path/],
    ['another URL', new URL('https://example.com/key.pem'), /a URL other than file:/],
    ['an empty file', file('empty.pem', ''), /is empty/],
    ['a certificate', certificate, /should hold an RSA private key; found a certificate\. .*apiclient_key\.pem/],
    ['an X509Certificate', new X509Certificate(certificate), /found a certificate\./],
    ['a file with a certificate', file('cert.pem', certificate), /found a certificate\./],
    ['a public key', spki, /found a public key/],
    ['a PKCS#1 public key', publicKey.export({ type: 'pkcs1', format: 'der' }), /found a public key/],
    [
      'public.spki://',
      `public.spki://${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
      /found a public key/,
    ],
    ['a public KeyObject', publicKey, /KeyObject of the type "public"/],
    ['a secret KeyObject', createSecretKey(Buffer.from('0123456789abcdef')), /KeyObject of the type "secret"/],
    ['an EC key', ec.export({ type: 'pkcs8', format: 'pem' }), /a key for EC; RSA .* is required/],
    ['an EC key of its own format', ec.export({ type: 'sec1', format: 'pem' }), /found an EC private key/],
    ['an Ed25519 key', generateKeyPairSync('ed25519').privateKey, /a key for ED25519/],
    ['an RSA-PSS key', pss.export({ type: 'pkcs8', format: 'pem' }), /a key for RSA-PSS/],
    [
      '1024 bits',
      rsaKeyPair(1024).privateKey.export({ type: 'pkcs1', format: 'pem' }),
      /a 1024-bit key; at least 2048 bits/,
    ],
    ['an encrypted key without passphrase', lockedPkcs8, /is encrypted: pass \{ key, passphrase \}/],
    ['an encrypted PKCS#1 key without passphrase', lockedPkcs1, /is encrypted/],
    ['an empty passphrase', { key: lockedPkcs8, passphrase: '' }, /is encrypted/],
    ['a passphrase that is not set', { key: lockedPkcs8, passphrase: undefined }, /is encrypted/],
    ['no passphrase', { key: lockedPkcs8 }, /is encrypted/],
    ['a wrong passphrase', { key: lockedPkcs8, passphrase: 'wrong-passphrase-1' }, /does not decrypt "privateKey"/],
    [
      'a wrong passphrase of PKCS#1',
      { key: lockedPkcs1, passphrase: 'wrong-passphrase-2' },
      /does not decrypt "privateKey"/,
    ],
    ['PEM that is cut off', pkcs8.slice(0, -60), /truncated PEM/],
    ['PEM with a letter lost', pkcs8.replace('\nMII', '\nMI'), /damaged/],
    ['PEM with a letter that is none of Base64', pkcs8.replace('\nMII', '\nMI*'), /damaged/],
    ['PEM that is empty', '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----', /damaged/],
    ['DER that is cut off', pkcs8Der.subarray(0, -9), /not a key/],
    ['private.pkcs8:// with garbage', 'private.pkcs8://garbage-of-the-caller', /damaged/],
    ['Base64 alone', pkcs8Base64, /Base64 without its PEM lines.*private\.pkcs8:\/\//],
    [
      'an OpenSSH key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----',
      /OpenSSH/,
    ],
    ['a PKCS#12 file', pkcs12, /a PKCS#12 file \(\.p12\)/],
    ['a certificate request', pem('CERTIFICATE REQUEST', request), /a certificate request/],
    ['a hollow key', sequence(der(2, Buffer.of(0)), sequence(), der(4)), /a private key that cannot be read \(ERR_/],
  ];

  test.each(cases)('%s', async (_, input, message) => {
    const error = await rejection(() => loadPrivateKey(input as PrivateKeyInput));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(message);
    expectNoLeak(error, `${pkcs8} ${pkcs1} ${lockedPkcs8} ${lockedPkcs1}`);
    expectNoLeak(error, 'garbage-of-the-caller wrong-passphrase-1 wrong-passphrase-2 12345678901');
  });

  test('a missing file, with the error of the file system as the cause', async () => {
    const error = await rejection(() => loadPrivateKey(pathToFileURL(missing)));
    expect(error.message).toContain(missing);
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
  });

  test('under the name that the caller gives', () => {
    expect(() => loadPrivateKey('', 'merchant.key')).toThrow(/^"merchant\.key" is empty/);
  });

  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-256' }, modulusLength: 2048 };
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['of the wrong half', { type: 'public' }, /CryptoKey of the type "public"/],
    ['without the usage', { usages: [] }, /CryptoKey without the usage "sign": it has none/],
    ['with another usage', { usages: ['decrypt'] }, /without the usage "sign": it has decrypt/],
    ['for PSS', { algorithm: { ...rsa, name: 'RSA-PSS' } }, /for RSA-PSS with SHA-256; RSASSA.* is required/],
    ['for SHA-1', { algorithm: { ...rsa, hash: { name: 'SHA-1' } } }, /with SHA-1; .* SHA-256 is required/],
    ['for EC', { algorithm: { name: 'ECDSA' } }, /for ECDSA; RSASSA/],
    ['of 1024 bits', { algorithm: { ...rsa, modulusLength: 1024 } }, /a 1024-bit key/],
  ])('a CryptoKey %s', (_, change, message) => {
    const key = { type: 'private', algorithm: rsa, usages: ['sign'], extractable: false, ...change };
    expect(() => loadPrivateKey(key as unknown as webcrypto.CryptoKey)).toThrow(message);
  });

  test('no CryptoKey that fits, whatever the case of its names', () => {
    const algorithm = { ...rsa, name: 'rsassa-pkcs1-V1_5', hash: { name: 'sha-256' } };
    const key = { type: 'private', algorithm, usages: ['sign'], extractable: false };
    expect(loadPrivateKey(key as unknown as webcrypto.CryptoKey)).toBe(key);
  });
});

test('the keys of the tests are what they seem', () => {
  expect(createPrivateKey(pkcs8).equals(createPrivateKey(pkcs1))).toBe(true);
});
