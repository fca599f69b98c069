import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { anyName, anyText, check, expectOurs, LONG, outcomeOf, wholeText } from './support';
import { MCHID, secret, type WireRequest, wire } from './wire';

let server: Awaited<ReturnType<typeof wire>>;
beforeAll(async () => {
  server = await wire(() => {
    const fields = { return_code: 'SUCCESS', result_code: 'SUCCESS', got: '中' };
    const body = `<xml>${Object.entries({ ...fields, sign: signOf(fields) })
      .map(([name, text]) => `<${name}>${text}</${name}>`)
      .join('')}</xml>`;
    return `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });
});
afterAll(() => server.close());

/** The rule of v2 anew: names in the order of their bytes, what is empty left out, the key behind. */
function signOf(fields: Readonly<Record<string, string>>): string {
  const names = Object.keys(fields).filter((name) => name !== 'sign' && fields[name] !== '');
  names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const text = `${names.map((name) => `${name}=${fields[name]}`).join('&')}&key=${secret}`;
  const hash = fields.sign_type === 'HMAC-SHA256' ? createHmac('sha256', secret) : createHash('md5');
  return hash.update(text).digest('hex').toUpperCase();
}

const REFERENCES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&#13;': '\r',
};

/** Reads the flat XML that a platform is sent: elements of text, CDATA and references. */
function readXml(body: Buffer): Record<string, string> {
  const text = body.toString();
  expect(text.startsWith('<xml>') && text.endsWith('</xml>')).toBe(true);
  const fields: [string, string][] = [];
  let rest = text.slice('<xml>'.length, -'</xml>'.length);
  while (rest !== '') {
    const [opening = '', name = ''] = /^<([^<>&/ \t\r\n]+)>/.exec(rest) ?? [];
    expect(opening).not.toBe('');
    let value = '';
    rest = rest.slice(opening.length);
    while (!rest.startsWith('</')) {
      const isCdata = rest.startsWith('<![CDATA[');
      const end = isCdata ? rest.indexOf(']]>') : rest.indexOf('<');
      expect(end).toBeGreaterThan(0);
      const piece = rest.slice(isCdata ? '<![CDATA['.length : 0, end);
      value += isCdata ? piece : piece.replace(/&[^;]*;?/g, (reference) => REFERENCES[reference] ?? 'unknown');
      rest = rest.slice(end + (isCdata ? ']]>'.length : 0));
    }
    expect(rest.startsWith(`</${name}>`)).toBe(true);
    rest = rest.slice(name.length + 3);
    fields.push([name, value]);
  }
  expect(new Set(fields.map(([name]) => name)).size).toBe(fields.length);
  return Object.fromEntries(fields);
}

/** Calls; gives the request as it came, or nothing where it was refused, and then none came. */
async function sent(verb: 'get' | 'post', options: Record<string, unknown>): Promise<WireRequest | undefined> {
  const { instance, requests } = server;
  requests.length = 0;
  const error = expectOurs(await outcomeOf(() => instance.chain('v2/pay/x')[verb](options)));
  if (error) expect([error.code, requests.length]).toEqual(['ERR_INVALID_ARGUMENT', 0]);
  else expect(requests).toHaveLength(1);
  return requests[0];
}

const names = fc.oneof(
  fc.stringMatching(/^[a-zA-Z_][\w.-]{0,10}$/),
  fc.constantFrom('__proto__', 'constructor', 'toString', '中', 'é', 'nonce_str'),
  anyName,
);
const values = fc.oneof(
  wholeText,
  anyText,
  fc.integer(),
  fc.maxSafeNat(),
  fc.bigInt(),
  fc.constantFrom(null, true, '', ']]>', '\r\n', '&amp;', '<![CDATA['),
);
const signTypes = fc.constantFrom({}, { sign_type: 'MD5' }, { sign_type: 'HMAC-SHA256' });
const anyFields = fc.tuple(fc.dictionary(names, values), signTypes).map(([fields, type]) => {
  const { sign: _, mchid: _m, combine_mch_id: _c, ...rest } = fields;
  return { ...rest, ...type, mch_id: MCHID };
});

const textOf = (value: unknown) => (value === null ? '' : value === true ? '1' : String(value));

test(
  'the XML that arrives holds the fields given, a nonce, and the sign of these',
  () =>
    check(250, [anyFields], async (xml) => {
      const request = await sent('post', { xml });
      fc.pre(request !== undefined);
      const fields = readXml((request as WireRequest).body);
      const { nonce_str = '', sign, ...rest } = fields;
      expect(sign).toBe(signOf(fields));
      // What is not a valid XML element name goes as `item`, as wechatpay-php has it.
      fc.pre(!Object.hasOwn(fields, 'item') || Object.hasOwn(xml, 'item'));
      const given = Object.fromEntries(Object.entries(xml).map(([name, value]) => [name, textOf(value)]));
      expect({ nonce_str, ...rest }).toEqual({ nonce_str, ...given });
      if (!Object.hasOwn(xml, 'nonce_str')) expect(nonce_str).toMatch(/^[0-9a-f]{32}$/);
    }),
  LONG,
);

test(
  'the query of a GET holds the fields given, a nonce, and the sign of these',
  () =>
    check(250, [anyFields, fc.constantFrom('xml', 'query')], async (given, option) => {
      const request = await sent('get', { [option]: given });
      fc.pre(request !== undefined);
      const { target, body } = request as WireRequest;
      const [path, query = ''] = target.split(/\?(.*)/s);
      const pairs = query.split('&').map((pair) => pair.split('=').map(decodeURIComponent));
      const fields = Object.fromEntries(pairs.map(([name, value = '']) => [name, value]));
      expect([path, body.length, pairs.length]).toEqual(['/pay/x', 0, Object.keys(fields).length]);
      expect(fields.sign).toBe(signOf(fields));
      for (const [name, value] of Object.entries(given)) {
        if (option === 'query' && value === null) continue;
        expect(fields[name]).toBe(option === 'query' ? String(value) : textOf(value));
      }
    }),
  LONG,
);
