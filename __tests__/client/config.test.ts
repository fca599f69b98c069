import { Builder, type ClientConfig } from 'wechatpay-undici';
import { VERSION } from '../../lib/version';
import { version } from '../../package.json';
import { rsaKeyPair, selfSigned } from '../support/keys';

const { privateKey, publicKey: own } = rsaKeyPair();
const platform = rsaKeyPair(2048, 'other');
const { publicKey } = platform;
const config: ClientConfig = {
  mchid: '1900000109',
  serial: '3775B6A45ACD588826D15E583A95F5DD3775B6A4',
  privateKey,
  certs: { PUB_KEY_ID_0114232134912410000000000000: publicKey },
};

test('a configuration that works; nothing is sent, no handle is opened', () => {
  const before = process.getActiveResourcesInfo();
  expect(String(Builder.factory(config).v3)).toBe('v3');
  expect(process.getActiveResourcesInfo()).toEqual(before);
});

test('certificates and the public key side by side, as in the grey switch', () => {
  const certificate = selfSigned({ serial: '7132D72A03E93CDDF8C03BBD1F37EEDF', pair: platform });
  const certs = { ...config.certs, '7132D72A03E93CDDF8C03BBD1F37EEDF': certificate };
  expect(() => Builder.factory({ ...config, certs })).not.toThrow();
});

test.each<[string, object | undefined, string]>([
  ['no configuration', undefined, 'The configuration must be an object'],
  ['no mchid', { mchid: undefined }, '"mchid" is missing'],
  ['an empty mchid', { mchid: '' }, '"mchid" is missing'],
  ['a number as mchid', { mchid: 1900000109 }, '"mchid" is not a string without'],
  ['no serial', { serial: undefined }, '"serial" is missing'],
  ['a serial with colons', { serial: '37:75:B6' }, '"serial" is not a string without spaces, quotes, commas or colons'],
  ['a serial with a quote', { serial: 'A"' }, '"serial" is not a string without'],
  ['no private key', { privateKey: undefined }, '"privateKey" is undefined: the key is missing'],
  ['a public key as private key', { privateKey: publicKey }, '"privateKey" should hold an RSA private key'],
  ['no certs', { certs: undefined }, '"certs" must contain WeChat Pay\'s public key'],
  ['empty certs', { certs: {} }, '"certs" must contain WeChat Pay\'s public key'],
  ['a private key in certs', { certs: { PUB_KEY_ID_1: privateKey } }, 'certs["PUB_KEY_ID_1"]'],
  ["the merchant's serial in certs", { certs: { [config.serial]: publicKey } }, "the merchant's own serial number"],
  [
    "the merchant's serial in lower case",
    { certs: { [config.serial.toLowerCase()]: publicKey } },
    "the merchant's own",
  ],
  ["the merchant's public key", { certs: { PUB_KEY_ID_1: own } }, 'certs["PUB_KEY_ID_1"] is the merchant\'s own'],
  ['a certificate by another serial', { certs: { ABC: selfSigned({ serial: '0DEF' }) } }, 'contains certificate 0DEF'],
  ['a base URL that is none', { baseUrl: 'api.mch.weixin.qq.com' }, '"baseUrl" must be an absolute URL'],
  ['a base URL with a password', { baseUrl: 'https://a:b@api.mch.weixin.qq.com' }, '"baseUrl" must be an absolute URL'],
  ['a timeout that is none', { timeout: '5s' }, '"timeout" must be a number of milliseconds'],
  ['a header that is none', { headers: { a: 'b\n' + 'c' } }, 'The header "a" contains a line break'],
  [
    'an option of another client',
    { base_uri: 'https://api.mch.weixin.qq.com' },
    'Unknown option "base_uri". Valid options: mchid',
  ],
])('%s', (_name, change, message) => {
  const broken = change && { ...config, ...change };
  expect(() => Builder.factory(broken as ClientConfig)).toThrow(message);
});

test('the version that the client sends is that of the package', () => {
  expect(VERSION).toBe(version);
});
