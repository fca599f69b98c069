import { createHash } from 'node:crypto';
import { Agent } from 'undici';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { loose } from '../support/loose';
import { rejection } from '../support/rejection';

// What wechatpay-php 1.4.12 sends with a key that is published as one; without a nonce its signatures can be compared.
// The sandbox has another key: it refuses the calls, and that is of no interest here.

let sandbox: Sandbox;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => sandbox.reset());
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

const mch_id = '1900000109';
const sent = () => sandbox.requests.at(-1);
const client = () => {
  const config = { mchid: mch_id, secret: 'exposed_your_key_here_have_risks', baseUrl: sandbox.url };
  return loose<'v2' | 'x' | '_id_'>(Builder.factory({ ...config, dispatcher: agent }));
};
const call = (verb: 'get' | 'post', options: object) =>
  rejection(
    client()
      .chain('v2/x')
      [verb]({ nonceless: true, ...options }),
  );
const MCH_ID = '<mch_id>1900000109</mch_id>';

test.each<[string, object, string, string]>([
  ['nothing else', {}, '', 'E3DBD00CE2D8AE1CFD4E6FCB221A41AA'],
  ['plain', { a: 'b', B: 'c', _: 'd' }, '<a>b</a><B>c</B><_>d</_>', '253595B49889BF1789F87E9486414C59'],
  [
    'special characters',
    { a: '<b>&"c"\'d\'', amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" },
    '<a><![CDATA[<b>&"c"\'d\']]></a><amp><![CDATA[&]]></amp><lt><![CDATA[<]]></lt><gt><![CDATA[>]]></gt><quot><![CDATA["]]></quot><apos>\'</apos>',
    '67E8343E2552504CF9626B49B2E58257',
  ],
  [
    'white space',
    { a: ' x ', b: '\t\r\n', c: 'l1\nl2' },
    '<a> x </a><b>\t&#13;\n</b><c>l1\nl2</c>',
    '0A734B91728546ACF89FAF3EED0BA8A3',
  ],
  ['Chinese and beyond', { a: '中😀é', b: '\u2028' }, '<a>中😀é</a><b>\u2028</b>', 'CC86D59E3E45B8CC6F0EB466F2D677A3'],
  [
    'empty values',
    { a: '', b: null, c: '0', d: 0 },
    '<a></a><b></b><c>0</c><d>0</d>',
    'C8B0B6E61CCD4E2322D94A3C6FF52B9E',
  ],
  [
    'integers',
    { a: 1, b: -1, c: 9007199254740993n },
    '<a>1</a><b>-1</b><c>9007199254740993</c>',
    '64F8CE421C5D47386DE74B5F3275040F',
  ],
  [
    'a URL',
    { a: new URL('https://x/?a=1&b=2') },
    '<a><![CDATA[https://x/?a=1&b=2]]></a>',
    '4AC2679AC72378246C996F0BC74C86F0',
  ],
  [
    'JSON',
    { scene_info: '{"h5_info":{"type":"Wap"}}', detail: '["\\u4e2d\\/"]' },
    '<scene_info><![CDATA[{"h5_info":{"type":"Wap"}}]]></scene_info><detail><![CDATA[["\\u4e2d\\/"]]]></detail>',
    'B52C575F0E8C5DA327A969028A056259',
  ],
  [
    'HMAC-SHA256',
    { sign_type: 'HMAC-SHA256', a: 'b' },
    '<sign_type>HMAC-SHA256</sign_type><a>b</a>',
    '98012B40F694ADB50B8A9CCD36407549E276A8A5C6DC9109645257AFF4084474',
  ],
  ['MD5', { sign_type: 'MD5', a: 'b' }, '<sign_type>MD5</sign_type><a>b</a>', '3B9E796932B93E52B9A71B20B5A49A5E'],
  ['no sign_type', { sign_type: null, a: 'b' }, '<sign_type></sign_type><a>b</a>', '622BE013FDCA6F23D3F956796DDDFB73'],
  [
    'a nonce',
    { nonce_str: 'NONCE', a: 'b' },
    '<nonce_str>NONCE</nonce_str><a>b</a>',
    'D1D713E94AC8D22D6EDD2060E2199CAE',
  ],
  ['an empty nonce', { nonce_str: '', a: 'b' }, '<nonce_str></nonce_str><a>b</a>', '622BE013FDCA6F23D3F956796DDDFB73'],
])('xml: %s', async (_, fields, body, sign) => {
  await call('post', { xml: { mch_id, ...fields } });
  expect(sent()?.body).toBe(`<xml>${MCH_ID}${body}<sign>${sign}</sign></xml>`);
});

test('xml: true as 1; the end of a CDATA, split', async () => {
  await call('post', { xml: { mch_id, t: true } });
  const hash = createHash('md5').update('mch_id=1900000109&t=1&key=exposed_your_key_here_have_risks');
  expect(sent()?.body).toBe(`<xml>${MCH_ID}<t>1</t><sign>${hash.digest('hex').toUpperCase()}</sign></xml>`);
  await call('post', { xml: { mch_id, a: 'x]]>y' } });
  expect(sent()?.body).toBe(
    `<xml>${MCH_ID}<a><![CDATA[x]]]]><![CDATA[>y]]></a><sign>FE9CE40C1F5F9853F52A71C31DCEC7B2</sign></xml>`,
  );
});

test('xml: a sign of the caller is replaced where it stands', async () => {
  await call('post', { xml: { mch_id, sign: 'MINE', a: 'b' } });
  expect(sent()?.body).toBe(`<xml>${MCH_ID}<sign>622BE013FDCA6F23D3F956796DDDFB73</sign><a>b</a></xml>`);
});

test.each(['put', 'delete', 'patch'] as const)('xml: %s, with a query', async (verb) => {
  await rejection(
    client()
      .chain('v2/x')
      [verb]({ nonceless: true, query: { q: '1 2' }, xml: { mch_id, a: 'b' } }),
  );
  expect(sent()).toMatchObject({
    ...{ method: verb.toUpperCase(), target: '/x?q=1%202' },
    body: `<xml>${MCH_ID}<a>b</a><sign>622BE013FDCA6F23D3F956796DDDFB73</sign></xml>`,
  });
});

test.each<[string, object, string]>([
  ['mch_id', { mch_id }, 'E3DBD00CE2D8AE1CFD4E6FCB221A41AA'],
  ['a number', { mch_id: 1900000109 }, 'E3DBD00CE2D8AE1CFD4E6FCB221A41AA'],
  ['mchid', { mchid: mch_id }, '237BE11682824F3C324C5F413F3577FA'],
  ['combine_mch_id', { combine_mch_id: mch_id }, 'A6120E87296BD6D81D90D33D145230D2'],
  ['mchid beside a mch_id of null', { mch_id: null, mchid: mch_id }, '237BE11682824F3C324C5F413F3577FA'],
])('the merchant as %s', async (_, xml, sign) => {
  await call('post', { xml });
  expect(sent()?.body).toContain(`<sign>${sign}</sign></xml>`);
});

test.each<[string, 'get' | 'post', object, string]>([
  ['another mch_id', 'post', { xml: { mch_id: '1' } }, 'mch_id, mchid, combine_mch_id are 1; one must be "1900000109"'],
  ['another mch_id before the right mchid', 'post', { xml: { mch_id: '1', mchid: mch_id } }, 'are 1'],
  ['partner_id alone', 'post', { xml: { partner_id: mch_id } }, 'are missing; one must be "1900000109"'],
  ['no merchant', 'post', { xml: { a: 'b' } }, 'are missing'],
  ['no xml', 'post', {}, 'are missing'],
  ['xml as text', 'post', { xml: '<xml/>' }, '"xml" must be an object'],
  ['body alone', 'post', { body: '<xml/>' }, 'pass fields as "xml"'],
  ['no merchant in a query', 'get', { query: { a: 1 } }, 'are missing'],
  ['no query', 'get', {}, 'are missing'],
  ['an unknown sign_type', 'post', { xml: { mch_id, sign_type: 'hmac-sha256' } }, '"sign_type" must be MD5 or HMAC'],
  ['false', 'post', { xml: { mch_id, f: false } }, 'The field "f" is false'],
  ['a list', 'post', { xml: { mch_id, a: ['x'] } }, 'The field "a" is an array'],
  ['an object', 'post', { xml: { mch_id, a: { k: 'v' } } }, 'The field "a" is of type object'],
  ['a list, by GET', 'get', { xml: { mch_id, a: ['x'] } }, 'The field "a" is an array'],
  ['a name twice, by GET', 'get', { query: `mch_id=${mch_id}&a=1&a=2` }, 'The field "a" appears more than once'],
  ['a control character', 'post', { xml: { mch_id, a: 'x\u0001y' } }, 'The field "a" contains a control character'],
])('%s is refused, nothing is sent', async (_, verb, options, message) => {
  const error = await call(verb, options);
  expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining(message) });
  expect(sandbox.requests).toEqual([]);
});

