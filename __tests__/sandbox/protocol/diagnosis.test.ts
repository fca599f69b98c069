import {
  constants,
  createHash,
  createSign,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  sign,
} from 'node:crypto';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { type Received, send } from '../support';

let sandbox: Sandbox;
let other: Awaited<ReturnType<Sandbox['addMerchant']>>;
let brand: Awaited<ReturnType<Sandbox['addBrand']>>;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  other = await sandbox.addMerchant();
  brand = await sandbox.addBrand();
});
afterAll(() => sandbox.close());

interface Request {
  method?: string;
  target?: string;
  body?: string;
  headers?: Record<string, string>;
}

interface Text {
  method: string;
  target: string;
  time: string;
  nonce: string;
  body: string;
}

/** How a client signs; `text` gives what it signs in the place of what is right. */
interface Wrong extends Request {
  text?: (right: Text) => string;
  /** Makes the signature of the text. */
  by?: (text: string) => string;
}

const lines = ({ method, target, time, nonce, body }: Text): string =>
  `${method}\n${target}\n${time}\n${nonce}\n${body}\n`;

/** The right text, but for some of it. */
const but =
  (change: (right: Text) => Partial<Text>) =>
  (right: Text): string =>
    lines({ ...right, ...change(right) });

function base64(text: string, key: KeyObject = sandbox.config.privateKey, hash = 'RSA-SHA256'): string {
  return createSign(hash).update(text).sign(key, 'base64');
}

let count = 0;

function request(wrong: Wrong, change = (authorization: string) => authorization): Promise<Received> {
  const { method = 'POST', target = '/v3/pay/transactions/native', headers } = wrong;
  const body = wrong.body ?? (method === 'GET' ? '' : BODY);
  const { mchid, serial } = sandbox.config;
  const right = { method, target, time: String(Math.floor(Date.now() / 1000)), nonce: `Nonce${++count}`, body };
  const { text = lines, by = base64 } = wrong;
  const signature = by(text(right));
  const authorization = `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${right.nonce}",signature="${signature}",timestamp="${right.time}",serial_no="${serial}"`;
  return send(sandbox, target, { method, body, headers: { ...headers, authorization: change(authorization) } });
}

const VALUE = {
  mchid: '1900000109',
  description: '商品 <a> & b',
  notify_url: 'https://example.com/notify',
  amount: { total: 100, currency: 'CNY' },
};
const BODY = JSON.stringify(VALUE);
const python = (json: string) => json.replace(/":/g, '": ').replace(/,"/g, ', "');
const ascii = (json: string) => json.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);

const GET: Request = {
  method: 'GET',
  target: '/v3/pay/transactions/out-trade-no/A%20B?mchid=1900000109&a=%E4%BD%A0%20b',
};

