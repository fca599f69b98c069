import { execFile } from 'node:child_process';
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect, promisify } from 'node:util';
import { Builder, type ClientConfig, ConfigurationError, InvalidArgumentError, Sensitive } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { expectNoLeak } from '../crypto/support';
import { type RsaKeyPair, rsaKeyPair, selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';

const TEXT = '张三 110101199003071234';
const SECRET = 'v2-secret-of-32-characters-xxxxx';
const CERTIFICATE = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';
const PUBLIC_KEY = 'PUB_KEY_ID_0119000001092024072500000000000001';

const merchant = rsaKeyPair();
const platform: RsaKeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = merchant.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const certified = rsaKeyPair(2048, 'other');
const certificate = selfSigned({ serial: CERTIFICATE, pair: certified });

const config = {
  mchid: '1900000109',
  serial: '3775B6A45ACD588826D15E583A95F5DD00000000',
  privateKey: pem,
  // The certificate first: the public key is preferred by its id, and not by its place.
  certs: { [CERTIFICATE]: certificate, [PUBLIC_KEY]: platform.publicKey },
} satisfies ClientConfig;

const build = (change: object = {}) => Builder.factory({ ...config, ...change });

function opened(ciphertext: string, { privateKey }: RsaKeyPair): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key: privateKey, padding, oaepHash: 'sha1' }, Buffer.from(ciphertext, 'base64')).toString();
}

const sealed = (text: string) => publicEncrypt({ key: merchant.publicKey, oaepHash: 'sha1' }, Buffer.from(text));

test.each<[string, string | undefined, string, RsaKeyPair]>([
  ['the public key by default', undefined, PUBLIC_KEY, platform],
  ['the public key by its id', PUBLIC_KEY, PUBLIC_KEY, platform],
  ['a certificate by its serial number', CERTIFICATE, CERTIFICATE, certified],
])('encrypts with %s, and announces it', async (_name, serial, expected, pair) => {
  const sensitive = Sensitive.of(build(), serial);
  expect(sensitive.serial).toBe(expected);
  expect(sensitive.headers).toEqual({ 'Wechatpay-Serial': expected });
  expect(opened(await sensitive.encrypt(TEXT), pair)).toBe(TEXT);
});

test('encrypts with the first certificate where there is no public key', async () => {
  const sensitive = Sensitive.of(build({ certs: { [CERTIFICATE]: certificate } }));
  expect(sensitive.serial).toBe(CERTIFICATE);
  expect(opened(await sensitive.encrypt(TEXT), certified)).toBe(TEXT);
});

test('pads with PKCS#1 v1.5 where that is asked for', async () => {
  const ciphertext = Buffer.from(await Sensitive.of(build()).encrypt(TEXT, 'PKCS1'), 'base64');
  const padded = privateDecrypt({ key: platform.privateKey, padding: constants.RSA_NO_PADDING }, ciphertext);
  expect(padded.subarray(0, 2).toString('hex')).toBe('0002');
  expect(padded.subarray(padded.indexOf(0, 2) + 1).toString()).toBe(TEXT);
});

test('decrypts with the merchant’s private key', async () => {
  expect(await Sensitive.of(build()).decrypt(sealed(TEXT).toString('base64'))).toBe(TEXT);
});

test('announces the key that the client announces by itself', async () => {
  const sandbox = await Sandbox.start();
  try {
    const instance = Builder.factory(sandbox.config);
    const sensitive = Sensitive.of(instance);
    sandbox.on('post', 'v3/profitsharing/receivers/add', ({ headers }) => ({ serial: headers['wechatpay-serial'] }));
    const receivers = instance.chain('v3/profitsharing/receivers/add');
    const receiver = {
      appid: 'wx8888888888888888',
      type: 'PERSONAL_OPENID',
      account: 'o1',
      relation_type: 'USER',
    } as const;
    const json = { ...receiver, name: await sensitive.encrypt(TEXT) };
    for (const headers of [{}, sensitive.headers]) {
      expect(await receivers.post({ json, headers, encrypted: true }).json()).toEqual({ serial: sensitive.serial });
    }
  } finally {
    await sandbox.close();
  }
});