test.each<[string, object, string]>([
  [
    'an object',
    { query: { mch_id, b: '2', a: '1 +&=/中' } },
    'b=2&a=1%20%2B%26%3D%2F%E4%B8%AD&sign=738E4BEAF041BF5537BC7E564C35DF76',
  ],
  ['text', { query: `mch_id=${mch_id}&b=2&a=1%20x` }, 'b=2&a=1%20x&sign=BE67DDF6D3544F63A995A3B605005A06'],
  ['text with plus', { query: `mch_id=${mch_id}&a=1+x&b=%2B` }, 'a=1%20x&b=%2B&sign=4D2C7777CEE8BBBA2CF88062F95879C0'],
  ['text with bare names', { query: `mch_id=${mch_id}&a=&b` }, 'a=&b&sign=E3DBD00CE2D8AE1CFD4E6FCB221A41AA'],
  [
    'nested members',
    { query: { mch_id, a: ['x', 'y'], b: { k: 'v' } } },
    'a%5B0%5D=x&a%5B1%5D=y&b%5Bk%5D=v&sign=FCA15E935325878A0F97242AD9B2941D',
  ],
  [
    'special characters',
    { query: { mch_id, a: '!\'()*~ -._+/?:@&=#%"<>[]{}|\\^`,;$' } },
    'a=%21%27%28%29%2A~%20-._%2B%2F%3F%3A%40%26%3D%23%25%22%3C%3E%5B%5D%7B%7D%7C%5C%5E%60%2C%3B%24&sign=4C285A249BC56EA1C32F06982103E524',
  ],
  [
    'HMAC-SHA256',
    { query: { mch_id, sign_type: 'HMAC-SHA256' } },
    'sign_type=HMAC-SHA256&sign=7C933FC5932A75B3C9EA59CBBBBF38736D6F4D77CEFAFBB22AFC5D2ECB625C31',
  ],
  ['a sign of the caller', { query: { mch_id, sign: 'MINE', a: 'b' } }, 'sign=622BE013FDCA6F23D3F956796DDDFB73&a=b'],
])('query: %s', async (_, options, query) => {
  await call('get', options);
  expect(sent()).toMatchObject({ target: `/x?mch_id=1900000109&${query}`, body: '' });
});

test('query: in the path, and below a variable', async () => {
  const node = client().chain(`v2/x?mch_id=${mch_id}&a=b`);
  await rejection(node.get({ nonceless: true }));
  expect(sent()?.target).toBe('/x?mch_id=1900000109&a=b&sign=622BE013FDCA6F23D3F956796DDDFB73');
  await rejection(client().v2.x._id_.get({ id: 'a/b', nonceless: true, query: { mch_id } }));
  expect(sent()?.target).toBe('/x/a%2Fb?mch_id=1900000109&sign=E3DBD00CE2D8AE1CFD4E6FCB221A41AA');
});