/** The body that was sent, or signed, otherwise serialised than the other one. */
const serialisations: [string, string, string][] = [
  ['json.dumps of Python', ascii(python(BODY)), 'body-serialised'],
  ['json.dumps(ensure_ascii=False)', python(BODY), 'body-serialised'],
  ['json_encode of PHP', ascii(BODY).replaceAll('/', '\\/'), 'body-serialised'],
  ['encoding/json of Go', BODY.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`), 'body-serialised'],
  [
    'json.Encoder of Go',
    `${BODY.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)}\n`,
    'body-serialised',
  ],
  ['two spaces of indentation', JSON.stringify(VALUE, null, 2), 'body-serialised'],
  [
    'sorted members',
    JSON.stringify({
      amount: { currency: 'CNY', total: 100 },
      description: VALUE.description,
      mchid: VALUE.mchid,
      notify_url: VALUE.notify_url,
    }),
    'body-order',
  ],
  ['another order', JSON.stringify(Object.fromEntries(Object.entries(VALUE).reverse())), 'body-order'],
  ['a JSON text of a JSON text', JSON.stringify(BODY), 'body-quoted'],
];

const rows: [string, Wrong, string][] = [
  ...serialisations.map(([what, body, name]): [string, Wrong, string] => [
    `${what} signed`,
    { text: but(() => ({ body })) },
    name,
  ]),
  ...serialisations
    .filter(([, , name]) => name === 'body-serialised')
    .map(([what, body, name]): [string, Wrong, string] => [
      `${what} sent`,
      { body, text: but(() => ({ body: BODY })) },
      name,
    ]),
  ['no body', { text: but(() => ({ body: '' })) }, 'body-empty'],
  ...['{}', 'null', 'undefined', '[]', '[object Object]'].map((body): [string, Wrong, string] => [
    `${body} as the body of a GET`,
    { ...GET, text: but(() => ({ body })) },
    'body-literal',
  ]),
  ['{} as the body of a POST without', { body: '', text: but(() => ({ body: '{}' })) }, 'body-literal'],
  [
    'the query as the body of a GET',
    { ...GET, text: but(() => ({ body: '{"mchid":"1900000109","a":"你 b"}' })) },
    'body-query',
  ],
  ['white space at the end', { text: but(({ body }) => ({ body: `${body} ` })) }, 'body-whitespace'],
  ['white space sent', { body: `${BODY} `, text: but(() => ({ body: BODY })) }, 'body-serialised'],
  [
    'Latin-1',
    {
      text: lines,
      by: (text) => sign('sha256', Buffer.from(text, 'latin1'), sandbox.config.privateKey).toString('base64'),
    },
    'body-charset',
  ],
  [
    'a hash of the body',
    { text: but(({ body }) => ({ body: createHash('sha256').update(body).digest('hex') })) },
    'body-hash',
  ],
  ['no query', { ...GET, text: but(({ target }) => ({ target: target.split('?')[0] ?? '' })) }, 'query-missing'],
  [
    'the query decoded',
    { ...GET, text: but(({ target }) => ({ target: target.replace(/\?.*/, decodeURIComponent) })) },
    'query-decoded',
  ],
  [
    'path and query decoded',
    { ...GET, text: but(({ target }) => ({ target: decodeURIComponent(target) })) },
    'target-decoded',
  ],
  [
    'the query with "+"',
    { ...GET, text: but(({ target }) => ({ target: target.replace(/%20(?=b)/, '+') })) },
    'query-encoded',
  ],
  [
    'the query in lower-case escapes',
    { ...GET, text: but(({ target }) => ({ target: target.replace('%E4%BD%A0', '%e4%bd%a0') })) },
    'query-encoded',
  ],
  [
    'the query in another order',
    {
      ...GET,
      text: but(() => ({ target: '/v3/pay/transactions/out-trade-no/A%20B?a=%E4%BD%A0%20b&mchid=1900000109' })),
    },
    'query-order',
  ],
  [
    'the query with &amp;',
    { ...GET, text: but(({ target }) => ({ target: target.replace('&', '&amp;') })) },
    'query-html',
  ],
  ['the whole URL', { text: but(({ target }) => ({ target: sandbox.url.slice(0, -1) + target })) }, 'target-url'],
  [
    'the URL of WeChat Pay',
    { text: but(({ target }) => ({ target: `https://api.mch.weixin.qq.com${target}` })) },
    'target-url',
  ],
  ['the path without v3', { text: but(({ target }) => ({ target: target.slice(3) })) }, 'target-prefix'],
  ['the path without its slash', { text: but(({ target }) => ({ target: target.slice(1) })) }, 'target-slash'],
  ['the path with a slash more', { text: but(({ target }) => ({ target: `${target}/` })) }, 'target-slash'],
  ['no path', { text: but(() => ({ target: '' })) }, 'target-empty'],
  ['the method in lower case', { text: but(() => ({ method: 'post' })) }, 'method-case'],
  ['the method as Post', { text: but(() => ({ method: 'Post' })) }, 'method-case'],
  ['another method', { text: but(() => ({ method: 'GET' })) }, 'method-other'],
  ['CRLF', { text: (right) => lines(right).replaceAll('\n', '\r\n') }, 'line-feed-crlf'],
  ['no line feed at the end', { text: (right) => lines(right).slice(0, -1) }, 'line-feed-last'],
  ['no line feed at the end of a GET', { ...GET, text: (right) => lines(right).slice(0, -1) }, 'line-feed-last'],
  ['no line feeds', { text: (right) => lines(right).replaceAll('\n', '') }, 'line-feed-missing'],
  ['line feeds as \\n', { text: (right) => lines(right).replaceAll('\n', '\\n') }, 'line-feed-literal'],
  ['one line feed more', { text: (right) => `${lines(right)}\n` }, 'line-feed-more'],
  ['milliseconds', { text: but(({ time }) => ({ time: `${time}123` })) }, 'timestamp-milliseconds'],
  ['a second later', { text: but(({ time }) => ({ time: String(Number(time) + 1) })) }, 'timestamp-other'],
  ['no timestamp', { text: but(() => ({ time: '' })) }, 'timestamp-missing'],
  ['the nonce in lower case', { text: but(({ nonce }) => ({ nonce: nonce.toLowerCase() })) }, 'nonce-case'],
  ['no nonce', { text: but(() => ({ nonce: '' })) }, 'nonce-missing'],
  [
    'nonce before timestamp',
    { text: ({ method, target, time, nonce, body }) => `${method}\n${target}\n${nonce}\n${time}\n${body}\n` },
    'line-order',
  ],
  ['the text of a response', { text: ({ time, nonce, body }) => `${time}\n${nonce}\n${body}\n` }, 'line-missing'],
  ['the body alone', { text: ({ body }) => body }, 'line-missing'],
  ['its SHA-256', { text: (right) => createHash('sha256').update(lines(right)).digest('hex') }, 'hashed-twice'],
  ['SHA-1', { by: (text) => base64(text, undefined, 'RSA-SHA1') }, 'hash'],
  ['SHA-512', { by: (text) => base64(text, undefined, 'RSA-SHA512') }, 'hash'],
  [
    'no hash',
    {
      by: (text) =>
        privateEncrypt(sandbox.config.privateKey, createHash('sha256').update(text).digest()).toString('base64'),
    },
    'hash',
  ],
  [
    'PSS',
    {
      by: (text) =>
        sign('sha256', Buffer.from(text), {
          key: sandbox.config.privateKey,
          padding: constants.RSA_PKCS1_PSS_PADDING,
        }).toString('base64'),
    },
    'padding-pss',
  ],
  ['hexadecimal', { by: (text) => Buffer.from(base64(text), 'base64').toString('hex') }, 'signature-hex'],
  ['Base64url', { by: (text) => Buffer.from(base64(text), 'base64').toString('base64url') }, 'signature-base64url'],
  ['line breaks', { by: (text) => base64(text).replace(/.{76}/g, '$&\\n') }, 'signature-line-breaks'],
  ['spaces', { by: (text) => base64(text).replace(/.{76}/g, '$& ') }, 'signature-line-breaks'],
  ['encoding for a URL', { by: (text) => encodeURIComponent(base64(text)) }, 'signature-url-encoded'],
  [
    'Base64 without padding',
    { by: (text) => base64(text).replace(/=+$/, '') },
    'signature-base64url|signature-padding',
  ],
  ['Base64 of Base64', { by: (text) => Buffer.from(base64(text)).toString('base64') }, 'signature-twice'],
  ['a signature that is none', { by: () => 'AAAA' }, 'signature-encoding'],
  [
    'a key that nobody knows',
    { by: (text) => base64(text, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) },
    'key-unknown',
  ],
  ["another merchant's key", { by: (text) => base64(text, other.privateKey) }, 'key-other'],
  ["a brand's key", { by: (text) => base64(text, brand.privateKey) }, 'key-other-kind'],
];

