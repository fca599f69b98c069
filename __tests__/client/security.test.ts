import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { Builder, type ClientConfig, ConfigurationError } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import type { MerchantCertificate } from '../../lib/client/base-dispatcher';
import { selfSigned } from '../support/keys';
import { pkcs12 } from '../support/pkcs12';
import { rejection } from '../support/rejection';
import { type TlsFront, tlsFront } from '../support/tls-front';

const mch_id = '1900000109';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const cert = selfSigned({ subject: mch_id, pair });
const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const passphrase = 'a passphrase of the merchant';
const locked = pair.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});
const pfx = pkcs12({ cert, key: pair.privateKey, passphrase: mch_id });
const legacy = pkcs12({ cert, key: pair.privateKey, passphrase: mch_id, legacy: true });
const directory = mkdtempSync(join(tmpdir(), 'security-test-'));

let sandbox: Sandbox;
let front: TlsFront;
let agent: Agent;
const made: Agent[] = [];

beforeAll(async () => {
  sandbox = await Sandbox.start();
  front = await tlsFront(sandbox);
  agent = new Agent({ connect: { ca: front.ca } });
  for (const [name, content] of Object.entries({ cert, key, pfx })) writeFileSync(join(directory, name), content);
});
beforeEach(() => {
  sandbox.reset();
  front.arrivals.length = 0;
  sandbox.on('post', 'v2/secapi/test/refund', ({ xml }) => ({ refund_id: xml.out_refund_no }));
  sandbox.on('get', 'v3/test', () => ({ ok: true }));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await Promise.all([agent, ...made].map((one) => one.destroy()));
  await front[Symbol.asyncDispose]();
  await sandbox.close();
});

const build = (merchant?: object, more: Partial<ClientConfig> = {}) =>
  Builder.factory({
    ...{ ...sandbox.config, baseUrl: front.url, dispatcher: agent, ...more },
    ...(merchant && { merchant: { ca: front.ca, ...merchant } as MerchantCertificate }),
  } as ClientConfig);
const refund = (instance: ReturnType<typeof build>, options: object = { security: true }) =>
  instance.chain('v2/secapi/test/refund').post({ xml: { mch_id, out_refund_no: '7' }, ...options });
const thrownBy = (make: () => unknown): unknown => {
  try {
    make();
  } catch (error) {
    return error;
  }
  throw new Error('it should have thrown');
};
const urlOf = (name: string): URL => pathToFileURL(join(directory, name));

test('security presents the certificate on connections of its own; all other requests never do', async () => {
  const instance = build({ cert, key });
  const calls = Array.from({ length: 24 }, async (_, i) => {
    const query = { secure: i % 2 };
    if (i % 3 === 0) await instance.chain('v3/test').get({ query, security: i % 2 === 1 });
    else await refund(instance, { query, security: i % 2 === 1 });
  });
  await Promise.all(calls);
  for (const i of [0, 1, 2, 3]) await refund(instance, { query: { secure: i % 2 }, security: i % 2 === 1 });

  expect(front.arrivals).toHaveLength(28);
  const [secure, plain] = [1, 0].map((flag) =>
    front.arrivals.filter(({ target }) => target.endsWith(`secure=${flag}`)),
  );
  expect(secure).toHaveLength(14);
  expect(plain).toHaveLength(14);
  expect(new Set(secure?.map(({ certificate }) => certificate))).toEqual(new Set([mch_id]));
  expect(new Set(plain?.map(({ certificate }) => certificate))).toEqual(new Set([undefined]));
  const connections = [secure, plain].map((some) => new Set(some?.map(({ connection }) => connection)));
  const [one, other] = connections as [Set<number>, Set<number>];
  expect([...one].filter((connection) => other.has(connection))).toEqual([]);
});

test('a server that demands a certificate gets it, or the call fails', async () => {
  await using demanding = await tlsFront(sandbox, { rejectUnauthorized: true, ca: cert });
  const dispatcher = new Agent({ connect: { ca: demanding.ca } });
  made.push(dispatcher);
  const instance = build({ cert, key, ca: demanding.ca }, { baseUrl: demanding.url, dispatcher });
  expect(await refund(instance).xml()).toMatchObject({ refund_id: '7' });
  expect(demanding.arrivals).toMatchObject([{ certificate: mch_id }]);
  expect(await rejection(refund(instance, {}))).toMatchObject({ name: 'TransportError' });
  expect(demanding.arrivals).toHaveLength(1);
});

