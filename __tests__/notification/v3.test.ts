import { Readable } from 'node:stream';
import { Builder } from 'wechatpay-undici';
import type { NotificationRequest } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import { rejection } from '../support/rejection';
import {
  apiv3Key,
  certs,
  envelope,
  flipped,
  merchantKey,
  PLATFORM_ID,
  privateKey,
  publicKey,
  refund,
  type Sent,
  secret,
  signed,
  TRANSACTION,
  v2,
  v3,
} from './support';

const notifications = Notifications.of({ certs, apiv3Key, secret });

test('a notification comes out verified, decrypted and with its envelope', async () => {
  const sent = v3(TRANSACTION, { id: 'EV-1' });
  expect(await notifications.parse(sent)).toEqual({
    protocol: 'v3',
    id: 'EV-1',
    create_time: '2024-01-01T12:00:00+08:00',
    event_type: 'TRANSACTION.SUCCESS',
    resource_type: 'encrypt-resource',
    summary: '支付成功',
    resource: TRANSACTION,
    envelope: JSON.parse(sent.body),
  });
});

test('keys of an instance are used', async () => {
  const instance = Builder.factory({ mchid: '1900000109', serial: 'A1', privateKey: merchantKey, certs, secret });
  const own = Notifications.of(instance, { apiv3Key: Buffer.from(apiv3Key) });
  expect((await own.parse(v3())).resource).toEqual(TRANSACTION);
  expect(await own.parse(v2())).toMatchObject({ protocol: 'v2' });
});

test('a key given as bytes may be wiped afterwards', async () => {
  const key = Buffer.from(apiv3Key);
  const own = Notifications.of({ certs, apiv3Key: key });
  key.fill(0);
  expect((await own.parse(v3())).resource).toEqual(TRANSACTION);
});

test('a function verifies in the place of a key', async () => {
  const seen: string[] = [];
  const own = Notifications.of({ certs: { [PLATFORM_ID]: (message) => seen.push(String(message)) > 0 }, apiv3Key });
  const sent = v3();
  await own.parse(sent);
  const { 'Wechatpay-Timestamp': time, 'Wechatpay-Nonce': nonce } = sent.headers;
  expect(seen).toEqual([`${time}\n${nonce}\n${sent.body}\n`]);
});

/** A request of Node, neither opened nor read. */
function incoming({ headers, body }: Sent, members: object = {}): NotificationRequest {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.assign(Readable.from([Buffer.from(body)]), { headers: lower }, members) as never;
}

function alreadyRead(request: NotificationRequest): NotificationRequest {
  return Object.defineProperty(request, 'readableDidRead', { value: true });
}

function web({ headers, body }: Sent): Request {
  return new Request('http://localhost/notify', { method: 'POST', headers, body });
}

const parsed = (sent: Sent) => ({ body: JSON.parse(sent.body) });

test.each<[string, (sent: Sent) => NotificationRequest]>([
  ['text', (sent) => sent],
  ['bytes', ({ headers, body }) => ({ headers, body: Buffer.from(body) })],
  [
    'bytes within a larger buffer',
    ({ headers, body }) => ({ headers, body: Buffer.from(`##${body}##`).subarray(2, -2) }),
  ],
  ['Headers', ({ headers, body }) => ({ headers: new Headers(headers), body })],
  ['a Map of headers', ({ headers, body }) => ({ headers: new Map(Object.entries(headers)), body })],
  ['a Request', web],
  ['a request of Node', (sent) => incoming(sent)],
  ['Express with express.raw()', (sent) => alreadyRead(incoming(sent, { body: Buffer.from(sent.body) }))],
  ['Express with a parser that did not feel concerned', (sent) => incoming(sent, { body: {} })],
  ['Nest with rawBody', (sent) => incoming(sent, { ...parsed(sent), rawBody: Buffer.from(sent.body) })],
])('a request may be %s', async (_, request) => {
  expect((await notifications.parse(request(v3()))).resource).toEqual(TRANSACTION);
});

test.each<[string, (sent: Sent) => unknown | Promise<unknown>, RegExp]>([
  [
    'headers and a parsed body',
    ({ headers, body }) => ({ headers, body: JSON.parse(body) }),
    /of type object, which has/,
  ],
  ['a parsed body alone', ({ body }) => JSON.parse(body), /must have "headers"/],
  ['no body', ({ headers }) => ({ headers }), /found no body/],
  ['text alone', ({ body }) => body, /must have "headers"/],
  ['nothing', () => undefined, /must have "headers"/],
  [
    'a request of Node that has been parsed',
    (sent) => alreadyRead(incoming(sent, parsed(sent))),
    /has already been read/,
  ],
  [
    'a Request that has been read',
    async (sent) => {
      const request = web(sent);
      await request.json();
      return request;
    },
    /has already been read/,
  ],
])('%s is refused', async (_, request, message) => {
  const error = await rejection(notifications.parse((await request(v3())) as NotificationRequest));
  expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringMatching(message) });
});

