import { publicEncrypt } from 'node:crypto';
import { type KeyInput, Sensitive } from 'wechatpay-undici';
import * as keySource from '../../lib/crypto/key-source';
import * as keys from '../../lib/crypto/keys';
import { selfSigned } from '../support/keys';
import { merchant, PLATFORM_ID, platform, responding, seal, wechatPay } from '../support/wechatpay';

// A key is read and checked when the client is built, and once more for what it is needed for; never for each field.

const { running, build } = wechatPay();
const CERTIFICATE = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';
const FIELDS = 3;

const sealed = (text: string) =>
  publicEncrypt({ key: merchant.publicKey, oaepHash: 'sha1' }, Buffer.from(text)).toString('base64');
const card = (write: (text: string) => string) => ({
  phone_number: write('13900000000'),
  user_information: {
    common_field_list: [{ value: write('张三') }, { value: write('李四') }],
    custom_field_list: [{ user_chosen_values: Array.from({ length: FIELDS }, (_, i) => write(`V${i}`)) }],
  },
});
const plain = card((text) => text);

const configured: readonly (readonly [string, string, KeyInput])[] = [
  ['the public key', PLATFORM_ID, platform.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ['a certificate', CERTIFICATE, selfSigned({ serial: CERTIFICATE, pair: platform })],
];

afterEach(() => jest.restoreAllMocks());

/** What is read and loaded from now on. */
function watched() {
  const read = jest.spyOn(keySource, 'readKeySource');
  const loaded = [jest.spyOn(keys, 'loadPublicKey'), jest.spyOn(keys, 'loadPrivateKey')];
  return {
    names: () => read.mock.calls.map(([, name]) => name).sort(),
    loads: () => loaded.reduce((sum, { mock }) => sum + mock.calls.length, 0),
    forget: () => jest.clearAllMocks(),
  };
}

test.each(configured)('fields in both directions, by %s: each key is loaded once', async (_name, id, key) => {
  const body = JSON.stringify(card(sealed));
  running.respond = responding(200, body, seal(body, { serial: id }));
  const instance = build({ certs: { [id]: key } });
  const call = () =>
    instance
      .chain('v3/brand/partner/card-member/user-cards/import-by-openid' as string)
      .post({ json: plain })
      .json();
  const watch = watched();
  expect(await call()).toEqual(plain);
  // "certificate" is the look at its dates.
  expect(watch.names()).toEqual([`certs["${id}"]`, 'certificate', 'privateKey'].sort());
  expect(watch.loads()).toBe(2);
  watch.forget();
  await Promise.all([call(), call()]);
  expect(watch.names()).toEqual([]);
  expect(watch.loads()).toBe(0);
  expect(running.arrived).toBe(3);
});

test.each(configured)('Sensitive.of(), by %s: a key is loaded once for each padding', async (_name, id, key) => {
  const instance = build({ certs: { [id]: key } });
  const watch = watched();
  for (let i = 0; i < FIELDS; i++) {
    const { encrypt, decrypt } = Sensitive.of(instance);
    await Promise.all([encrypt('a'), encrypt('b', 'PKCS1'), decrypt(sealed('c'))]);
  }
  expect(watch.names()).toEqual([`certs["${id}"]`, `certs["${id}"]`, 'certificate', 'privateKey'].sort());
});
