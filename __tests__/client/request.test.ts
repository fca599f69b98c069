import { readCall } from '../../lib/client/options';
import { buildRequest } from '../../lib/client/request';

/** What wechatpay-php 1.4 sends for the same, unless the design parts from it on purpose. */
const build = (template: string, options: unknown = {}, baseUrl = 'https://api.mch.weixin.qq.com/') => {
  const headers = { v2: {}, v3: { accept: 'text/plain' } };
  const defaults = { baseUrl: new URL(baseUrl), headers, timeouts: { total: 1000 }, retries: false };
  return buildRequest(readCall('post', template, options), defaults);
};
const address = (...args: Parameters<typeof build>): string => {
  const { origin, path } = build(...args);
  return origin === 'https://api.mch.weixin.qq.com' ? path : origin + path;
};

describe('path', () => {
  test.each<[string, string]>([
    ['', '/'],
    ['v3/x', '/v3/x'],
    ['/v3/x', '/v3/x'],
    ['v3/x/', '/v3/x/'],
    ['v3/x?', '/v3/x'],
    ['v3/x?a=1&b=2', '/v3/x?a=1&b=2'],
    ['v3/x?outTradeNo=AbC', '/v3/x?outTradeNo=AbC'],
    ['v3/a#fragment', '/v3/a'],
    ['v3/a/./b/../c', '/v3/a/c'],
    ['v3/a/..', '/v3/'],
    ['v3/./x', '/v3/x'],
    ['../../x', '/x'],
    ['v3/a b', '/v3/a%20b'],
    [' v3/x ', '/%20v3/x%20'],
    ['v3/100%', '/v3/100%25'],
    ['v3/a%2fb%zz', '/v3/a%2fb%25zz'],
    ['v3/中文/a😀', '/v3/%E4%B8%AD%E6%96%87/a%F0%9F%98%80'],
    ["v3/a+b*c(d)!'~;=@:&,$", "/v3/a+b*c(d)!'~;=@:&,$"],
    ['v3/a"b[c]d|e^f`g<h>i\\j', '/v3/a%22b%5Bc%5Dd%7Ce%5Ef%60g%3Ch%3Ei%5Cj'],
    ['v3/{}/{id', '/v3/%7B%7D/%7Bid'],
    ['https://api2.mch.weixin.qq.com/v3/outTradeNo?a=1', 'https://api2.mch.weixin.qq.com/v3/outTradeNo?a=1'],
    ['https://api2.mch.weixin.qq.com:443', 'https://api2.mch.weixin.qq.com/'],
    ['https://api2.mch.weixin.qq.com/v3/a//b', 'https://api2.mch.weixin.qq.com/v3/a//b'],
    ['v3/x/?a=//', '/v3/x/?a=//'],
    ['v3/x#//', '/v3/x'],
    ['v3/a%2F%2Fb', '/v3/a%2F%2Fb'],
    ['//evil.example/v3/x', 'https://evil.example/v3/x'],
  ])('%p goes to %s', (template, expected) => {
    expect(address(template)).toBe(expected);
  });

  test.each<[string, string, string]>([
    ['v3/x', 'https://apihk.mch.weixin.qq.com/hk/', 'https://apihk.mch.weixin.qq.com/hk/v3/x'],
    ['v3/x', 'https://apihk.mch.weixin.qq.com/hk', 'https://apihk.mch.weixin.qq.com/v3/x'],
    ['/v3/x', 'https://apihk.mch.weixin.qq.com/hk/', 'https://apihk.mch.weixin.qq.com/v3/x'],
    ['v3/x', 'https://x.example/a/b/?c=d#e', 'https://x.example/a/b/v3/x'],
    ['', 'https://x.example/a/b', 'https://x.example/a/b'],
    ['v3/x', 'https://X.Example:8443', 'https://x.example:8443/v3/x'],
  ])('%p below %s goes to %s', (template, baseUrl, expected) => {
    expect(address(template, {}, baseUrl)).toBe(expected);
    expect(address(template, { baseUrl })).toBe(expected);
    expect(address(template, { baseUrl: new URL(baseUrl) })).toBe(expected);
  });

  test.each([
    ['v2/pay/x', 'v2', '/pay/x'],
    ['V2/pay/x', 'v2', '/pay/x'],
    ['v2/', 'v2', '/'],
    ['v2', 'v3', '/v2'],
    ['/v2/pay/x', 'v3', '/v2/pay/x'],
    ['v2x/pay', 'v3', '/v2x/pay'],
    ['pay/x', 'v3', '/pay/x'],
  ])('%p speaks %s to %s', (template, protocol, path) => {
    expect(build(template)).toMatchObject({ protocol, path });
  });

  test.each([
    ['v3/x//close', 'The path "v3/x//close" has an empty segment after "v3/x"'],
    ['v3//x?a=1', 'an empty segment after "v3"'],
    ['/v3/x//', 'an empty segment after "/v3/x"'],
    ['v3/https://api2.mch.weixin.qq.com/v3/x', 'an empty segment after "v3/https:"'],
    ['v2//pay/x', 'The path "v2//pay/x" has an empty segment after "v2"'],
    ['v2/pay//x', 'an empty segment after "v2/pay"'],
    ['a:b', '"a:…"'],
    ['v3:80', 'Use the path only'],
    ['https://u:p@api2.mch.weixin.qq.com/v3/x', 'Not a WeChat Pay URL'],
    ['ftp://api.mch.weixin.qq.com/v3/x', '"ftp:…"'],
    ['///x', 'Not a WeChat Pay URL'],
  ])('%p is refused', (template, message) => {
    expect(() => build(template)).toThrow(message);
  });
});

