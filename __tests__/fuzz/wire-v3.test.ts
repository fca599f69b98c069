import fc from 'fast-check';
import { Media } from 'wechatpay-undici';
import {
  anyBytes,
  anyJson,
  anyName,
  anyText,
  check,
  expectOurs,
  LONG,
  nastyNames,
  outcomeOf,
  wholeText,
} from './support';
import { expectSigned, headerOf, signedAnswer, takeApart, type WireRequest, wire } from './wire';

let server: Awaited<ReturnType<typeof wire>>;
beforeAll(async () => {
  server = await wire(signedAnswer('{"ok":true}'));
});
afterAll(() => server.close());

/** Sends; gives the request as it came off the wire, or nothing where it was refused, and then none came. */
async function sent(verb: string, path: string, options: Record<string, unknown>): Promise<WireRequest | undefined> {
  const { instance, requests } = server;
  requests.length = 0;
  const error = expectOurs(await outcomeOf(() => instance.chain(path)[verb as 'get'](options)));
  if (error) expect([error.code, requests.length]).toEqual(['ERR_INVALID_ARGUMENT', 0]);
  else expect(requests).toHaveLength(1);
  return requests[0];
}

const verbs = fc.constantFrom('get', 'post', 'put', 'patch', 'delete');
const queries = fc.oneof(
  fc.dictionary(anyName, fc.oneof(wholeText, fc.integer(), fc.boolean(), fc.array(wholeText, { maxLength: 2 }))),
  anyText,
  fc.array(fc.tuple(wholeText, wholeText)).map((pairs) => new URLSearchParams(pairs)),
  fc.constant(undefined),
);
const headerNames = fc.oneof(
  fc.stringMatching(/^[!#$%&'*+.^_`|~\w-]{1,20}$/),
  nastyNames,
  fc.constantFrom(
    'Host',
    'Authorization',
    'content-length',
    'Transfer-Encoding',
    'expect',
    'CONNECTION',
    'upgrade',
    'te',
  ),
);
const OF_THE_CONNECTION = ['connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade', 'keep-alive'];
const headers = fc.dictionary(headerNames, fc.oneof(anyText, fc.integer(), fc.array(anyText, { maxLength: 2 })), {
  maxKeys: 4,
});
const bodies = fc.oneof(
  anyJson.map((json) => ({ json })),
  anyText.map((body) => ({ body })),
  anyBytes.map((body) => ({ body })),
  fc.constant({}),
);

test(
  'what is signed is what is sent, of any path, query, headers and body',
  () =>
    check(200, [verbs, anyText, queries, headers, bodies], async (verb, path, query, given, body) => {
      const request = await sent(verb, `v3/${path}`, { query, headers: given, ...body });
      fc.pre(request !== undefined);
      expectSigned(request);
      expect(request.method).toBe(verb.toUpperCase());
      expect(request.target).toMatch(/^\/[\x21-\x7e]*$/);
    }),
  LONG,
);

test(
  'the JSON that arrives is the JSON given',
  () =>
    check(150, [fc.constantFrom('post', 'put', 'patch', 'delete'), anyJson], async (verb, json) => {
      const request = await sent(verb, 'v3/x', { json });
      if (json === null) return expect(request?.body).toHaveLength(0);
      expect(JSON.parse(String(request?.body))).toEqual(JSON.parse(JSON.stringify(json)));
      expect(String(request?.body)).toBe(JSON.stringify(json));
      expectSigned(request as WireRequest);
    }),
  LONG,
);

test(
  'bytes and text arrive as they were given',
  () =>
    check(100, [fc.oneof(anyBytes, wholeText)], async (body) => {
      const request = await sent('post', 'v3/x', { body });
      expect(request?.body.equals(Buffer.from(body))).toBe(true);
    }),
  LONG,
);

test(
  'the query that arrives is the query given',
  () =>
    check(150, [fc.dictionary(anyName, fc.oneof(wholeText, fc.integer(), fc.boolean()))], async (query) => {
      const request = await sent('get', 'v3/x', { query });
      fc.pre(request !== undefined);
      const [, search = ''] = request.target.split(/\?(.*)/s);
      const pairs = search
        .split('&')
        .filter(Boolean)
        .map((pair) => pair.split('=').map(decodeURIComponent));
      expect(pairs).toEqual(Object.entries(query).map(([name, value]) => [name, String(value)]));
    }),
  LONG,
);

test(
  'headers arrive as they were given, but for those of the connection, and nothing can be added to a request',
  () =>
    check(150, [headers], async (given) => {
      const request = await sent('get', 'v3/x', { headers: given });
      fc.pre(request !== undefined);
      const ours = [
        'host',
        'authorization',
        'wechatpay-serial',
        'accept',
        'content-type',
        'user-agent',
        ...OF_THE_CONNECTION,
      ];
      const names = request.headers.map(([name]) => name.toLowerCase());
      const wanted = Object.keys(given).map((name) => name.toLowerCase());
      expect(names.filter((name) => !ours.includes(name) && !wanted.includes(name))).toEqual([]);
      expect(names).not.toContain('transfer-encoding');
      expect(names.length).toBe(new Set(names).size);
      for (const [name, value] of Object.entries(given)) {
        const twice = wanted.filter((other) => other === name.toLowerCase()).length > 1;
        if (twice || ours.includes(name.toLowerCase())) continue;
        const values = [value].flat().map((item) => String(item).trim());
        const text = Buffer.from(headerOf(request, name.toLowerCase()) ?? '', 'latin1').toString();
        expect(text.trim()).toBe(Buffer.from(values.join(', ')).toString().trim());
      }
    }),
  LONG,
);

test(
  'a URI variable arrives as it was given',
  () =>
    check(150, [fc.oneof(anyText, wholeText), anyName], async (value, name) => {
      fc.pre(/^\w+$/.test(name) && name !== 'empty');
      const request = await sent('get', `v3/a/{${name}}/b`, { variables: { [name]: value } });
      fc.pre(request !== undefined);
      expectSigned(request);
      const [, , , segment = '', last, ...rest] = request.target.split('/');
      expect([decodeURIComponent(segment), last, rest]).toEqual([value, 'b', []]);
    }),
  LONG,
);

test(
  'of an upload its meta is signed, and its bytes arrive as they were given',
  () =>
    check(
      50,
      [
        anyBytes,
        wholeText,
        fc.constantFrom(undefined, 'image/png', 'text/plain; a="b"'),
        fc.dictionary(anyName, fc.oneof(wholeText, fc.integer())),
      ],
      async (bytes, filename, contentType, meta) => {
        const { requests, instance } = server;
        requests.length = 0;
        const made = await outcomeOf(() => Media.from(bytes, { filename, meta, ...(contentType && { contentType }) }));
        expectOurs(made);
        fc.pre('value' in made);
        const error = expectOurs(
          await outcomeOf(() => instance.chain('v3/merchant/media/upload').post({ body: made.value as never })),
        );
        expect(error).toBeUndefined();
        const [request] = requests as [WireRequest];
        const parts = partsOf(request);
        expectSigned(request, parts[0]?.body);
        expect(JSON.parse(String(parts[0]?.body))).toMatchObject({ ...meta });
        expect(parts[1]?.body.equals(bytes)).toBe(true);
        expect(parts).toHaveLength(2);
      },
    ),
  LONG,
);

/** The parts of a form, taken apart by hand. */
function partsOf(request: WireRequest) {
  const [, boundary = ''] =
    /^multipart\/form-data; ?boundary="?([^";]+)"?$/.exec(headerOf(request, 'content-type') ?? '') ?? [];
  const text = `\r\n${request.body.toString('latin1')}`;
  const pieces = text.split(`\r\n--${boundary}`).slice(1);
  expect(pieces.pop()).toMatch(/^--(?:\r\n)?$/);
  return pieces.map((piece) => {
    const part = takeApart(Buffer.from(`PART / HTTP/1.1${piece.slice(0, piece.indexOf('\r\n\r\n') + 4)}`, 'latin1'));
    return { headers: part?.headers, body: Buffer.from(piece.slice(piece.indexOf('\r\n\r\n') + 4), 'latin1') };
  });
}
