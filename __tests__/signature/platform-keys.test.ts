import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  Builder,
  type ClientConfig,
  ConfigurationError,
  Notifications,
  Sensitive,
  signer,
  verifier,
} from 'wechatpay-undici';
import { loadPlatformKeys } from '../../lib/signature/platform-keys';
import { selfSigned } from '../support/keys';
import { loose } from '../support/loose';
import { rejection } from '../support/rejection';
import { merchant, PLATFORM_ID, platform, responding, seal, wechatPay } from '../support/wechatpay';

const { running, config, build } = wechatPay();
const DAY = 86_400_000;
const apiv3Key = 'v'.repeat(32);

let serials = 0xa1;
/** A certificate of its own: what has been warned of once is not warned of again. */
function issue(from: number, until: number) {
  serials += 1;
  const serial = serials.toString(16).toUpperCase().padStart(2, '0');
  const dates = { notBefore: new Date(Date.now() + from * DAY), notAfter: new Date(Date.now() + until * DAY) };
  return { serial, pem: selfSigned({ serial, pair: platform, ...dates }) };
}
const post = (instance: ReturnType<typeof build>, options: object = {}) =>
  loose(instance)
    .chain('v3/profitsharing/receivers/add')
    .post({ json: { name: '张三' }, ...options });

afterEach(() => jest.restoreAllMocks());
const warnings = () => jest.spyOn(process, 'emitWarning').mockImplementation(() => {});

describe('the dates of a certificate', () => {
  test.each<[string, number, number, RegExp]>([
    ['expired', -1000, -1, /certs\["\w+"\] expired on \d{4}-\d\d-\d\d\..+pub_key\.pem/],
    ['not valid yet', 1, 1000, /certs\["\w+"\] is valid only from \d{4}-\d\d-\d\d\./],
  ])('alone and %s, it is refused wherever it is given', (_, from, until, message) => {
    const { serial, pem } = issue(from, until);
    for (const form of [pem, Buffer.from(pem), new X509Certificate(pem)]) {
      const certs = { [serial]: form };
      for (const make of [
        () => Builder.factory(config({ certs })),
        () => verifier({ certs }),
        () => signer({ ...config(), certs } as never),
        () => Notifications.of({ certs, apiv3Key }),
      ]) {
        expect(make).toThrow(ConfigurationError);
        expect(make).toThrow(message);
      }
    }
  });

  test('beside a key that counts, an expired one neither verifies nor announces nor encrypts', async () => {
    const { serial, pem } = issue(-1000, -1);
    const { serial: current, pem: valid } = issue(-1, 1000);
    const instance = build({ certs: { [serial]: pem, [current]: valid } });
    running.respond = (response, { headers }) => {
      const body = JSON.stringify({ announced: headers['wechatpay-serial'] });
      responding(200, body, seal(body, { serial: current }))(response, {} as never, '');
    };
    expect(await post(instance).json()).toEqual({ announced: current });
    expect(Sensitive.of(instance).serial).toBe(current);
    expect(() => Sensitive.of(instance, serial)).toThrow(/expired on/);
    running.respond = responding(200, '{}', seal('{}', { serial }));
    expect(await rejection(post(instance))).toMatchObject({
      code: 'ERR_SIGNATURE_SERIAL',
      message: expect.stringMatching(/certs\["\w+"\] expired on/),
    });
  });

  test('announced by the caller, an expired one is refused before anything is sent', async () => {
    const { serial, pem } = issue(-1000, -1);
    const instance = build({ certs: { [serial]: pem, [PLATFORM_ID]: platform.publicKey } });
    for (const options of [{}, { encrypted: true }]) {
      const error = await rejection(post(instance, { headers: { 'Wechatpay-Serial': serial }, ...options }));
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error.message).toMatch(/expired on/);
    }
    expect(running.arrived).toBe(0);
  });

  test('one that expires while the client runs sends nothing any more, and does not verify', async () => {
    warnings();
    const { serial, pem } = issue(-10, 5);
    const instance = build({ certs: { [serial]: pem } });
    const keys = loadPlatformKeys({ [serial]: pem });
    expect(keys.get(serial)).toBeDefined();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 6 * DAY);
    expect(keys.get(serial)).toBeUndefined();
    expect([...keys.keys()]).toEqual([]);
    for (const options of [{}, { encrypted: true }]) {
      expect(await rejection(post(instance, options))).toBeInstanceOf(ConfigurationError);
    }
    expect(running.arrived).toBe(0);
  });

  test('with the APIv3 key others are downloaded: an expired one is no error, and does not count', () => {
    const warned = warnings();
    const { serial, pem } = issue(-1000, -1);
    const soon = issue(-10, 5);
    expect(() => build({ certs: { [serial]: pem, [soon.serial]: soon.pem }, apiv3Key })).not.toThrow();
    const keys = loadPlatformKeys({ [serial]: pem }, { dates: 'counted' });
    expect(keys.get(serial)).toBeUndefined();
    expect(warned).not.toHaveBeenCalled();
  });

  test('where something old is looked at they do not count', () => {
    const { serial, pem } = issue(-1000, -1);
    expect(loadPlatformKeys({ [serial]: pem }, { dates: 'ignored' }).get(serial)).toBeDefined();
  });
});