test.each(rows)('%s: the refusal names it', async (_, wrong, name) => {
  const { status, json } = await request(wrong);
  expect({ status, code: json.code }).toEqual({ status: 401, code: 'SIGN_ERROR' });
  expect(json.detail.mistakes).toEqual([expect.stringMatching(`^(?:${name})$`)]);
  expect(json.message).toBe(`错误的签名，验签失败: ${json.detail.issue}`);
  expect(json.detail.issue).not.toContain('does not recognise');
});

test('two mistakes are both named', async () => {
  const text = (right: Text) => lines({ ...right, body: python(BODY), method: 'post' }).slice(0, -1);
  const first = await request({ text: but(({ target }) => ({ target: target.slice(3), body: '' })) });
  expect(first.json.detail.mistakes).toEqual(['target-prefix', 'body-empty']);
  const second = await request({ ...GET, text: (right) => lines({ ...right, method: 'get' }).slice(0, -1) });
  expect(second.json.detail.mistakes).toEqual(['method-case', 'line-feed-last']);
  const third = await request({ text });
  expect(third.json.detail).toMatchObject({ mistakes: [], issue: expect.stringContaining('The key is right') });
  const fourth = await request({
    text: but(() => ({ body: '' })),
    by: (signed) => Buffer.from(base64(signed, other.privateKey, 'RSA-SHA1'), 'base64').toString('hex'),
  });
  expect(fourth.json.detail.mistakes).toEqual(['signature-hex', 'key-other', 'hash', 'body-empty']);
});

test('a nonce that is altogether another cannot be found: the refusal says what is right', async () => {
  const { json } = await request({ text: but(() => ({ nonce: 'another' })) });
  expect(json.detail.issue).toMatch(/^The key is right, but what was signed is another text.*Timestamp and nonce/);
});