test('the refusal tells five frameworks how to keep the raw body, in a line each', async () => {
  const { message = '' } = await rejection(notifications.parse({ ...v3(), body: {} } as never));
  const lines = message.split('\n').slice(1);
  expect(lines.map((line) => line.split(':')[0])).toEqual(['Express', 'Koa', 'Nest', 'Fastify', 'Next']);
});

test('what this library does not know yet comes through', async () => {
  const members = { event_type: 'TEA.SERVED', resource_type: 'plain', resource: { cups: 2 } };
  expect(await notifications.parse(signed(JSON.stringify(envelope({}, members))))).toMatchObject({
    event_type: 'TEA.SERVED',
    resource: { cups: 2 },
  });
});

test.each<[string, unknown]>([
  ['an object', {}],
  ['a list', []],
  ['a number', 7],
  ['true', true],
  ['an empty text', ''],
  ['null', null],
])('notifications whose id is %s are told apart', async (_, id) => {
  const ids = await Promise.all([1, 2].map(async (n) => (await notifications.parse(v3({ n }, { id }))).id));
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
  expect(ids[0]).not.toBe(ids[1]);
});

test('notifications without an id are told apart', async () => {
  const ids = await Promise.all([1, 2].map(async (n) => (await notifications.parse(v3({ n }, { id: undefined }))).id));
  expect(new Set([...ids, undefined, ''])).toHaveProperty('size', 4);
});

describe('a flipped bit', () => {
  const sent = v3();

  /** The codes of the errors that each change ends in. */
  async function codes(changes: Iterable<NotificationRequest>): Promise<Set<string | undefined>> {
    const found = new Set<string | undefined>();
    for (const change of changes) found.add((await rejection(notifications.parse(change))).code);
    return found;
  }

  function* inHeader(name: string) {
    for (const bytes of flipped(sent.headers[name] ?? '')) {
      yield { ...sent, headers: { ...sent.headers, [name]: bytes.toString('latin1') } };
    }
  }

  test.each([
    ['Wechatpay-Timestamp', ['ERR_SIGNATURE_CLOCK', 'ERR_SIGNATURE_WRONG']],
    ['Wechatpay-Nonce', ['ERR_SIGNATURE_WRONG']],
    ['Wechatpay-Signature', ['ERR_SIGNATURE_WRONG']],
    ['Wechatpay-Serial', ['ERR_SIGNATURE_SERIAL']],
  ])('in %s is refused', async (name, expected) => {
    expect([...(await codes(inHeader(name)))].sort()).toEqual(expected);
  });

  test('in the name of a header is refused', async () => {
    const names = Object.keys(sent.headers).filter((name) => /Nonce|Serial|Signature$|Timestamp/.test(name));
    expect(names).toHaveLength(4);
    const changes = names.flatMap((name) =>
      [...flipped(name)]
        .map((bytes) => bytes.toString('latin1'))
        .filter((other) => other.toLowerCase() !== name.toLowerCase())
        .map((other) => {
          const { [name]: value = '', ...headers } = sent.headers;
          return { ...sent, headers: { ...headers, [other]: value } };
        }),
    );
    expect(await codes(changes)).toEqual(new Set(['ERR_SIGNATURE_MISSING']));
  });

  test('anywhere in the body is refused', async () => {
    function* changes() {
      for (const body of flipped(sent.body)) yield { ...sent, body };
    }
    expect(await codes(changes())).toEqual(new Set(['ERR_SIGNATURE_WRONG']));
  });

  test.each(['ciphertext', 'nonce', 'associated_data'] as const)('in %s, signed again, is refused', async (member) => {
    const whole = envelope();
    const encoding = member === 'ciphertext' ? 'base64' : 'latin1';
    const bytes = Buffer.from(whole.resource[member], encoding);
    const variants = [...flipped(bytes, member === 'ciphertext' ? 7 : 1)].map((variant) => variant.toString(encoding));
    const changes = variants.map((value) => {
      return signed(JSON.stringify({ ...whole, resource: { ...whole.resource, [member]: value } }));
    });
    expect(changes.length).toBeGreaterThan(80);
    expect(await codes(changes)).toEqual(new Set(['ERR_CONFIGURATION']));
  });
});

test.each([-301, 301])('a clock %d s off is refused', async (seconds) => {
  const time = Math.floor(Date.now() / 1000) + seconds + Math.sign(seconds);
  const error = await rejection(notifications.parse(signed('{}', { time })));
  expect(error).toMatchObject({ code: 'ERR_SIGNATURE_CLOCK' });
});

test.each([-295, 295])('a clock %d s off is allowed', async (seconds) => {
  const time = Math.floor(Date.now() / 1000) + seconds;
  const { body } = v3();
  expect(await notifications.parse(signed(body, { time }))).toMatchObject({ resource: TRANSACTION });
});