describe('the warning before a certificate expires', () => {
  test('comes once, within 30 days', () => {
    const warned = warnings();
    const { serial, pem } = issue(-10, 29);
    build({ certs: { [serial]: pem } });
    build({ certs: { [serial]: pem } });
    verifier({ certs: { [serial]: pem } });
    expect(warned).toHaveBeenCalledTimes(1);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining(`certs["${serial}"] expires on`), {
      code: 'WECHATPAY_CERTIFICATE_EXPIRES',
    });
  });

  test('comes while the client runs', () => {
    const warned = warnings();
    const { serial, pem } = issue(-10, 100);
    const keys = loadPlatformKeys({ [serial]: pem });
    expect(warned).not.toHaveBeenCalled();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 80 * DAY);
    keys.get(serial);
    keys.get(serial);
    expect(warned).toHaveBeenCalledTimes(1);
  });

  test.each<[string, (soon: ReturnType<typeof issue>) => object]>([
    ['the public key is there', () => ({ [PLATFORM_ID]: platform.publicKey })],
    ['a newer one is there', () => Object.fromEntries([issue(-1, 1000)].map(({ serial, pem }) => [serial, pem]))],
  ])('does not come where %s', (_, others) => {
    const warned = warnings();
    const soon = issue(-10, 5);
    build({ certs: { [soon.serial]: soon.pem, ...others(soon) } });
    expect(warned).not.toHaveBeenCalled();
  });
});

describe("the merchant's own key", () => {
  const own = createPublicKey(merchant.privateKey);
  const forms: [string, unknown][] = [
    ['a KeyObject', own],
    ['SPKI', own.export({ type: 'spki', format: 'pem' })],
    ['PKCS#1', own.export({ type: 'pkcs1', format: 'der' })],
    ['its certificate', selfSigned({ serial: 'ABCDEF01', pair: merchant })],
  ];

  test.each(forms)('as %s is refused in the place of WeChat Pay’s, wherever it can be known', (_, key) => {
    const certs = { ABCDEF01: key };
    const { privateKey } = merchant;
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const make of [
      () => build({ certs }),
      () => build({ certs, privateKey: pem }),
      () => build({ certs, apiv3Key }),
      () => verifier({ certs, privateKey } as never),
      () => signer({ ...config(), certs } as never),
      () => Notifications.of(build(), { certs: certs as never, apiv3Key }),
    ]) {
      expect(make).toThrow(ConfigurationError);
      expect(make).toThrow(/certs\["ABCDEF01"\] is the merchant's own public key/);
    }
  });

  test('its serial number is refused in notifications and interceptors too', () => {
    const { serial } = config() as ClientConfig & { serial: string };
    const certs = { [serial.toLowerCase()]: platform.publicKey };
    for (const make of [
      () => Notifications.of(build(), { certs, apiv3Key }),
      () => verifier({ certs, serial }),
      () => signer({ ...config(), certs } as never),
    ]) {
      expect(make).toThrow(/the merchant's own serial number/);
    }
  });

  test('the interceptors take what is WeChat Pay’s', () => {
    expect(() => verifier(config() as never)).not.toThrow();
    expect(() => signer(config() as never)).not.toThrow();
    expect(() => verifier({ certs: { [PLATFORM_ID]: platform.publicKey } })).not.toThrow();
  });
});

describe('the public exponent', () => {
  const jwk = platform.publicKey.export({ format: 'jwk' });
  test.each([
    [1, 'AQ'],
    [2, 'Ag'],
    [65536, 'AQAA'],
  ])('%i is refused', (exponent, e) => {
    const key = createPublicKey({ key: { ...jwk, e }, format: 'jwk' });
    expect(() => build({ certs: { [PLATFORM_ID]: key } })).toThrow(
      `found a key with public exponent ${exponent}; an odd number of 3 or more is required`,
    );
  });

  test('3 and 65537 are taken', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
    for (const key of [publicKey, platform.publicKey]) {
      expect(() => build({ certs: { [PLATFORM_ID]: key } })).not.toThrow();
    }
  });
});