describe('variables', () => {
  test('come from options of their name, which name no header, query or body', () => {
    expect(build('v3/{id}', { id: 'A/1', json: { id: 2 } })).toMatchObject({ path: '/v3/A%2F1', body: '{"id":2}' });
  });

  test('of every kind of expression are no unknown options', () => {
    const options = { a: 1, 'b-c': 2, d: ['x', 'y'], e: 3, f: { g: 4 }, empty: '' };
    expect(address('v3/{a}/{b-c}{/d*}{empty}{?e,f*}', options)).toBe('/v3/1/2/x/y?e=3&g=4');
  });

  test('that the path lacks are let alone in `variables`: a stranger may type more', () => {
    expect(address('v3/{id}', { variables: { id: 1, baseUrl: 'https://evil.example/', download: 'true', x: 1 } })).toBe(
      '/v3/1',
    );
  });

  test('come from `variables` first, also those named like an option', () => {
    expect(address('v3/{id}/{timeout}', { id: 'no', variables: { id: 'yes', timeout: 5 } })).toBe('/v3/yes/5');
  });

  test.each(['json', 'xml', 'query', 'headers', 'body', 'baseUrl', 'timeout', 'signal', 'security', 'nonceless'])(
    'an option is no variable: %s',
    (name) => {
      expect(() => build(`v3/{${name}}`, { [name]: '5' })).toThrow(`pass it as variables: { ${name}: … }`);
    },
  );

  test.each([
    ['v3/{id}/y', '..'],
    ['v3/{id}/y', '.'],
    ['v3/{+id}/y', '../../secret'],
    ['v3/{+id}/y', '%2e%2E'],
    ['v3/{+id}/y', 'a\\..'],
    ['v3/.{id}/y', '.'],
  ])('%s with %p would lead elsewhere', (template, id) => {
    expect(() => build(template, { id })).toThrow('produces a "." or ".." path segment');
  });

  test('may hold dots elsewhere', () => {
    expect(address('v3/{id}/../{+url}', { id: '..a', url: 'b..c/...' })).toBe('/v3/b..c/...');
  });
});

