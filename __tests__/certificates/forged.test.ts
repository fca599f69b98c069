import { createCipheriv, generateKeyPairSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Builder, Certificates } from 'wechatpay-undici';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { rsaKeyPair, selfSigned } from '../support/keys';
import { rejection } from '../support/rejection';
import { HOUR, payer, startWithCertificate, withoutKeys } from './support';

const DAY = 24 * HOUR;

let sandbox: Sandbox;
/** What `v3/certificates` answers when nobody forges it. */
let genuine: { data: Entry[] };

interface Entry {
  serial_no: string;
  effective_time: string;
  expire_time: string;
  encrypt_certificate: { algorithm: string; nonce: string; associated_data: string; ciphertext: string };
}

beforeAll(async () => {
  sandbox = await startWithCertificate();
  genuine = await (await unverified(sandbox)).json<typeof genuine>();
});
afterAll(() => sandbox.close());

/** The list as it comes. */
async function unverified({ config }: Sandbox) {
  return Builder.factory(config).chain('v3/certificates').get({ download: true });
}

/** A certificate as the platform lists it, encrypted with a key. */
function listed(pem: string, serial_no: string, key: string, dates: Partial<Entry> = {}): Entry {
  const nonce = randomBytes(6).toString('hex');
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from('certificate'));
  const ciphertext = Buffer.concat([cipher.update(pem), cipher.final(), cipher.getAuthTag()]).toString('base64');
  return {
    serial_no,
    effective_time: new Date(Date.now() - DAY).toISOString(),
    expire_time: new Date(Date.now() + DAY).toISOString(),
    ...dates,
    encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', nonce, associated_data: 'certificate', ciphertext },
  };
}

function first(): Entry {
  const [entry] = genuine.data;
  if (!entry) throw new Error('no certificate was listed');
  return entry;
}

/** The genuine entry with another ciphertext, nonce or associated data. */
function sealedWith(members: Partial<Entry['encrypt_certificate']>): Entry {
  return { ...first(), encrypt_certificate: { ...first().encrypt_certificate, ...members } };
}