test("WeChat Pay's probe is told from an attack", async () => {
  const sent = v3();
  const probe = { ...sent.headers, 'Wechatpay-Signature': 'WECHATPAY/SIGNTEST/Xm9Pq2' };
  const errors = await Promise.all(
    [probe, { ...probe, 'Wechatpay-Signature': 'Xm9Pq2' }].map((headers) =>
      rejection(notifications.parse({ ...sent, headers })),
    ),
  );
  expect(errors).toMatchObject([
    { code: 'ERR_SIGNATURE_WRONG', probe: true },
    { code: 'ERR_SIGNATURE_WRONG', probe: false },
  ]);
});

test('headers that are there twice are refused', async () => {
  const sent = v3();
  const headers = { ...sent.headers, 'wechatpay-serial': 'other' };
  expect(await rejection(notifications.parse({ ...sent, headers }))).toMatchObject({
    code: 'ERR_SIGNATURE_MISSING',
    message: expect.stringContaining('more than once'),
  });
});

test('a wrong APIv3 key is named as the likely reason', async () => {
  const own = Notifications.of({ certs, apiv3Key: 'x'.repeat(32) });
  const error = await rejection(own.parse(v3()));
  expect(error).toMatchObject({ name: 'ConfigurationError', message: expect.stringContaining('"apiv3Key" is not') });
});

test.each<[string, Sent]>([
  ['a body', signed('{"id": 茶}')],
  ['a body that is a list of nothing', signed('null')],
  ['a content', v3('{"secret": 茶')],
  ['a content that is a number', v3('7')],
])('%s that is no JSON is refused without being quoted', async (_, sent) => {
  const error = await rejection(notifications.parse(sent));
  expect(error).toMatchObject({ code: 'ERR_BODY_NOT_JSON' });
  expect(error).not.toHaveProperty('cause');
  expect(error.message).not.toContain('茶');
});

test('a body over the limit is refused', async () => {
  const small = Notifications.of({ certs, apiv3Key, maxBodySize: 100 });
  expect(await rejection(small.parse(v3()))).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  expect(await rejection(small.parse(web(v3())))).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
});

test('a protocol without keys is told what is missing', async () => {
  expect(await rejection(Notifications.of({ certs, apiv3Key }).parse(v2()))).toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining('"secret"'),
  });
  expect(await rejection(Notifications.of({ secret }).parse(v3()))).toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining('"apiv3Key"'),
  });
  expect(await Notifications.of({ secret }).parse(refund())).toMatchObject({ protocol: 'v2' });
});

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /must be an object/],
  ['no keys', {}, /Keys are missing/],
  ['keys alone', { certs }, /"apiv3Key" is missing/],
  ['an APIv3 key alone', { apiv3Key }, /Keys are missing/],
  ['an APIv3 key of 31 bytes', { certs, apiv3Key: 'x'.repeat(31) }, /"apiv3Key" must be .* found 31 bytes/],
  ['an APIv3 key of 32 characters and more bytes', { certs, apiv3Key: '茶'.repeat(32) }, /found 96 bytes/],
  ['an APIv3 key that is none', { certs, apiv3Key: 7 }, /type number/],
  ['a short APIv2 key', { secret: 'x' }, /"secret" must be .* found 1 bytes/],
  ['no certs', { certs: {}, apiv3Key }, /"certs" must contain/],
  ['a private key as certs', { certs: { [PLATFORM_ID]: privateKey }, apiv3Key }, /certs\["PUB_KEY_ID/],
  ['an unknown option', { certs, apiv3Key, key: publicKey }, /Unknown option "key"; valid options: certs, /],
  ['an instance among the options', { instance: {}, apiv3Key }, /Notifications\.of\(instance, options\)/],
  ['a limit that is none', { secret, maxBodySize: 0 }, /"maxBodySize"/],
  ['a store that is none', { secret, store: {} }, /"store" must have/],
  ['an onError that is none', { secret, onError: true }, /"onError" must be/],
])('a configuration with %s is refused', (_, config, message) => {
  expect(() => Notifications.of(config as never)).toThrow(message);
  expect(() => Notifications.of(config as never)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
});

test('a path of an instance is refused, with options and without', () => {
  const { v3: path } = Builder.factory({ mchid: '1900000109', serial: 'A1', privateKey: merchantKey, certs, secret });
  expect(() => Notifications.of(path as never)).toThrow(/not created by Builder.factory/);
  expect(() => Notifications.of(path as never, { apiv3Key })).toThrow(/not created by Builder.factory/);
});

test('an instance alone is enough, and its options are held against the valid ones', async () => {
  const instance = Builder.factory({ mchid: '1900000109', serial: 'A1', privateKey: merchantKey, certs, apiv3Key });
  expect((await Notifications.of(instance).parse(v3())).resource).toEqual(TRANSACTION);
  // @ts-expect-error no such option
  expect(() => Notifications.of(instance, { stores: 1 })).toThrow(/Unknown option "stores"; valid options: certs, /);
  // @ts-expect-error no such option
  expect(() => Notifications.of({ certs, apiv3Key, stores: 1 })).toThrow(/Unknown option "stores"/);
});

test('an instance that Builder.factory did not build is refused', () => {
  expect(() => Notifications.of({} as never, { apiv3Key })).toThrow(/not created by Builder.factory/);
});
