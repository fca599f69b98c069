import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { AesEcb, AesGcm, Formatter, Hash, Rsa } from 'wechatpay-undici';
import { changeAt } from '../../lib/sensitive/fields';
import { rsaKeyPair } from '../support/keys';
import {
  anyBytes,
  anyJson,
  anyName,
  anyText,
  anyValue,
  check,
  expectOurs,
  isWhole,
  LONG,
  outcomeOf,
  printed,
  wholeText,
} from './support';

const key = randomBytes(16).toString('hex');
const { privateKey, publicKey } = rsaKeyPair();
const refused = async (call: () => unknown) => expectOurs(await outcomeOf(call));
const base64 = fc.oneof(
  anyText,
  anyBytes.map((bytes) => bytes.toString('base64')),
);

/** What OpenSSL takes as a nonce. */
const aNonce = wholeText.filter((text) => text !== '' && Buffer.byteLength(text) <= 128);

test(
  'AES-GCM gives back what it was given, and nothing for what was changed',
  () =>
    check(250, [wholeText, aNonce, wholeText, fc.nat()], async (plaintext, iv, aad, at) => {
      const ciphertext = await AesGcm.encrypt(plaintext, key, iv, aad);
      expect(await AesGcm.decrypt(ciphertext, key, iv, aad)).toBe(plaintext);
      const bytes = Buffer.from(ciphertext, 'base64');
      bytes[at % bytes.length] = Number(bytes[at % bytes.length]) ^ 1;
      expect(await refused(() => AesGcm.decrypt(bytes.toString('base64'), key, iv, aad))).toBeDefined();
      expect(await refused(() => AesGcm.decrypt(ciphertext, key, iv, `${aad}x`))).toBeDefined();
    }),
  LONG,
);

test(
  'AES-ECB and RSA give back what they were given',
  () =>
    check(75, [wholeText.filter((text) => Buffer.byteLength(text) <= 214)], async (plaintext) => {
      expect(await AesEcb.decrypt(await AesEcb.encrypt(plaintext, key), key)).toBe(plaintext);
      expect(await Rsa.decrypt(await Rsa.encrypt(plaintext, publicKey), privateKey)).toBe(plaintext);
    }),
  LONG,
);

test(
  'what is no ciphertext is refused',
  () =>
    check(150, [base64, anyText, anyText], async (ciphertext, iv, aad) => {
      expect(await refused(() => AesGcm.decrypt(ciphertext, key, iv, aad))).toBeDefined();
      expect(await refused(() => Rsa.decrypt(ciphertext, privateKey))).toBeDefined();
      await refused(() => AesEcb.decrypt(ciphertext, key));
    }),
  LONG,
);

test(
  'any arguments are taken, or refused by an error that shows no key',
  () =>
    check(250, [anyValue, anyValue, anyValue, anyValue], async (one, two, three, four) => {
      const calls: ((...values: never[]) => unknown)[] = [
        ...[
          AesGcm.encrypt,
          AesGcm.decrypt,
          AesEcb.encrypt,
          AesEcb.decrypt,
          Rsa.encrypt,
          Rsa.decrypt,
          Rsa.sign,
          Rsa.verify,
        ],
        ...[Hash.md5, Hash.hmac, Hash.sign, Hash.equals, Formatter.queryStringLike, Formatter.ksort, Formatter.nonce],
      ];
      for (const call of calls) {
        fc.pre(call !== Formatter.nonce || typeof one !== 'number' || !(one > 1e6));
        expect(printed(await refused(() => call(...([one, two, three, four] as never[]))))).not.toContain(key);
        expect(printed(await refused(() => call(...([one, key, three, four] as never[]))))).not.toContain(key);
      }
    }),
  LONG,
);

test(
  'fields are changed at their place alone, in a copy',
  () =>
    check(
      500,
      [anyJson, fc.array(fc.oneof(fc.constantFrom('a', 'name'), anyName), { minLength: 1, maxLength: 3 }), wholeText],
      async (json, names, plaintext) => {
        const steps = names.filter((name) => isWhole(name) && !/[.[\]{}]/.test(name) && name !== '');
        fc.pre(steps.length > 0);
        const nested = (leaf: unknown) =>
          steps.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), leaf);
        const original = JSON.stringify(nested(plaintext));
        const given: unknown = JSON.parse(original);
        const changed = await changeAt(given, steps.join('.'), async (text) => `<${text}>`);
        expect(JSON.stringify(given)).toBe(original);
        expect(JSON.stringify(changed)).toBe(JSON.stringify(nested(plaintext === '' ? '' : `<${plaintext}>`)));
        expectOurs(await outcomeOf(() => changeAt(json, `${steps.join('.')}[].x`, async (text) => text)));
      },
    ),
  LONG,
);
