import { constants, privateDecrypt, publicEncrypt, webcrypto } from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import * as Rsa from '../../lib/crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../../lib/errors';
import { rsaKeyPair, selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';
import { expectNoLeak } from './support';

const { privateKey, publicKey } = rsaKeyPair();
const other = rsaKeyPair(3072);
const TEXT = '张三 13800138000';
const OAEP = { name: 'RSA-OAEP', hash: 'SHA-1' };
const peculiar = new Crypto().subtle as unknown as webcrypto.SubtleCrypto;
const spki = publicKey.export({ type: 'spki', format: 'der' });
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });

/** Decrypts by OpenSSL; of PKCS#1 v1.5, which Node 20 refuses to decrypt, it strips the padding itself. */
function openssl(ciphertext: string, padding: Rsa.Padding): string {
  const bytes = Buffer.from(ciphertext, 'base64');
  if (padding === 'OAEP') return privateDecrypt({ key: privateKey, oaepHash: 'sha1' }, bytes).toString();
  const padded = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, bytes);
  expect([...padded.subarray(0, 2)]).toEqual([0, 2]);
  return padded.subarray(padded.indexOf(0, 2) + 1).toString();
}

test('encrypt pads with OAEP and SHA-1, which OpenSSL decrypts', async () => {
  const ciphertext = Buffer.from(await Rsa.encrypt(TEXT, selfSigned()), 'base64');
  const options = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
  expect(privateDecrypt(options, ciphertext).toString()).toBe(TEXT);
});

test('decrypt takes what OpenSSL encrypted', async () => {
  const oaep = publicEncrypt({ key: publicKey, oaepHash: 'sha1' }, Buffer.from(TEXT)).toString('base64');
  expect(await Rsa.decrypt(oaep, privateKey)).toBe(TEXT);
});

test.each<[Rsa.Padding, number]>([
  ['OAEP', 214],
  ['PKCS1', 245],
])('%s takes %d bytes with a key of 2048 bits, and no more', async (padding, limit) => {
  for (const text of ['', 'a'.repeat(limit), '中'.repeat(Math.floor(limit / 3))]) {
    const ciphertext = await Rsa.encrypt(text, publicKey, padding);
    expect(Buffer.from(ciphertext, 'base64')).toHaveLength(256);
    expect(openssl(ciphertext, padding)).toBe(text);
  }
  const error = await rejection(() => Rsa.encrypt('secret-'.repeat(36), publicKey, padding));
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(error.message).toContain(`is 252 bytes in UTF-8; RSA with this key and padding takes at most ${limit}`);
  expectNoLeak(error, 'secret-'.repeat(36));
});

test('the limit grows with the key', async () => {
  const text = 'a'.repeat(342);
  expect(await Rsa.decrypt(await Rsa.encrypt(text, other.publicKey), other.privateKey)).toBe(text);
  await expect(Rsa.encrypt(`${text}a`, other.publicKey)).rejects.toThrow(/343 bytes .* takes at most 342/);
});

test('the same text gives another ciphertext each time', async () => {
  expect(await Rsa.encrypt(TEXT, publicKey)).not.toBe(await Rsa.encrypt(TEXT, publicKey));
});

test.each([
  ['Node', webcrypto.subtle],
  ['@peculiar/webcrypto', peculiar],
])('CryptoKeys of %s encrypt and decrypt', async (_, subtle) => {
  const encrypter = await subtle.importKey('spki', spki, OAEP, false, ['encrypt']);
  const decrypter = await subtle.importKey('pkcs8', pkcs8, OAEP, false, ['decrypt']);
  expect(await Rsa.decrypt(await Rsa.encrypt(TEXT, encrypter), privateKey)).toBe(TEXT);
  expect(await Rsa.decrypt(await Rsa.encrypt(TEXT, publicKey), decrypter)).toBe(TEXT);
  await expect(Rsa.decrypt(Buffer.alloc(256).toString('base64'), decrypter)).rejects.toThrow(InvalidArgumentError);
  await expect(Rsa.encrypt(TEXT, encrypter, 'PKCS1')).rejects.toThrow(/; RSAES-PKCS1-v1_5 is required/);
});

test('a CryptoKey for RSAES-PKCS1-v1_5 encrypts', async () => {
  const algorithm = { name: 'RSAES-PKCS1-v1_5', hash: 'SHA-1' };
  const encrypter = await peculiar.importKey('spki', spki, algorithm, false, ['encrypt']);
  expect(openssl(await Rsa.encrypt(TEXT, encrypter, 'PKCS1'), 'PKCS1')).toBe(TEXT);
});

describe('decrypt refuses', () => {
  const oaep = (text: string) => publicEncrypt({ key: publicKey, oaepHash: 'sha1' }, Buffer.from(text));
  test.each<[string, unknown]>([
    ['what is encrypted for another key', publicEncrypt(other.publicKey, Buffer.from(TEXT)).toString('base64')],
    [
      'a flipped bit',
      oaep(TEXT)
        .map((octet, at) => (at === 200 ? octet ^ 1 : octet))
        .toString(),
    ],
    ['a flipped bit', Buffer.from(oaep(TEXT).map((octet, at) => (at === 200 ? octet ^ 1 : octet))).toString('base64')],
    ['OAEP with SHA-256', publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, Buffer.from(TEXT)).toString('base64')],
    ['what is cut off', oaep(TEXT).subarray(0, -1).toString('base64')],
    ['no Base64', 'not-base64-at-all'],
    ['nothing', ''],
    ['undefined', undefined],
    ['a number beyond the modulus', Buffer.alloc(256, 0xff).toString('base64')],
  ])('%s', async (_, ciphertext) => {
    const error = await rejection(() => Rsa.decrypt(ciphertext as string, privateKey));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toMatch(
      /cannot be decrypted with this private key: it should be the Base64 encoding of 256 bytes/,
    );
    expectNoLeak(error, `${ciphertext ?? ''} ${TEXT}`);
  });

  test('a padding that is unknown', async () => {
    await expect(Rsa.encrypt('x', publicKey, 'NONE' as Rsa.Padding)).rejects.toThrow(/must be one of OAEP, PKCS1/);
  });

  test('the wrong half of the pair', async () => {
    await expect(Rsa.encrypt('x', privateKey)).rejects.toThrow(ConfigurationError);
    await expect(Rsa.decrypt('x', publicKey)).rejects.toThrow(ConfigurationError);
  });

  test('text that is no text, which it does not show', async () => {
    const error = await rejection(() => Rsa.encrypt(13800138000 as unknown as string, publicKey));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expectNoLeak(error, '13800138000');
  });
});
