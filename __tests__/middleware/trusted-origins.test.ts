import type { Dispatcher } from 'undici';
import { isTrusted, originOf, trustedOrigins } from '../../lib/middleware/signing';

const HOSTS = [
  ...['api.mch.weixin.qq.com', 'api2.mch.weixin.qq.com', 'apihk.mch.weixin.qq.com', 'apius.mch.weixin.qq.com'],
  ...['apieu.mch.weixin.qq.com', 'fraud.mch.weixin.qq.com', 'payapp.weixin.qq.com', 'api.weixin.qq.com'],
  'pay.wechatpay.cn',
];
/** Whether a request to an origin is signed. */
const trusts = (origin: unknown, trustedOrigin?: string, origins = trustedOrigins()) => {
  const options = { origin, path: '/', method: 'GET', trustedOrigin } as Dispatcher.DispatchOptions;
  return isTrusted(options, origins);
};

test("without a configuration these are WeChat Pay's hosts, over https, and no others", () => {
  expect([...trustedOrigins()].sort()).toEqual(HOSTS.map((host) => `https://${host}`).sort());
  expect(trustedOrigins({})).toEqual(trustedOrigins());
});

test('what is configured joins them, by scheme, host and port', () => {
  const baseUrls = ['http://127.0.0.1:8080/b?c', new URL('https://Y.example:443')];
  const origins = trustedOrigins({ baseUrl: 'https://x.example/a/', baseUrls });
  expect([...origins].slice(HOSTS.length)).toEqual(['https://x.example', 'http://127.0.0.1:8080', 'https://y.example']);
});

test.each<[unknown, boolean]>([
  ...HOSTS.map((host) => [`https://${host}`, true] as [string, boolean]),
  ['https://API.mch.weixin.qq.com:443', true],
  ['https://api.mch.weixin.qq.com/', true],
  [new URL('https://api.mch.weixin.qq.com/v3/'), true],
  ['http://api.mch.weixin.qq.com', false],
  [new URL('http://api.mch.weixin.qq.com'), false],
  ['https://api.mch.weixin.qq.com:8443', false],
  ['https://api.mch.weixin.qq.com.', false],
  ['https://api.mch.weixin.qq.com.evil.example', false],
  ['https://api.mch.weixin.qq.com@evil.example', false],
  ['https://evil.example', false],
  [new URL('https://evil.example'), false],
  ['api.mch.weixin.qq.com', false],
  ['', false],
  [undefined, false],
])('%p is trusted: %p', (origin, expected) => {
  expect(trusts(origin)).toBe(expected);
});

test('what a dispatch says to trust is that origin alone, and never a host of WeChat Pay in the clear', () => {
  expect(trusts('http://127.0.0.1:1', 'http://127.0.0.1:1')).toBe(true);
  expect(trusts(new URL('http://127.0.0.1:1/x'), 'http://127.0.0.1:1')).toBe(true);
  expect(trusts('http://127.0.0.1:2', 'http://127.0.0.1:1')).toBe(false);
  expect(trusts('http://api.mch.weixin.qq.com', 'http://api.mch.weixin.qq.com')).toBe(false);
  for (const origin of [undefined, '', 'x']) expect(trusts(origin, origin)).toBe(false);
});

test('an origin is read whatever it is given as', () => {
  expect(['https://X.example:443/a', new URL('http://x.example:80/'), 'x', '', undefined].map(originOf)).toEqual([
    ...['https://x.example', 'http://x.example'],
    ...[undefined, undefined, undefined],
  ]);
});
