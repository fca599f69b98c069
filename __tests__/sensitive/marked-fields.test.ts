import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Agent } from 'undici';
import { Builder, type Chain, InvalidArgumentError, Media, Rsa } from 'wechatpay-undici';
import { TRAITS } from '../../lib/openapi/generated/traits';
import { type EncryptedField, traitOf } from '../../lib/openapi/trait-of';
import { check, expectOurs, LONG, outcomeOf, printed } from '../fuzz/support';
import { rsaKeyPair } from '../support/keys';
import type { Tree } from '../support/loose';

const platform = rsaKeyPair(2048, 'other');
const bank = rsaKeyPair(2048, 'other');
const merchant = rsaKeyPair();
const SERIAL = 'PUB_KEY_ID_0119000001092024072500000000000001';

/** A platform that only listens: what reaches it is what left. */
let server: Server;
let received: { url: string; body: string }[] = [];
let baseUrl: string;
let instance: Chain;
const agent = new Agent();

beforeAll(async () => {
  server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ url: request.url ?? '', body: Buffer.concat(chunks).toString('latin1') });
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"code":"PARAM_ERROR","message":"no"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  instance = build(baseUrl);
});
beforeEach(() => {
  received = [];
});
afterAll(async () => {
  await agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function build(root: string): Chain {
  return Builder.factory({
    mchid: '1900000109',
    serial: '3775B6A45ACD588826D15E583A95F5DD00000000',
    privateKey: merchant.privateKey,
    certs: { [SERIAL]: platform.publicKey },
    secret: 'v2-secret-of-32-characters-xxxxx',
    payBankKey: bank.publicKey,
    baseUrl: root,
    dispatcher: agent,
  });
}

/** A call, typed loosely: much of what is given here the types forbid. */
function call(verb: string, path: string, options: unknown, client: Chain = instance): Promise<unknown> {
  const node = client.chain(path) as unknown as Tree<never>;
  return (node[verb as 'post'] as (options: unknown) => Promise<unknown>)(options);
}

const post = (json: unknown, more: object = {}) => call('post', 'v3/profitsharing/receivers/add', { json, ...more });
const lastJson = () => JSON.parse(received.at(-1)?.body ?? '');
const open = (ciphertext: string) => Rsa.decrypt(ciphertext, platform.privateKey);

class WithToJson {
  readonly #name: unknown;
  constructor(name: unknown) {
    this.#name = name;
  }
  toJSON() {
    return { appid: 'wx', name: this.#name };
  }
}

class WithGetter {
  readonly appid = 'wx';
  get name() {
    return '张三';
  }
  toJSON() {
    return { appid: this.appid, name: this.name };
  }
}

/** As mongoose's documents: what is written is not what stands in the object. */
const itself = { appid: 'wx', name: '张三', toJSON: () => itself };

let reads = 0;

test.each<[string, unknown, string]>([
  ['text', { name: '张三' }, '张三'],
  ['a number', { name: 13800138000 }, '13800138000'],
  ['a bigint', { name: 110101199003071234n }, '110101199003071234'],
  ['a String object', { name: Object('张三') }, '张三'],
  ['a Number object', { name: Object(13800138000) }, '13800138000'],
  ['an object that gives text by toJSON()', { name: { toJSON: () => '张三' } }, '张三'],
  ['a Date', { name: new Date(0) }, '1970-01-01T00:00:00.000Z'],
  ['in an object with toJSON()', new WithToJson('张三'), '张三'],
  ['a String object in an object with toJSON()', new WithToJson(Object('张三')), '张三'],
  ['a getter of a class with toJSON()', new WithGetter(), '张三'],
  ['in an object whose toJSON() gives itself', itself, '张三'],
  ['a getter of the object', Object.defineProperty({}, 'name', { get: () => '张三', enumerable: true }), '张三'],
  ['in an object without a prototype', Object.assign(Object.create(null), { name: '张三' }), '张三'],
  ['in a proxy', new Proxy({ name: '张三' }, {}), '张三'],
  [
    'a getter that gives another text each time',
    Object.defineProperty({}, 'name', { get: () => `张三${reads++}`, enumerable: true }),
    expect.stringMatching(/^张三\d$/) as unknown as string,
  ],
])('%s is encrypted', async (_, json, text) => {
  await outcomeOf(() => post(json));
  expect(received).toHaveLength(1);
  expect(await open(lastJson().name)).toEqual(text);
  expect(received[0]?.body).not.toContain(Buffer.from('张三').toString('latin1'));
});

test.each<[string, unknown]>([
  ['nothing', {}],
  ['null', { name: null }],
  ['empty text', { name: '' }],
  ['undefined', { name: undefined, type: 'X' }],
])('%s needs no encryption', async (_, json) => {
  await outcomeOf(() => post(json));
  expect(lastJson()).toEqual(JSON.parse(JSON.stringify(json)));
});

test.each<[string, string, () => Promise<unknown>]>([
  ['a fraction', '"json.name"', () => post({ name: 1.5 })],
  ['a number that is not exact', '"json.name"', () => post({ name: 2 ** 60 })],
  ['a boolean', '"json.name"', () => post({ name: true })],
  ['an object', '"json.name"', () => post({ name: { first: '三' } })],
  ['a list', '"json.name"', () => post({ name: ['张三'] })],
  ['bytes', '"json.name"', () => post({ name: Buffer.from('张三') })],
  ['json that is text', '"json"', () => post(JSON.stringify({ name: '张三' }))],
  ['json that is a list', '"json"', () => post([{ name: '张三' }])],
  ['a toJSON() that fails', '"json"', () => post({ name: { toJSON: () => JSON.parse('张三') } })],
  ['a body of text', '"json.name"', () => post(undefined, { body: '{"name":"张三"}' })],
  ['a body of bytes', '"json.name"', () => post(null, { body: Buffer.from('{"name":"张三"}') })],
  [
    'a form instead of JSON',
    '"json.name"',
    async () =>
      post(undefined, { body: await Media.from(Buffer.from('x'), { filename: 'a.png', meta: { name: '张三' } }) }),
  ],
  [
    'JSON instead of a form',
    '"body.meta{}.merchant_contact_information.consultation_phone_number"',
    () =>
      call('post', 'v3/marketing/shopping-receipt/shoppingreceipts', {
        json: { merchant_contact_information: { consultation_phone_number: '张三' } },
      }),
  ],
  [
    'a form of its own making',
    '"body.meta{}.merchant_contact_information.consultation_phone_number"',
    () => call('post', 'v3/marketing/shopping-receipt/shoppingreceipts', { body: Buffer.from('张三') }),
  ],
  [
    'a meta that is not JSON',
    '"body.meta"',
    async () =>
      call('post', 'v3/marketing/shopping-receipt/shoppingreceipts', {
        body: await Media.from(Buffer.from('x'), { filename: 'a.png', fields: () => ({ meta: '张三 13800138000' }) }),
      }),
  ],
  [
    'an object in the place of a list',
    '"json.transfer_detail_list"',
    () => call('post', 'v3/transfer/batches', { json: { transfer_detail_list: { user_name: '张三' } } }),
  ],
  [
    'JSON in the place of a list',
    '"json.transfer_detail_list"',
    () => call('post', 'v3/transfer/batches', { json: { transfer_detail_list: '[{"user_name":"张三"}]' } }),
  ],
  [
    'a list in the place of a member of a list',
    '"json.transfer_detail_list[1]"',
    () => call('post', 'v3/transfer/batches', { json: { transfer_detail_list: [{}, [{ user_name: '张三' }]] } }),
  ],
  ['a list in a query', '"query.mobile"', () => call('get', 'v3/smartguide/guides', { query: { mobile: ['张三'] } })],
  [
    'a list in the text of a query',
    '"query.mobile"',
    () => call('get', 'v3/smartguide/guides', { query: 'mobile[0]=张三' }),
  ],
  [
    'an object in XML',
    '"xml.enc_true_name"',
    () => call('post', 'v2/mmpaysptrans/pay_bank', { xml: { enc_true_name: {} } }),
  ],
])('%s is refused by name, and nothing of it is quoted or sent', async (_, name, action) => {
  const error = expectOurs(await outcomeOf(action));
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(error?.message).toContain(name);
  expect(error?.message).not.toMatch(/张三|13800138000/);
  expect(received).toEqual([]);
});

test('whoever says so by encrypted: true sends what he gives', async () => {
  await outcomeOf(() => post({ name: '张三' }, { encrypted: true }));
  await outcomeOf(() => post(undefined, { body: '{"name":"张三"}', encrypted: true }));
  expect(received.map(({ body }) => Buffer.from(body, 'latin1').toString())).toEqual([
    '{"name":"张三"}',
    '{"name":"张三"}',
  ]);
});

test("the caller's objects stay as they are", async () => {
  const json = Object.freeze({ name: '张三', nested: Object.freeze({ a: 1 }) });
  await outcomeOf(() => post(json));
  expect(json).toEqual({ name: '张三', nested: { a: 1 } });
  const { name, ...rest } = lastJson();
  expect([await open(name), rest]).toEqual(['张三', { nested: { a: 1 } }]);
});

test('a toJSON() is asked once', async () => {
  let asked = 0;
  const json = { toJSON: () => ({ name: '张三', asked: ++asked }) };
  await outcomeOf(() => post(json));
  expect(lastJson()).toMatchObject({ asked: 1 });
});

test.each<[string, (query: string) => object, string]>([
  ['an object', () => ({ query: { store_id: 1, mobile: '+86 138&' } }), 'store_id=1&mobile='],
  ['parameters', () => ({ query: new URLSearchParams({ mobile: '+86 138&', store_id: '1' }) }), 'mobile='],
  ['text', () => ({ query: 'store_id=1&mobile=%2B86+138%26' }), 'store_id=1&mobile='],
  ['text whose name is escaped', () => ({ query: 'm%6fbile=%2B86%20138%26' }), 'mobile='],
])('a field in a query that is %s is encrypted', async (_, options, start) => {
  await outcomeOf(() => call('get', 'v3/smartguide/guides', options('')));
  const [, query = ''] = received[0]?.url.split('?') ?? [];
  expect(query.startsWith(start)).toBe(true);
  expect(await open(new URLSearchParams(query).get('mobile') ?? '')).toBe('+86 138&');
});

test.each<[string, string, object]>([
  ['in the path', 'v3/smartguide/guides?store_id=1&mobile=%2B86%20138%26#x', {}],
  ['from a template', 'v3/smartguide/guides{?store_id,mobile}', { store_id: 1, mobile: '+86 138&' }],
])('a field in a query %s is encrypted', async (_, path, options) => {
  await outcomeOf(() => call('get', path, options));
  const query = new URLSearchParams(received[0]?.url.split('?')[1]);
  expect([query.get('store_id'), await open(query.get('mobile') ?? '')]).toEqual(['1', '+86 138&']);
});

test('options of a class are options', async () => {
  class Options {
    get json() {
      return { name: '张三' };
    }
  }
  await outcomeOf(() => call('post', 'v3/profitsharing/receivers/add', new Options()));
  expect(await open(lastJson().name)).toBe('张三');
});

test.each<[string, string, string]>([
  ['escapes', '', 'v3/profitsharing/receivers/%61dd'],
  ['dot segments', '', 'v3/x/../profitsharing/./receivers/add'],
  ['a slash at the end', '', 'v3/profitsharing/receivers/add/'],
  ['parameters', '', 'v3/profitsharing/receivers/add;x=1'],
  ['a slash at the beginning', '', '/v3/profitsharing/receivers/add'],
  ['another root in the path', '', 'hk/v3/profitsharing/receivers/add'],
  ['a root that has the version', 'v3/', 'profitsharing/receivers/add'],
  ['a root of a proxy', 'wechat/pay/', 'v3/profitsharing/receivers/add'],
])('a path with %s is the same operation', async (_, root, path) => {
  await outcomeOf(() => call('post', path, { json: { name: '张三' } }, build(baseUrl + root)));
  expect(received).toHaveLength(1);
  expect(await open(lastJson().name)).toBe('张三');
});

test('so is a whole URL, and one of v2', async () => {
  await outcomeOf(() => call('post', `${baseUrl}x/v3/profitsharing/receivers/add`, { json: { name: '张三' } }));
  expect(await open(lastJson().name)).toBe('张三');
  await outcomeOf(() => call('post', `${baseUrl}v3//profitsharing/receivers/add`, { json: { name: '李四' } }));
  expect(await open(lastJson().name)).toBe('李四');
  const xml = { mch_id: '1900000109', enc_true_name: '张三' };
  await outcomeOf(() => call('post', `v2/${baseUrl}mmpaysptrans/pay_bank`, { xml }));
  const [, sent = ''] = /<enc_true_name>(?:<!\[CDATA\[)?([^<\]]*)/.exec(received.at(-1)?.body ?? '') ?? [];
  expect(await Rsa.decrypt(sent, bank.privateKey)).toBe('张三');
});

test('another spelling of a path takes no check away', () => {
  const known = traitOf('get', 'v3/billdownload/file');
  expect(known).toMatchObject({ unsigned: true, download: true });
  expect(traitOf('get', 'v3/billdownload//file')).toBeUndefined();
});

describe('whatever is given, no marked field is on the wire in the clear', () => {
  /** Each operation that has fields to encrypt. */
  const operations = Object.values(TRAITS)
    .flatMap((area) => Object.entries(area()))
    .flatMap(([operation, { encrypt = [] }]) => {
      const [verb = '', path = ''] = operation.split(' ');
      const filled = path.replace(/\{\w+\}/g, 'x1');
      return encrypt.map((field) => ({ verb, path: filled, field }));
    })
    .filter(({ path }) => !path.startsWith('brand/'));

  /** A value that is written, by one way or another, as the digits or an object that holds them. */
  const leaves: ((digits: string) => unknown)[] = [
    (digits) => digits,
    (digits) => Number(digits),
    (digits) => BigInt(digits),
    (digits) => Object(digits),
    (digits) => Object(Number(digits)),
    (digits) => ({ toJSON: () => digits }),
    (digits) => ({ toJSON: () => Number(digits) }),
    (digits) => [digits],
    (digits) => ({ value: digits }),
    (digits) => Buffer.from(digits),
    (digits) => new URL(`http://x/${digits}`),
    (digits) => Number(`${digits}.5`),
    (digits) => Object.assign(() => {}, { toJSON: () => digits }),
  ];

  /** An object as programs have them. */
  const wraps: ((value: object) => unknown)[] = [
    (value) => value,
    (value) => ({ toJSON: () => value }),
    (value) => Object.assign(Object.create({ inherited: 1 }), value),
    (value) =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          Object.entries(value).map(([key, member]) => [key, { get: () => member, enumerable: true }]),
        ),
      ),
    (value) => new Proxy(value, {}),
    (value) => Object.freeze(value),
    (value) => [value],
    (value) => new Map(Object.entries(value)),
    (value) => JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member)),
    (value) => {
      const document: object = { ...value, toJSON: () => document };
      return document;
    },
  ];
  const picks = fc.array(fc.nat(), { minLength: 8, maxLength: 8 });
  const pick = <T>(list: readonly T[], index = 0): T => list[index % list.length] as T;

  /** The options with a value at a path: `json.list[].name`. */
  function nest(steps: readonly string[], leaf: unknown, choices: number[]): unknown {
    const [step, ...rest] = steps;
    if (step === undefined) return leaf;
    const inner = nest(rest, leaf, choices);
    if (step === '[]') return [inner, {}];
    if (step === '{}') return JSON.stringify(inner);
    // Mostly as it should be, so that what comes deeper is tried as well.
    const choice = choices.pop() ?? 0;
    const value = { before: 1, [step]: inner };
    return choice % 3 === 0 ? pick(wraps, choice / 3) : value;
  }

  const bodies: ((text: string) => unknown)[] = [
    (text) => text,
    (text) => Buffer.from(text),
    (text) => new Uint8Array(Buffer.from(text)).buffer,
  ];

  /** JSON, in which a BigInt is a text. */
  const write = (meta: unknown) =>
    JSON.stringify(meta, (_key, value) => (typeof value === 'bigint' ? String(value) : value)) ?? '';

  async function optionsFor({ path }: EncryptedField, digits: string, choices: number[]): Promise<object> {
    const [root = '', ...steps] = path.split(/\.|(?=\[\]|\{\})/);
    const leaf = pick(leaves, choices.pop());
    if (root === 'body') {
      const meta = nest(steps.slice(2), leaf(digits), choices);
      const fields = () => ({ meta: typeof meta === 'string' ? meta : write(meta) });
      return { body: await Media.from(Buffer.from('x'), { filename: 'a.png', fields }) };
    }
    const how = (choices.pop() ?? 0) % 4;
    const value = nest(steps, leaf(digits), choices);
    if (root === 'query' && how === 1) return { query: new URLSearchParams({ [steps[0] ?? '']: digits }) };
    if (root === 'query' && how === 2) return { query: `a=1&${steps[0]}=${digits}` };
    if (root !== 'query' && how === 3)
      return { [root]: undefined, body: pick(bodies, choices.pop())(`{"x":"${digits}"}`) };
    if (root !== 'xml') return { [root]: value };
    const more = { mch_id: '1900000109' };
    return { xml: Object.isExtensible(value) ? Object.assign(Object(value), more) : { ...Object(value), ...more } };
  }

  test(
    'in any shape, by any option',
    async () => {
      const outcomes = { sent: 0, refused: 0 };
      await check(
        600,
        [fc.constantFrom(...operations), fc.bigInt({ min: 10n ** 11n, max: 10n ** 13n }), picks],
        async ({ verb, path, field }, number, choices) => {
          received = [];
          const digits = String(number);
          const options = await optionsFor(field, digits, [...choices]);
          const error = expectOurs(await outcomeOf(() => call(verb, path, options)));
          expect(printed(error)).not.toContain(digits);
          for (const { url, body } of received) {
            expect(`${decodeURIComponent(url)}\n${body}`).not.toContain(digits);
            expect(body).not.toContain([...Buffer.from(digits)].join(','));
          }
          if (received.length > 0) outcomes.sent++;
          else outcomes.refused++;
        },
      );
      // Both ways are gone often, or nothing would have been shown.
      expect(Math.min(outcomes.sent, outcomes.refused)).toBeGreaterThan(20);
    },
    LONG,
  );
});