const OWN = '5AB0';
const own = (init: object = {}) => selfSigned({ serial: OWN, ...init });
const key = () => sandbox.config.apiv3Key;
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const FORGERIES: [string, () => unknown, object][] = [
  [
    'carries a certificate that did not sign it',
    () => ({ data: [listed(own(), OWN, key())] }),
    { code: 'ERR_SIGNATURE_SERIAL' },
  ],
  [
    'carries a certificate of another key under the serial number of the one that signed',
    () => ({ data: [listed(selfSigned({ serial: first().serial_no }), first().serial_no, key())] }),
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  [
    'is encrypted with another APIv3 key',
    () => ({ data: [listed(own(), OWN, randomBytes(16).toString('hex'))] }),
    {
      name: 'ConfigurationError',
      message: expect.stringMatching(/"apiv3Key" is not, or is no longer, this merchant's APIv3 key/),
    },
  ],
  [
    'announces another serial number than that of the certificate',
    () => ({ data: [{ ...first(), serial_no: '5FFF' }] }),
    {
      code: 'ERR_SIGNATURE_WRONG',
      message: expect.stringMatching(/serial_no is 5FFF but the certificate's serial number is 5/),
    },
  ],
  [
    'says that the certificate has expired',
    () => ({ data: [{ ...first(), expire_time: '2020-01-01T00:00:00+08:00' }] }),
    {
      code: 'ERR_SIGNATURE_SERIAL',
      message: expect.stringMatching(/is currently valid \(5\w+ from .* to 2019-12-31\)/),
    },
  ],
  [
    'says that the certificate is not valid yet',
    () => ({ data: [{ ...first(), effective_time: new Date(Date.now() + HOUR).toISOString() }] }),
    { code: 'ERR_SIGNATURE_SERIAL' },
  ],
  [
    'carries a certificate that has expired by its own dates',
    () => ({
      data: [listed(own({ notBefore: new Date(0), notAfter: new Date(Date.now() - HOUR) }), OWN, key())],
    }),
    { code: 'ERR_SIGNATURE_SERIAL', message: expect.stringMatching(/is currently valid/) },
  ],
  [
    'has dates that are none',
    () => ({ data: [{ ...first(), expire_time: 'never' }] }),
    { code: 'ERR_SIGNATURE_WRONG', message: expect.stringMatching(/dates of 5\w+ cannot be read/) },
  ],
  [
    'carries something that is no certificate',
    () => ({ data: [listed('-----BEGIN CERTIFICATE-----', OWN, key())] }),
    { code: 'ERR_SIGNATURE_WRONG', message: expect.stringMatching(/not a valid X\.509 certificate/) },
  ],
  [
    'carries a certificate of an elliptic curve',
    () => ({ data: [listed(own({ pair: { ...ec(), privateKey: rsaKeyPair().privateKey } }), OWN, key())] }),
    { name: 'ConfigurationError', message: expect.stringMatching(/key for EC/) },
  ],
  ['lists none', () => ({ data: [] }), { code: 'ERR_SIGNATURE_SERIAL' }],
  ['has no list', () => ({ data: 'none' }), { name: 'BodyError', code: 'ERR_BODY_NOT_JSON' }],
  ['has entries that are none', () => ({ data: [null] }), { name: 'ConfigurationError' }],
  ['lists more than there can be', () => ({ data: Array(33).fill(first()) }), { code: 'ERR_BODY_TOO_LARGE' }],
  [
    'has a nonce that no certificate has',
    () => ({ data: [sealedWith({ nonce: 'n'.repeat(129) })] }),
    { code: 'ERR_BODY_TOO_LARGE' },
  ],
  [
    'has a ciphertext that no certificate has',
    () => ({ data: [sealedWith({ ciphertext: 'A'.repeat(16_400) })] }),
    { code: 'ERR_BODY_TOO_LARGE' },
  ],
  [
    'has data beside a certificate that none has',
    () => ({ data: [sealedWith({ associated_data: 'a'.repeat(129) })] }),
    { code: 'ERR_BODY_TOO_LARGE' },
  ],
  ['is larger than it can be', () => ({ data: [first()], more: ' '.repeat(300_000) }), { code: 'ERR_BODY_TOO_LARGE' }],
  ['is empty', () => undefined, { name: 'BodyError' }],
  ['is no JSON', () => new Response('<html>'), { name: 'BodyError' }],
];

describe('nothing is trusted, and nothing sent, where the response', () => {
  test.each(FORGERIES)('%s', async (_, response, expected) => {
    const forget = sandbox.on('get', 'v3/certificates', response);
    const before = sandbox.requests.length;
    const { pay } = payer(withoutKeys(sandbox));
    expect(await rejection(pay())).toMatchObject(expected);
    expect(sandbox.requests.slice(before).map(({ target }) => target)).toEqual(['/v3/certificates']);
    // It was the response, and not the client: unforged, it is taken.
    forget();
    await pay();
  });

  test.each([
    [{ signature: 'none' } as const, { code: 'ERR_SIGNATURE_MISSING' }],
    [{ signature: 'wrong' } as const, { code: 'ERR_SIGNATURE_WRONG', probe: false }],
    [{ signature: 'probe' } as const, { code: 'ERR_SIGNATURE_WRONG', probe: true }],
    [{ skew: 400 }, { code: 'ERR_SIGNATURE_CLOCK' }],
    [{ serial: '5FFF' }, { code: 'ERR_SIGNATURE_SERIAL', serial: '5FFF' }],
  ])('is signed like this: %j', async (how, expected) => {
    const { pay } = payer(withoutKeys(sandbox));
    sandbox.misbehave(how);
    expect(await rejection(pay())).toMatchObject(expected);
    await pay();
  });
});

test('what has no signature is not even parsed', async () => {
  const parse = jest.spyOn(JSON, 'parse');
  const forget = sandbox.on('get', 'v3/certificates', () => genuine, { signed: false });
  const failed = await rejection(Certificates.of(Builder.factory(withoutKeys(sandbox))).refresh());
  forget();
  const parsed = parse.mock.calls.map(([text]) => text);
  parse.mockRestore();
  expect(failed).toMatchObject({ code: 'ERR_SIGNATURE_MISSING' });
  expect(parsed.filter((text) => text.includes('encrypt_certificate'))).toEqual([]);
});

test('as many certificates as allowed are taken', async () => {
  const refresh = () => Certificates.of(Builder.factory(withoutKeys(sandbox))).refresh();
  const forget = sandbox.on('get', 'v3/certificates', () => ({ data: Array(32).fill(first()) }));
  expect(await refresh()).toHaveLength(32);
  forget();
});

test('of several certificates those that are not valid are left out, and the others taken', async () => {
  const expired = listed(own({ notBefore: new Date(0), notAfter: new Date(Date.now() - HOUR) }), OWN, key());
  const forget = sandbox.on('get', 'v3/certificates', () => ({ data: [expired, first()] }));
  const found = await Certificates.of(Builder.factory(withoutKeys(sandbox))).refresh();
  forget();
  expect(found.map(({ serialNumber }) => serialNumber)).toEqual([first().serial_no]);
});

test('a response signed by the configured public key is taken as well', async () => {
  await using other = await startWithCertificate();
  const list = await (await unverified(other)).json();
  await other.rotate('public-key');
  // Of a path that is not that of certificates, the sandbox signs all answers with its public key.
  other.on('get', 'proxy/v3/certificates', () => list);
  const baseUrl = `${other.url}proxy/`;
  expect(await Certificates.of(Builder.factory({ ...other.config, baseUrl })).refresh()).toHaveLength(1);
  const alone = Builder.factory({ ...withoutKeys(other), baseUrl });
  expect(await rejection(Certificates.of(alone).refresh())).toMatchObject({ code: 'ERR_SIGNATURE_SERIAL' });
});

test('no error and no object shows the APIv3 key or a private key', async () => {
  const { config } = sandbox;
  const instance = Builder.factory(withoutKeys(sandbox));
  const forget = sandbox.on('get', 'v3/certificates', FORGERIES[2]?.[1] as () => unknown);
  const failed = await rejection(Certificates.of(instance).refresh());
  forget();
  await Certificates.of(instance).refresh();
  const wrongKey = await rejection((async () => Builder.factory({ ...config, apiv3Key: config.apiv3Key.slice(1) }))());
  expect(wrongKey.message).toBe('"apiv3Key" must be the APIv3 key, 32 bytes; found 31 bytes.');
  const deep = { depth: Number.POSITIVE_INFINITY, showHidden: true };
  const shown = [failed, failed.cause, wrongKey, instance, Certificates.of(instance), config].flatMap((value) => [
    inspect(value, deep),
    String(value),
    String(JSON.stringify(value)),
  ]);
  for (const text of shown) {
    expect(text).not.toContain(config.apiv3Key.slice(1));
    expect(text).not.toContain('PRIVATE KEY');
  }
});