describe('query', () => {
  test.each<[unknown, string]>([
    ['a=1&b=2', '?a=1&b=2'],
    ['?a=1', '??a=1'],
    ['a=1 2&b=中&c[]=x', '?a=1%202&b=%E4%B8%AD&c%5B%5D=x'],
    ['a=1+2&b=%zz&c=%2f#x', '?a=1+2&b=%25zz&c=%2f%23x'],
    ['', ''],
    [undefined, '?z=0'],
    [null, '?z=0'],
    [{}, ''],
    [{ a: 1, b: 'x y' }, '?a=1&b=x%20y'],
    [{ a: null, b: undefined, c: '' }, '?c='],
    [{ t: true, f: false, n: -1.5, big: 9007199254740993n }, '?t=true&f=false&n=-1.5&big=9007199254740993'],
    [{ a: ['x', 'y'], b: { k: { z: 1 } }, c: [], d: {} }, '?a%5B0%5D=x&a%5B1%5D=y&b%5Bk%5D%5Bz%5D=1'],
    [{ 'a b': "!'()*~", ü: '中😀' }, '?a%20b=%21%27%28%29%2A~&%C3%BC=%E4%B8%AD%F0%9F%98%80'],
    [{ t: '2015-05-20T13:29:35+08:00' }, '?t=2015-05-20T13%3A29%3A35%2B08%3A00'],
    [new URLSearchParams('a=1+2&a=x%2By'), '?a=1%202&a=x%2By'],
  ])('%j', (query, expected) => {
    expect(address('v3/x?z=0', { query })).toBe(`/v3/x${expected}`);
  });

  test.each<[unknown, string]>([
    [5, '"query" must be an object, URLSearchParams or a string, not number'],
    [false, 'not boolean'],
    [{ a: Number.NaN }, 'The "query" member "a"'],
    [{ a: { b: () => 1 } }, 'The "query" member "b"'],
    [{ a: '\udc00' }, 'a lone surrogate'],
  ])('%p is refused', (query, message) => {
    expect(() => build('v3/x', { query })).toThrow(message);
  });
});