test('the body of the refusal is that of WeChat Pay, with an explanation', async () => {
  const target = '/v3/pay/transactions/native?a=1';
  const { text, headers } = await request({ target, text: but(() => ({ body: '' })) });
  const { sign_information } = JSON.parse(text).detail;
  const { truncated_sign_message, sign_message_length } = sign_information;
  expect(JSON.parse(text)).toEqual({
    code: 'SIGN_ERROR',
    detail: {
      detail: { issue: 'sign not match' },
      field: 'signature',
      issue: 'What was signed has an empty body; the body is signed as it is sent.',
      location: 'authorization',
      mistakes: ['body-empty'],
      sign_information: { method: 'POST', sign_message_length, truncated_sign_message, url: target },
    },
    message: '错误的签名，验签失败: What was signed has an empty body; the body is signed as it is sent.',
  });
  expect(truncated_sign_message).toMatch(/^POST\n\/v3\/pay\/transactions\/native\?a=1\n\d{10}\nNonce\d+\n\{"mchid"\n$/);
  const sorted = (value: object): object =>
    Object.fromEntries(
      Object.entries(value)
        .sort()
        .map(([name, member]) => [name, Object(member) === member && !Array.isArray(member) ? sorted(member) : member]),
    );
  expect(text).toBe(JSON.stringify(sorted(JSON.parse(text))));
  expect(headers['request-id']).toMatch(
    /^08[0-9A-F]{10}10[0-9A-F]{2,4}18[0-9A-F]{10}20[0-9A-F]{2,4}28[0-9A-F]+-269546525$/,
  );
  expect(Object.keys(headers).filter((name) => name.startsWith('wechatpay-'))).toEqual([]);
});

describe('an upload', () => {
  const META = '{"filename":"商.jpg","sha256":"a"}';
  const FORM = `--b\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n${META}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\nContent-Type: image/jpeg\r\n\r\nbytes\r\n--b--\r\n`;
  const upload = (text: (right: Text) => string) =>
    request({
      body: FORM,
      target: '/v3/merchant/media/upload',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      text,
    });

  test.each<[string, (right: Text) => string, string]>([
    ['the whole body', lines, 'upload-whole'],
    ['meta serialised again', but(() => ({ body: ascii(python(META)) })), 'body-serialised'],
    ['no body', but(() => ({ body: '' })), 'body-empty'],
  ])('signed over %s: the refusal names it', async (_, text, name) => {
    const { status, json } = await upload(text);
    expect({ status, mistakes: json.detail.mistakes }).toEqual({ status: 401, mistakes: [name] });
  });
});

describe('the header Authorization', () => {
  test.each<[string, (authorization: string) => string, RegExp]>([
    ['without quotes', (header) => header.replaceAll('"', ''), /the value of mchid is not in double quotes/],
    ['in single quotes', (header) => header.replaceAll('"', "'"), /single quotes/],
    ['with semicolons', (header) => header.replaceAll('",', '";'), /separated by semicolons/],
    ['without commas', (header) => header.replaceAll('",', '" '), /comma between two pairs is missing/],
    ['with spaces around "="', (header) => header.replaceAll('="', ' = "'), /space around the "=" of mchid/],
    [
      'without a scheme',
      (header) => header.replace('WECHATPAY2-SHA256-RSA2048 ', ''),
      /scheme before the first pair is missing/,
    ],
    ['without the space after the scheme', (header) => header.replace(' ', ''), /space after the scheme is missing/],
    [
      'with the scheme in lower case',
      (header) => header.replace(/^\S+/, (scheme) => scheme.toLowerCase()),
      /upper case/,
    ],
    [
      'of a brand, with the scheme of a merchant',
      (header) => header.replace(/mchid="\d+"/, `mchid="${brand.brandId}"`),
      /is a brand, not a merchant/,
    ],
    [
      'with the serial number of another merchant',
      (header) => header.replace(/serial_no="\w+"/, `serial_no="${other.serial}"`),
      /is that of the merchant \d+/,
    ],
    [
      'with the id of the platform key',
      (header) => header.replace(/serial_no="\w+"/, `serial_no="${Object.keys(sandbox.config.certs)[0]}"`),
      /is that of a key of the platform/,
    ],
    [
      'with milliseconds',
      (header) => header.replace(/timestamp="(\d+)"/, 'timestamp="$1000"'),
      /It is in milliseconds/,
    ],
  ])('%s: the refusal names it', async (_, change, message) => {
    const { status, json } = await request({}, change);
    expect({ status, code: json.code }).toEqual({ status: 401, code: 'SIGN_ERROR' });
    expect(json.message).toMatch(message);
  });
});
