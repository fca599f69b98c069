import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { Builder, ConfigurationError, Rsa } from 'wechatpay-undici';
import { pem, rsaKeyPair, selfSigned } from '../support/keys';
import { anyBytes, anyName, anyText, anyValue, check, expectOurs, LONG, outcomeOf, printed } from './support';

const { privateKey, publicKey } = rsaKeyPair();
const sound = {
  mchid: '1900000109',
  serial: 'A1',
  privateKey,
  certs: { PUB_KEY_ID_1: rsaKeyPair(2048, 'other').publicKey },
};
const ID = 'PUB_KEY_ID_2';

/** Where a key can be given. */
const PLACES: Readonly<Record<string, (key: unknown) => object>> = {
  privateKey: (key) => ({ privateKey: key }),
  'an encrypted privateKey': (key) => ({ privateKey: { key, passphrase: 'x' } }),
  passphrase: (passphrase) => ({ privateKey: { key: privateKey, passphrase } }),
  certs: (key) => ({ certs: { [ID]: key } }),
  payBankKey: (payBankKey) => ({ payBankKey }),
};
const places = fc.constantFrom(...Object.keys(PLACES));

/** Builds a client with a key; gives the error, which is of one kind. */
async function build(place: string, key: unknown): Promise<ConfigurationError | undefined> {
  const error = expectOurs(await outcomeOf(() => void Builder.factory({ ...sound, ...PLACES[place]?.(key) } as never)));
  if (error) expect(error).toBeInstanceOf(ConfigurationError);
  return error;
}

const LABELS = [
  'PRIVATE KEY',
  'RSA PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'PUBLIC KEY',
  'RSA PUBLIC KEY',
  'CERTIFICATE',
  'EC PRIVATE KEY',
  'OPENSSH PRIVATE KEY',
];
const ders = [
  privateKey.export({ format: 'der', type: 'pkcs8' }),
  privateKey.export({ format: 'der', type: 'pkcs1' }),
  privateKey.export({ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }),
  publicKey.export({ format: 'der', type: 'spki' }),
  publicKey.export({ format: 'der', type: 'pkcs1' }),
  Buffer.from(selfSigned().replace(/-----.*-----|\s/g, ''), 'base64'),
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' }),
];

/** A key with some bytes changed, or cut off. */
const damaged = fc
  .tuple(fc.constantFrom(...ders), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.option(fc.nat()))
  .map(([der, changes, cut]) => {
    const copy = Buffer.from(der);
    for (const [at, octet] of changes) copy[at % copy.length] = octet;
    return cut === null ? copy : copy.subarray(0, cut % copy.length);
  });
const forms = fc.oneof(
  damaged,
  fc.tuple(damaged, fc.constantFrom(...LABELS)).map(([der, label]) => pem(label, der)),
  fc.tuple(damaged, fc.constantFrom(...LABELS), fc.nat(), anyText).map(([der, label, at, text]) => {
    const whole = pem(label, der);
    return whole.slice(0, at % whole.length) + text + whole.slice(at % whole.length);
  }),
  fc
    .tuple(damaged, fc.constantFrom('private.pkcs1://', 'private.pkcs8://', 'public.spki://', 'public.pkcs1://', ''))
    .map(([der, scheme]) => scheme + der.toString('base64')),
);

test(
  'any value in the place of a key is taken, or refused as a configuration',
  () => check(750, [places, fc.oneof(anyValue, anyText, anyBytes)], build),
  LONG,
);

test(
  'a key that is damaged in any way is taken, or refused without a word of it',
  () =>
    check(300, [places, forms], async (place, key) => {
      const error = await build(place, key);
      if (!error) return;
      const text = printed(error);
      const source = Buffer.from(key);
      // Pieces of it, as text, in Base64 and in hexadecimal; short ones may stand in any error.
      for (let at = 0; at + 24 <= source.length; at += 12) {
        const piece = source.subarray(at, at + 24);
        for (const form of [piece.toString(), piece.toString('base64'), piece.toString('hex')]) {
          if (!/^[- A-Z\s]*$/.test(form)) expect(text).not.toContain(form);
        }
      }
    }),
  LONG,
);

test('a certificate whose key is damaged is refused, wherever it is given', async () => {
  const der = Buffer.from(selfSigned().replace(/-----.*-----|\s/g, ''), 'base64');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const rsaPublicKey = spki.subarray(spki.length - 270);
  der[der.indexOf(rsaPublicKey)] = 0x31;
  for (const place of ['certs', 'payBankKey', 'privateKey']) {
    for (const key of [der, pem('CERTIFICATE', der)])
      expect(await build(place, key)).toBeInstanceOf(ConfigurationError);
  }
});

test(
  'no error repeats what stands in the place of a key',
  () =>
    check(
      300,
      [
        places,
        fc.oneof(anyText, fc.constantFrom('', '/', '~/', './', 'C:\\')),
        fc.constantFrom('', '-----BEGIN PRIVATE KEY-----', 'private.pkcs8://', '-----BEGIN '),
        fc.oneof(anyText, fc.constantFrom('', '.pem', '-----END PRIVATE KEY-----')),
      ],
      async (place, before, form, after) => {
        const secret = 'S3cretS3cretS3cretS3cret';
        const key = `${before}${form}${secret}${after}`;
        fc.pre(!/^\s*file:/i.test(key));
        for (const given of [key, Buffer.from(key)]) {
          const text = printed(await build(place, given));
          expect(text).not.toContain(secret);
          expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20));
        }
      },
    ),
  LONG,
);

test(
  'any other option of the configuration is taken, or refused',
  () =>
    check(
      500,
      [
        fc.oneof(
          fc.constantFrom('mchid', 'serial', 'certs', 'secret', 'merchant', 'baseUrl', 'headers', 'timeout'),
          anyName,
        ),
        anyValue,
      ],
      async (name, value) => {
        const error = expectOurs(await outcomeOf(() => void Builder.factory({ ...sound, [name]: value } as never)));
        if (error) expect(error.code).toMatch(/^ERR_(?:CONFIGURATION|INVALID_ARGUMENT)$/);
      },
    ),
  LONG,
);

test(
  'the helpers that load keys take, or refuse, anything',
  () =>
    check(250, [fc.oneof(anyValue, anyText, forms)], async (key) => {
      for (const load of [Rsa.from, Rsa.fromPkcs1, Rsa.fromPkcs8, Rsa.fromSpki, Rsa.pkcs1ToSpki]) {
        const error = expectOurs(await outcomeOf(() => void load(key as never)));
        if (error) expect(error).toBeInstanceOf(ConfigurationError);
      }
    }),
  LONG,
);