test('loads its keys once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sensitive-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(directory, name), content);
    return pathToFileURL(join(directory, name)).href;
  };
  const publicKey = platform.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const instance = build({
    privateKey: file('apiclient_key.pem', pem),
    certs: { [PUBLIC_KEY]: file('pub.pem', publicKey) },
  });
  const sensitive = Sensitive.of(instance);
  rmSync(directory, { recursive: true });
  expect(opened(await sensitive.encrypt(TEXT), platform)).toBe(TEXT);
  expect(await sensitive.decrypt(sealed(TEXT).toString('base64'))).toBe(TEXT);
});

test('takes no notice of what becomes of the configuration afterwards', () => {
  const changing: ClientConfig & { certs: object } = { ...config, certs: { ...config.certs } };
  const instance = Builder.factory(changing);
  changing.certs = {};
  Object.assign(changing, { privateKey: undefined });
  expect(Sensitive.of(instance).serial).toBe(PUBLIC_KEY);

  const certs: Record<string, string> = { [CERTIFICATE]: certificate };
  const other = build({ certs });
  certs[PUBLIC_KEY] = 'not known to the client';
  expect(Sensitive.of(other).serial).toBe(CERTIFICATE);
});

describe('a function in the place of a key', () => {
  test('cannot decrypt, and leaves encryption be', async () => {
    const sensitive = Sensitive.of(build({ privateKey: () => '' }));
    expect(opened(await sensitive.encrypt(TEXT), platform)).toBe(TEXT);
    const error = await rejection(() => sensitive.decrypt(sealed(TEXT).toString('base64')));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(/"privateKey" is a signing function, which cannot decrypt/);
  });

  test('cannot encrypt, and leaves decryption be', async () => {
    const sensitive = Sensitive.of(build({ certs: { [PUBLIC_KEY]: () => true } }));
    expect(await sensitive.decrypt(sealed(TEXT).toString('base64'))).toBe(TEXT);
    const error = await rejection(() => sensitive.encrypt(TEXT));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toContain(
      `certs["${PUBLIC_KEY}"] is a function, which cannot encrypt; configure the key itself.`,
    );
  });
});

describe('refuses', () => {
  test.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
    [
      'what Builder.factory did not build',
      () => Sensitive.of({}),
      InvalidArgumentError,
      /not created by Builder\.factory/,
    ],
    ['a path', () => Sensitive.of(build().v3), InvalidArgumentError, /not a path such as instance\.v3/],
    ['nothing', () => Sensitive.of(undefined as never), InvalidArgumentError, /not created by Builder\.factory/],
    [
      'an instance for v2 alone',
      () => Sensitive.of(Builder.factory({ mchid: '1900000109', secret: SECRET })),
      ConfigurationError,
      /configured for v2 only; sensitive fields require the APIv3 "serial", "privateKey" and "certs"/,
    ],
    [
      'a serial that is not configured',
      () => Sensitive.of(build(), pem),
      InvalidArgumentError,
      new RegExp(`available: ${CERTIFICATE}, ${PUBLIC_KEY}\\.`),
    ],
    [
      'a serial of the prototype',
      () => Sensitive.of(build(), 'constructor'),
      InvalidArgumentError,
      /no key with that serial/,
    ],
    ['a text that is too long', () => Sensitive.of(build()).encrypt(pem), InvalidArgumentError, /takes at most 214/],
    [
      'a ciphertext for another key',
      () => Sensitive.of(build()).decrypt(publicEncrypt(platform.publicKey, Buffer.from(TEXT)).toString('base64')),
      InvalidArgumentError,
      /cannot be decrypted with this private key/,
    ],
  ])('%s', async (_name, run, type, message) => {
    const error = await rejection(run);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
    for (const secret of [pem, SECRET, TEXT]) expectNoLeak(error, secret);
  });
});

test('prints no secret', async () => {
  const sensitive = Sensitive.of(build({ secret: SECRET }));
  await sensitive.encrypt(TEXT);
  await sensitive.decrypt(sealed(TEXT).toString('base64'));
  const options = { depth: Infinity, showHidden: true, maxStringLength: Infinity };
  const text = [inspect(sensitive, options), JSON.stringify(sensitive), String(sensitive)].join('\n');
  const lines = pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
  expect(lines.length).toBeGreaterThan(20);
  for (const secret of [...lines, SECRET, TEXT]) expect(text).not.toContain(secret.slice(0, 20));
});

test('the example ends well', async () => {
  const run = promisify(execFile)(process.execPath, ['-r', 'esbuild-register', 'examples/sensitive-fields.ts']);
  expect((await run).stdout).toContain('the name in it: 张三');
}, 60_000);