describe('body', () => {
  test.each<[object, string | undefined]>([
    [{ json: { a: '中/é😀', url: 'https://x/' } }, '{"a":"中/é😀","url":"https://x/"}'],
    [{ json: [] }, '[]'],
    [{ json: false }, 'false'],
    [{ json: 0 }, '0'],
    [{ json: '' }, '""'],
    [{ json: null }, undefined],
    [{ json: { a: null, b: undefined } }, '{"a":null}'],
    [{ json: { a: 1 }, body: 'text' }, '{"a":1}'],
    [{ json: null, body: 'text' }, 'text'],
    [{ body: '{"a":"中/"}' }, '{"a":"中/"}'],
    [{ body: '' }, undefined],
    [{ body: null }, undefined],
    [{ body: 5 }, '5'],
    [{ xml: null }, undefined],
    [{}, undefined],
  ])('%j', (options, expected) => {
    expect(build('v3/x', options).body).toBe(expected);
  });

  test('bytes stay bytes', () => {
    const bytes = new Uint8Array([0, 255, 128]);
    expect(build('v3/x', { body: bytes }).body).toEqual(bytes);
    expect(build('v3/x', { body: bytes.buffer }).body).toEqual(bytes);
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each<[object, string]>([
    [{ json: { amount: { total: Number.NaN } } }, 'its member "total" is NaN'],
    [{ json: { total: Infinity } }, 'its member "total" is Infinity'],
    [{ json: { total: 1n } }, '"json" cannot be written as JSON'],
    [{ json: circular }, '"json" cannot be written as JSON'],
    [{ json: () => 1 }, '"json" cannot be a function'],
    [{ json: Symbol('x') }, '"json" cannot be a symbol'],
    [{ body: { a: 1 } }, 'pass an object as "json"'],
    [{ body: [1] }, 'pass an object as "json"'],
  ])('%p is refused', (options, message) => {
    expect(() => build('v3/x', options)).toThrow(message);
  });
});

describe('headers', () => {
  test.each<[unknown, Record<string, string>]>([
    [undefined, { accept: 'text/plain' }],
    [null, { accept: 'text/plain' }],
    [
      { Accept: 'a/b', 'X-A': 1, 'X-B': true },
      { accept: 'a/b', 'x-a': '1', 'x-b': 'true' },
    ],
    [{ ACCEPT: null, 'X-A': undefined }, {}],
    [{ 'X-A': ['1', '2'] }, { accept: 'text/plain', 'x-a': '1, 2' }],
    [
      { 'X-A': '1', 'x-a': '2' },
      { accept: 'text/plain', 'x-a': '1, 2' },
    ],
    [
      { 'X-A': '  1  ', 'X-B': '' },
      { accept: 'text/plain', 'x-a': '1', 'x-b': '' },
    ],
    [{ 'X-A': '中' }, { accept: 'text/plain', 'x-a': 'ä¸\u00ad' }],
    [{ 'Content-Length': '99', Connection: 'close' }, { accept: 'text/plain' }],
    [new Headers({ 'X-A': '1' }), { accept: 'text/plain', 'x-a': '1' }],
    [new Map([['X-A', '1']]), { accept: 'text/plain', 'x-a': '1' }],
    [[['X-A', '1']], { accept: 'text/plain', 'x-a': '1' }],
  ])('%p', (headers, expected) => {
    expect(build('v3/x', { headers }).headers).toEqual(expected);
  });

  test.each<[unknown, string]>([
    ['X-A: 1', '"headers" must be an object'],
    [['X-A: 1'], 'must contain [name, value] pairs'],
    [{ 'X A': '1' }, '"X A" is not a valid header name'],
    [{ '': '1' }, 'is not a valid header name'],
    [{ 'X-A': [] }, 'The header "x-a" is an empty list'],
    [{ 'X-A': {} }, 'The header "x-a" must be a string, a number'],
    [{ 'X-A': '1\nX-B: 2' }, 'The header "x-a" contains a line break'],
    [{ Host: '[' }, 'The "host" header is not a valid host'],
    [{ 'X-A': 'a\u0000' }, 'The header "x-a" contains a line break or another control character'],
  ])('%p is refused', (headers, message) => {
    expect(() => build('v3/x', { headers })).toThrow(message);
  });
});

describe('other options', () => {
  test('timeout and signal', () => {
    const { signal } = new AbortController();
    expect(build('v3/x')).toMatchObject({ timeout: 1000, signal: undefined });
    expect(build('v3/x', { timeout: 5, signal })).toMatchObject({ timeout: 5, signal });
  });

  test.each<[unknown, string]>([
    ['a=1', 'The options must be an object, not a string'],
    [null, 'The options must be an object, not null'],
    [{ timeout: 0 }, '"timeout" must be a number of milliseconds'],
    [{ timeout: '5' }, '"timeout" must be'],
    [{ timeout: 2 ** 31 }, '"timeout" must be'],
    [{ timeout: Number.NaN }, '"timeout" must be'],
    [{ signal: {} }, '"signal" must be an AbortSignal'],
    [{ baseUrl: '' }, '"baseUrl" must be an absolute URL'],
    [{ baseUrl: '/a/' }, '"baseUrl" must be an absolute URL'],
    [{ baseUrl: 'x.example/a/' }, '"baseUrl" must be an absolute URL'],
    [{ baseUrl: 'ftp://x.example/' }, '"baseUrl" must be an absolute URL'],
    [{ baseUrl: 'https://u:p@x.example/' }, '"baseUrl" must be an absolute URL'],
    [{ variables: 'x' }, '"variables" must be an object'],
    [{ variables: ['x'] }, '"variables" must be an object'],
    [{ variables: null }, '"variables" must be an object'],
    [{ baseUrl: 'http://api.mch.weixin.qq.com/' }, 'hosts of WeChat Pay are called over https only'],
    [{ baseUrl: 'HTTP://API.MCH.weixin.qq.com./' }, 'hosts of WeChat Pay are called over https only'],
    [{ baseUrl: 'http://pay.wechatpay.cn:8080/' }, 'hosts of WeChat Pay are called over https only'],
    [{ data: {} }, '"data" is neither an option nor a variable of "v3/x": use "json"'],
    [{ params: {} }, 'use "query"'],
    [{ base_uri: 'https://x.example/' }, 'use "baseUrl"'],
  ])('%p is refused', (options, message) => {
    expect(() => build('v3/x', options)).toThrow(message);
  });

  test('a name of another client may be a variable', () => {
    expect(address('v3/{data}', { data: 1 })).toBe('/v3/1');
  });
});

describe('an option that is true or false', () => {
  const flags = ['retry', 'security', 'nonceless', 'download', 'unsigned', 'encrypted'];
  test.each(flags.flatMap((name) => ['v3/x', 'v2/x'].map((path) => [name, path] as const)))(
    '%s of %s',
    (name, path) => {
      for (const value of [false, undefined]) expect(() => build(path, { [name]: value })).not.toThrow();
      for (const [value, found] of [
        ['true', 'a string'],
        ['false', 'a string'],
        ['', 'a string'],
        [1, 'a number'],
        [0, 'a number'],
        [null, 'null'],
        [[], 'an object'],
        [Object(false), 'an object'],
      ] as const) {
        expect(() => build(path, { [name]: value })).toThrow(`"${name}" must be true or false, not ${found}.`);
      }
    },
  );

  test('counts before what is known of the operation', () => {
    const base = { baseUrl: undefined, headers: { v2: {}, v3: {} }, timeouts: {}, retries: false };
    const download = (options: object) => buildRequest(readCall('get', 'v3/billdownload/file', options), base).download;
    expect([{}, { download: undefined }, { download: false }, { download: true }].map(download)).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});

describe('what has no place in the request is refused: it would be dropped', () => {
  const order = { appid: 'wx1', mchid: '1', description: 'x' };
  test.each<[string, string, object, string]>([
    ['post', 'v3/x', { jsno: {} }, '"jsno" is neither an option nor a variable of "v3/x": did you mean "json"?'],
    ['post', 'v3/x', { JSON: {} }, 'did you mean "json"?'],
    ['post', 'v3/x', { jso: {} }, 'did you mean "json"?'],
    ['post', 'v3/x', { header: {}, json: {} }, 'did you mean "headers"?'],
    ['get', 'v3/x', { baseurl: 'https://x.example/' }, 'did you mean "baseUrl"?'],
    ['get', 'v3/{out_trade_no}', { out_trade_no: 1, outtrade_no: 1 }, 'did you mean "out_trade_no"?'],
    ['post', 'v3/x', order, '"appid" (as are 2 more) is neither'],
    ['post', 'v3/x', order, 'pass it as { json: { "appid": … } }.'],
    ['put', 'v3/x', { appid: 1 }, 'pass it as { json: { "appid": … } }.'],
    ['patch', 'v3/x', { appid: 1 }, 'pass it as { json: { "appid": … } }.'],
    ['post', 'v2/x', { appid: 1 }, 'pass it as { xml: { "appid": … } }.'],
    ['get', 'v2/x', { appid: 1 }, 'pass it as { xml: { "appid": … } }.'],
    ['get', 'v3/x', { mchid: 1 }, 'pass it as { query: { "mchid": … } }.'],
    ['delete', 'v3/x', { mchid: 1 }, 'pass it as { query: { "mchid": … } }.'],
    ['post', 'v3/{id}', { id: 1, json: {}, sub_mchid: 1 }, 'valid options: json, xml, query, headers, body, baseUrl'],
    ['post', 'v3/{id}', { id: 1, json: {}, sub_mchid: 1 }, 'variables, id.'],
    ['post', 'v3/x', { body: '{}', mchid: 1 }, 'valid options: json'],
    ['get', 'v3/x', { mchid: undefined }, '"mchid" is neither'],
    ['get', 'v3/x', JSON.parse('{"__proto__":{"download":true}}'), '"__proto__" is neither'],
    ['get', 'v3/x', { '\u001b[2J\u009b': 1 }, '"\\u001b[2J\\u009b" is neither'],
    ['get', 'v3/x', { ['x'.repeat(1000)]: 1 }, `"${'x'.repeat(64)}…" is neither`],
    ['post', 'v3/x', { xml: { a: 1 } }, '"xml" is for paths that begin with "v2/": "v3/x" takes "json".'],
    ['post', 'v2/x', { json: { a: 1 } }, '"json" is for APIv3: "v2/x" takes "xml".'],
    ['post', '{+url}', { url: 'v2/x', json: { a: 1 } }, '"json" is for APIv3'],
    ['post', 'v2/x', { body: '<xml/>' }, '"body" of a v2 request must be a Media'],
  ])('%s %s %j: %s', (verb, template, options, message) => {
    expect(() => readCall(verb, template, options)).toThrow(message);
  });

  test('null and an empty body are nothing', () => {
    expect(() => readCall('post', 'v3/x', { xml: null, body: '' })).not.toThrow();
    expect(() => readCall('post', 'v2/x', { json: null, body: '', xml: {} })).not.toThrow();
    expect(() => readCall('post', 'v2/x', { json: undefined, body: null })).not.toThrow();
  });
});