test.each<[string, () => object]>([
  ['PEM', () => ({ cert, key })],
  ['PEM with line breaks of Windows', () => ({ cert: cert.replaceAll('\n', '\r\n'), key })],
  ['Buffers', () => ({ cert: Buffer.from(cert), key: Buffer.from(key) })],
  ['file:// URLs as text', () => ({ cert: urlOf('cert').href, key: urlOf('key').href })],
  ['file:// URLs', () => ({ cert: urlOf('cert'), key: urlOf('key') })],
  ['a key with a passphrase', () => ({ cert, key: locked, passphrase })],
  ['PKCS#12', () => ({ pfx, passphrase: mch_id })],
  ['PKCS#12 by its file:// URL', () => ({ pfx: urlOf('pfx').href, passphrase: mch_id })],
  ['a dispatcher', () => ({ dispatcher: held(new Agent({ connect: { cert, key, ca: front.ca } })) })],
])('%s', async (_, merchant) => {
  expect(await refund(build(merchant())).xml()).toMatchObject({ refund_id: '7' });
  expect(front.arrivals).toMatchObject([{ certificate: mch_id }]);
});

function held(dispatcher: Agent): Agent {
  made.push(dispatcher);
  return dispatcher;
}

test("a server that the merchant's ca does not vouch for is not talked to", async () => {
  const instance = build({ cert, key, ca: selfSigned({ subject: 'Another' }) });
  expect(await rejection(refund(instance))).toMatchObject({ name: 'TransportError' });
  expect(sandbox.requests).toEqual([]);
});

test('without a certificate in the configuration, security is an error and nothing is sent', async () => {
  const error = await rejection(refund(build()));
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({ message: expect.stringContaining('configure it as "merchant"') });
  expect(front.arrivals).toEqual([]);
  expect(await refund(build(), { security: false }).xml()).toMatchObject({ refund_id: '7' });
});

describe('a configuration that cannot work', () => {
  test.each<[string, object, string]>([
    [
      'a certificate and the key of another',
      { cert, key: otherKey },
      'belong together (ERR_OSSL_X509_KEY_VALUES_MISMATCH)',
    ],
    ['a certificate alone', { cert }, 'must be { cert, key } or { pfx, passphrase }'],
    ['a key alone', { key }, 'must be { cert, key } or { pfx, passphrase }'],
    ['nothing', {}, 'must be { cert, key } or { pfx, passphrase }'],
    ['no PEM', { cert: 'x', key }, 'must be PEM text, a file:// URL or bytes'],
    ['a public key as key', { cert, key: pem(pair.publicKey) }, 'must be PEM text, a file:// URL or bytes'],
    ['no such file', { cert: 'file:///no/such.pem', key }, '"merchant.cert" cannot be read: ENOENT'],
    ['a file:// URL that is none', { cert, key: 'file://host/x' }, '"merchant.key" cannot be read'],
    ['another URL', { cert: new URL('https://example.com/x'), key }, '"merchant.cert" cannot be read'],
    [
      'a key whose passphrase is wrong',
      { cert, key: locked, passphrase: 'wrong' },
      'the passphrase is missing or wrong',
    ],
    ['a key whose passphrase is missing', { cert, key: locked }, 'the passphrase is missing or wrong'],
    ['PKCS#12 with a wrong passphrase', { pfx, passphrase: 'wrong' }, 'The passphrase is wrong'],
    [
      'PKCS#12 without its passphrase',
      { pfx },
      'The passphrase is wrong; for files issued by WeChat Pay it is the merchant ID',
    ],
    [
      'PKCS#12 that is cut off',
      { pfx: pfx.subarray(0, 900), passphrase: mch_id },
      'The PKCS#12 file must be complete, and given as bytes or a file:// URL',
    ],
    ['PEM as PKCS#12', { pfx: cert, passphrase: mch_id }, 'The PKCS#12 file must be complete'],
  ])('%s', (_, merchant, message) => {
    const error = thrownBy(() => build(merchant));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
  });

  test('PKCS#12 as WeChat Pay issues it: how to convert it', () => {
    const error = thrownBy(() => build({ pfx: legacy, passphrase: mch_id }));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toContain('RC2-40');
    expect(String(error)).toContain('openssl pkcs12 -legacy -in apiclient_cert.p12 -nodes -out apiclient.pem');
  });

  test('no error and no instance shows the key or the passphrase', () => {
    const secrets = [passphrase, ...key.split('\n').slice(1, 4), ...locked.split('\n').slice(1, 4)];
    const values = [
      build({ cert, key: locked, passphrase }),
      ...[
        { cert: 'x', key },
        { cert, key: otherKey, passphrase },
        { cert, key: `${locked.slice(0, 500)}`, passphrase },
      ].map((merchant) => thrownBy(() => build(merchant))),
      thrownBy(() => build({ cert: selfSigned(), key: locked, passphrase })),
    ];
    for (const value of values) {
      const text = [inspect(value, { depth: Infinity, showHidden: true }), JSON.stringify(value), String(value)].join();
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });
});

function pem(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
