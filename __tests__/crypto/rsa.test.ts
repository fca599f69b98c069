import { createVerify, type KeyObject, sign as nodeSign, webcrypto } from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import type { PrivateKeyInput } from '../../lib/crypto/keys';
import * as Rsa from '../../lib/crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../../lib/errors';
import { rsaKeyPair, selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';
import { expectNoLeak } from './support';

const { privateKey, publicKey } = rsaKeyPair();
const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
const publicPkcs1 = publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

const SIGNING = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
const peculiar = new Crypto().subtle as unknown as webcrypto.SubtleCrypto;
const providers: [string, webcrypto.SubtleCrypto][] = [
  ['Node', webcrypto.subtle],
  ['@peculiar/webcrypto', peculiar],
];

/** The pair as `CryptoKey`s. */
async function cryptoKeys(subtle: webcrypto.SubtleCrypto, algorithm: webcrypto.RsaHashedImportParams, signs = true) {
  const [priv, pub] = signs ? (['sign', 'verify'] as const) : (['decrypt', 'encrypt'] as const);
  return {
    privateKey: await subtle.importKey('pkcs8', Buffer.from(pkcs8, 'base64'), algorithm, false, [priv]),
    publicKey: await subtle.importKey('spki', Buffer.from(spki, 'base64'), algorithm, false, [pub]),
  };
}

describe('keys', () => {
  test.each<[string, unknown, KeyObject]>([
    ['from, private by default', Rsa.from(pem), privateKey],
    ['from, private', Rsa.from(privateKey, 'private'), privateKey],
    ['from, public', Rsa.from(selfSigned(), 'public'), publicKey],
    ['fromPkcs1, private by default', Rsa.fromPkcs1(pkcs1), privateKey],
    ['fromPkcs1, public', Rsa.fromPkcs1(publicPkcs1, 'public'), publicKey],
    ['fromPkcs8', Rsa.fromPkcs8(pkcs8), privateKey],
    ['fromSpki', Rsa.fromSpki(spki), publicKey],
  ])('%s', (_, key, expected) => {
    expect((key as KeyObject).equals(expected)).toBe(true);
  });

  test('pkcs1ToSpki wraps a PKCS#1 public key', () => {
    expect(Rsa.pkcs1ToSpki(publicPkcs1)).toBe(spki);
    expect(Rsa.pkcs1ToSpki(publicPkcs1.replace(/.{64}/g, '$&\n'))).toBe(spki);
  });

  test.each([
    ['fromPkcs1 a public key as the private one', () => Rsa.fromPkcs1(publicPkcs1)],
    ['fromPkcs1 a private key as the public one', () => Rsa.fromPkcs1(pkcs1, 'public')],
    ['fromPkcs8 a public key', () => Rsa.fromPkcs8(spki)],
    ['fromSpki a private key', () => Rsa.fromSpki(pkcs8)],
    ['pkcs1ToSpki what is SPKI already', () => Rsa.pkcs1ToSpki(spki)],
    ['pkcs1ToSpki a private key', () => Rsa.pkcs1ToSpki(pkcs1)],
    ['pkcs1ToSpki garbage', () => Rsa.pkcs1ToSpki('garbage')],
  ])('%s is refused', async (_, load) => {
    const error = await rejection(load);
    expect(error).toBeInstanceOf(ConfigurationError);
    expectNoLeak(error, `${pkcs1} ${pkcs8} ${spki}`);
  });
});

describe('sign and verify', () => {
  const message = 'GET\n/v3/certificates\n1554208460\n中文\n\n';

  test('sign gives SHA256withRSA in Base64, which OpenSSL verifies', async () => {
    const signature = await Rsa.sign(message, pem);
    expect(createVerify('RSA-SHA256').update(message).verify(publicKey, signature, 'base64')).toBe(true);
    expect(await Rsa.sign(Buffer.from(message), privateKey)).toBe(signature);
  });

  test.each(providers)('CryptoKeys of %s sign and verify as KeyObjects do', async (_, subtle) => {
    const keys = await cryptoKeys(subtle, SIGNING);
    const signature = await Rsa.sign(message, keys.privateKey);
    expect(signature).toBe(await Rsa.sign(message, privateKey));
    expect(await Rsa.verify(message, signature, keys.publicKey)).toBe(true);
    expect(await Rsa.verify(`${message} `, signature, keys.publicKey)).toBe(false);
    expect(await Rsa.verify(message, 'AAAA', keys.publicKey)).toBe(false);
  });

  test('verify takes a certificate, and bytes that are no UTF-8', async () => {
    const bytes = Buffer.from('fffe00', 'hex');
    const signature = nodeSign('sha256', bytes, privateKey).toString('base64');
    expect(await Rsa.verify(bytes, signature, selfSigned())).toBe(true);
    expect(await Rsa.verify(bytes.toString(), signature, selfSigned())).toBe(false);
  });

  const good = nodeSign('sha256', Buffer.from(message), privateKey).toString('base64');
  test.each<[string, unknown]>([
    ['a probe of WeChat Pay', 'WECHATPAY/SIGNTEST/A3F1=='],
    ['the signature of another text', nodeSign('sha256', Buffer.from('x'), privateKey).toString('base64')],
    ['SHA-1', nodeSign('sha1', Buffer.from(message), privateKey).toString('base64')],
    ['nothing', ''],
    ['undefined', undefined],
    ['a line break behind it', `${good}\n`],
    ['a blank in it', `${good.slice(0, 8)} ${good.slice(8)}`],
    ['a letter outside of the alphabet', `${good.slice(0, 8)}!${good.slice(8)}`],
    ['Base64 for URLs', good.replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')],
    ['no padding', good.replace(/=+$/, '')],
    ['a byte more', Buffer.concat([Buffer.from(good, 'base64'), Buffer.of(0)]).toString('base64')],
    ['a byte less', Buffer.from(good, 'base64').subarray(1).toString('base64')],
  ])('verify gives false for %s', async (_, signature) => {
    expect(await Rsa.verify(message, signature as string, publicKey)).toBe(false);
  });

  test('verify gives true for the one that all those were made of', async () => {
    expect(await Rsa.verify(message, good, publicKey)).toBe(true);
  });

  test('what is neither text nor bytes is refused, and not shown', async () => {
    const error = await rejection(() => Rsa.sign(13800138000 as unknown as string, privateKey));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toBe('"message" must be a string or bytes, not number.');
  });

  test('a CryptoKey of a provider that is unknown cannot sign', async () => {
    const algorithm = { ...SIGNING, hash: { name: 'SHA-256' }, modulusLength: 2048 };
    const foreign = { type: 'private', algorithm, usages: ['sign'], extractable: false };
    const error = await rejection(() => Rsa.sign('x', foreign as unknown as PrivateKeyInput));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(/comes neither from Node.js nor from the @peculiar\/webcrypto/);
  });

  test('many signatures at once do not hold up the main thread', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await Promise.all(Array.from({ length: 1000 }, () => Rsa.sign(message, privateKey)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});
