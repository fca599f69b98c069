import { connect } from 'node:net';
import fc from 'fast-check';
import { Agent, request } from 'undici';
import {
  Builder,
  type ClientConfig,
  ConfigurationError,
  failover,
  InvalidArgumentError,
  type LooseOptions,
  signer,
  v2Signer,
} from 'wechatpay-undici';
import { config, expectSigned, headerOf, MCHID, wire } from '../fuzz/wire';
import { loose } from '../support/loose';

type Wire = Awaited<ReturnType<typeof wire>>;
/** The configured root, a host of a stranger's, and one that is configured besides; all three answer well. */
let home: Wire;
let foreign: Wire;
let second: Wire;
/** Whatever a host is called, here a connection leads to the stranger, who reads what is sent in the clear. */
let network: Agent;

beforeAll(async () => {
  [home, foreign, second] = await Promise.all([wire(), wire(), wire()]);
  const port = Number(new URL(foreign.url).port);
  network = new Agent({
    connect: (_options, callback) => {
      const socket = connect(port, '127.0.0.1', () => callback(null, socket)).on('error', () => {});
    },
  });
});
beforeEach(() => {
  for (const { requests, state } of [home, foreign, second]) {
    requests.length = 0;
    state.connections = 0;
  }
});
afterAll(async () => {
  await network.destroy();
  await Promise.all([home, foreign, second].map(({ close }) => close()));
});

const build = (more: Partial<ClientConfig> = {}) =>
  loose<'v2' | 'v3'>(Builder.factory({ ...config, baseUrl: home.url, ...more } as ClientConfig));
const refusal = (call: PromiseLike<unknown>): Promise<InvalidArgumentError> =>
  Promise.resolve(call).then(
    () => Promise.reject(new Error('it should have been refused')),
    (error) => {
      expect(error).toBeInstanceOf(InvalidArgumentError);
      return error;
    },
  );
const expectNothingSent = () => {
  for (const { requests, state } of [home, foreign, second]) expect([requests, state.connections]).toEqual([[], 0]);
};

/** Each way to name a host: path and options of a call. */
const WAYS: Record<string, (url: string) => [path: string, options: LooseOptions]> = {
  'the option': (url) => ['v3/x', { baseUrl: url }],
  'the option as a URL': (url) => ['v3/x', { baseUrl: new URL(url) }],
  'the option, for a file': (url) => ['v3/x', { baseUrl: url, download: true }],
  'the path': (url) => [`${url}v3/x`, {}],
  'the path, beside an option that may be': (url) => [`${url}v3/x`, { baseUrl: home.url }],
  'the path and the option': (url) => [`${url}v3/x`, { baseUrl: url }],
  'a path without its scheme': (url) => [`${url.replace(/^\w+:/, '')}v3/x`, {}],
  'a path without its scheme, and the option': (url) => [`${url.replace(/^\w+:/, '')}v3/x`, { baseUrl: url }],
  'a variable': (url) => ['{+url}', { url: `${url}v3/x` }],
};

describe.each(Object.entries(WAYS))('a host named by %s', (_, call) => {
  test('is refused unless it is configured, and nothing is sent', async () => {
    const [path, options] = call(foreign.url);
    for (const instance of [build(), build({ baseUrls: [] }), build({ baseUrls: [second.url] })]) {
      const { message } = await refusal(instance.chain(path).get(options));
      expect(message).toContain(`${new URL(foreign.url).origin} is neither a WeChat Pay host nor configured`);
      expect(message).toContain('"baseUrls"');
      await refusal(instance.chain(path).post({ ...options, json: { a: 1 } }));
    }
    expectNothingSent();
  });

  test('is called, and signed for, where `baseUrls` has it', async () => {
    const [path, options] = call(second.url);
    for (const baseUrls of [[second.url], [new URL(`${second.url}some/path`)], [foreign.url, second.url]]) {
      second.requests.length = 0;
      expect(await build({ baseUrls }).chain(path).get(options).text()).toBe('{}');
      expect(second.requests.map(({ target }) => target)).toEqual(['/v3/x']);
      for (const one of second.requests) expectSigned(one);
    }
    expect([home.requests, foreign.requests]).toEqual([[], []]);
  });
});

test('the configured root may be named by a call; `baseUrls` alone is no root', async () => {
  const instance = build({ baseUrls: [second.url] });
  expect(
    await instance.v3
      .chain('x')
      .get({ baseUrl: `${home.url}hk/` })
      .text(),
  ).toBe('{}');
  expect(await instance.v3.chain('x').get().text()).toBe('{}');
  expect(home.requests.map(({ target }) => target)).toEqual(['/hk/v3/x', '/v3/x']);
  expect(second.requests).toEqual([]);
});

test('v2 knows the same hosts', async () => {
  const xml = { mch_id: MCHID };
  await refusal(build().chain('v2/pay/x').post({ xml, baseUrl: foreign.url }));
  expectNothingSent();
  // It signs for the second host; what that answers is not v2.
  await expect(
    build({ baseUrls: [second.url] })
      .chain('v2/pay/x')
      .post({ xml, baseUrl: second.url }),
  ).rejects.toThrow();
  expect(second.requests.map(({ target, body }) => [target, String(body).includes('<sign>')])).toEqual([
    ['/pay/x', true],
  ]);
});

describe('options that a stranger typed', () => {
  const path = 'v3/pay/transactions/out-trade-no/{out_trade_no}';
  const typed = (search: string) => Object.fromEntries(new URLSearchParams(search));

  test.each([
    () => `out_trade_no=1&baseUrl=${encodeURIComponent(foreign.url)}&download=1`,
    () => `out_trade_no=1&baseUrl=${encodeURIComponent(foreign.url)}`,
    () => 'out_trade_no=1&download=true',
    () => 'out_trade_no=1&download=',
    () => 'out_trade_no=1&encrypted=1',
    () => 'out_trade_no=1&unsigned=1',
    () => 'out_trade_no=1&retry=true',
    () => 'out_trade_no=1&headers=x',
    () => 'out_trade_no=1&digest=x',
    () => 'out_trade_no=1&signal=x',
    () => 'out_trade_no=1&timeout=1',
    () => 'out_trade_no=1&xml=x',
    () => 'out_trade_no=1&utm_source=x',
  ])('beside a variable are refused, %#', async (search) => {
    await refusal(build().chain(path).get(typed(search())));
    expectNothingSent();
  });

  test('as `variables` are nothing but variables', async () => {
    const stranger = typed(`out_trade_no=1&baseUrl=${encodeURIComponent(foreign.url)}&download=1&json=x&utm_source=x`);
    home.state.answer = () => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';
    try {
      // An unsigned response is no file that goes unverified.
      await expect(build().chain(path).get({ variables: stranger })).rejects.toMatchObject({ name: 'SignatureError' });
    } finally {
      home.state.answer = foreign.state.answer;
    }
    expect(home.requests.map(({ target, body }) => [target, body.length])).toEqual([
      ['/v3/pay/transactions/out-trade-no/1', 0],
    ]);
    expect(foreign.state.connections).toBe(0);
  });
});

describe("WeChat Pay's hosts are called over TLS alone", () => {
  const [KNOWN, UNKNOWN] = ['must be called over https', 'is neither a WeChat Pay host'];
  /** What is said of each where a path leads to it. */
  const ISSUES: Record<string, string> = {
    'http://api.mch.weixin.qq.com/': KNOWN,
    'http://api2.mch.weixin.qq.com/': KNOWN,
    'http://apihk.mch.weixin.qq.com/hk/': KNOWN,
    'http://pay.wechatpay.cn/': KNOWN,
    'http://api.mch.weixin.qq.com:443/': UNKNOWN,
    'http://api.mch.weixin.qq.com:8080/': UNKNOWN,
    'HTTP://API.Mch.Weixin.QQ.com/': KNOWN,
    'http://api.mch.weixin.qq.com./': UNKNOWN,
    'http://another.mch.weixin.qq.com/': UNKNOWN,
  };
  const PLAIN = Object.keys(ISSUES);

  test.each(PLAIN.flatMap((url) => Object.keys(WAYS).map((way) => [url, way] as const)))(
    '%s named by %s',
    async (url, way) => {
      const [path, options] = (WAYS[way] as (typeof WAYS)[string])(url);
      // Without its scheme a path takes that of the root.
      const instance = build({ dispatcher: network, baseUrl: home.url });
      const { message } = await refusal(instance.chain(path).get(options));
      const isByOption = options.baseUrl !== undefined && options.baseUrl !== home.url;
      expect(message).toContain(isByOption ? 'hosts of WeChat Pay are called over https only' : ISSUES[url]);
      await refusal(instance.chain(path).post({ ...options, json: {} }));
      expectNothingSent();
    },
  );

  test.each(PLAIN)('%s cannot be configured', (url) => {
    for (const change of [
      { baseUrl: url },
      { baseUrl: new URL(url) },
      { baseUrls: [second.url, url] },
      { failover: url },
    ]) {
      expect(() => build(change)).toThrow(ConfigurationError);
      expect(() => build(change)).toThrow('hosts of WeChat Pay are called over https only');
    }
    for (const bases of [{ baseUrl: url }, { baseUrls: [url] }]) {
      expect(() => signer({ ...config, ...bases })).toThrow(ConfigurationError);
      expect(() => v2Signer({ ...config, ...bases })).toThrow(ConfigurationError);
    }
    expect(() => failover({ to: url })).toThrow(ConfigurationError);
  });

  test.each(PLAIN)('%s gets no signature of the interceptor, even where it is said to be trusted', async (url) => {
    const { origin } = new URL(url);
    const dispatcher = network.compose(signer(config));
    for (const options of [{ dispatcher }, { dispatcher, trustedOrigin: origin }, { dispatcher, trustedOrigin: url }]) {
      await (await request(`${origin}/v3/x`, options)).body.dump();
    }
    expect(foreign.requests.map((one) => headerOf(one, 'authorization'))).toEqual([undefined, undefined, undefined]);
  });
});

test('a configured host may be plain: a proxy of your own, a machine of your own', async () => {
  const instance = build({
    dispatcher: network,
    baseUrl: 'http://pay-proxy.internal/',
    baseUrls: ['http://10.0.0.1:8080'],
  });
  expect(await instance.v3.chain('x').get().text()).toBe('{}');
  expect(await instance.v3.chain('x').get({ baseUrl: 'http://10.0.0.1:8080/' }).text()).toBe('{}');
  await refusal(instance.v3.chain('x').get({ baseUrl: 'http://10.0.0.1:8081/' }));
  await refusal(instance.v3.chain('x').get({ baseUrl: 'https://pay-proxy.internal/' }));
  expect(foreign.requests.map((one) => headerOf(one, 'host'))).toEqual(['pay-proxy.internal', '10.0.0.1:8080']);
});

test('whatever a call says, a connection leads to a configured host or to none', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(WAYS)),
      fc.constantFrom(
        ...['http://127.0.0.1:', 'http://localhost:', 'http://0.0.0.0:', 'http://[::1]:', 'http://2130706433:'],
        ...['http://127.1:', 'http://127.0.0.1.:', 'http://api.mch.weixin.qq.com@127.0.0.1:', 'HTTP://127.0.0.1:'],
        ...['http:\\\\127.0.0.1:', 'http://０.0.0.0:', ' http://127.0.0.1:', 'https://127.0.0.1:'],
      ),
      async (way, start) => {
        const url = `${start}${new URL(foreign.url).port}/`;
        if (way === 'the option as a URL' && !URL.canParse(url)) return;
        const [path, options] = (WAYS[way] as (typeof WAYS)[string])(url);
        await build()
          .chain(path)
          .get(options)
          .then(undefined, () => {});
        expect([foreign.state.connections, second.state.connections]).toEqual([0, 0]);
      },
    ),
    { numRuns: 200 },
  ));

test.each<[string, unknown, string]>([
  ['text', 'https://x.example/', '"baseUrls" must be a list of URLs'],
  ['null', null, '"baseUrls" must be a list of URLs'],
  ['a member that is no URL', ['https://x.example/', 'x.example'], '"baseUrls[1]" must be an absolute URL'],
  ['a member with a password', ['https://a:b@x.example/'], '"baseUrls[0]" must be an absolute URL'],
  ['a hole', [undefined], '"baseUrls[0]" must be an absolute URL'],
])('`baseUrls` that cannot be used: %s', (_, baseUrls, message) => {
  const broken = { baseUrls } as unknown as { baseUrls: string[] };
  expect(() => build(broken)).toThrow(ConfigurationError);
  expect(() => build(broken)).toThrow(message);
  expect(() => signer({ ...config, ...broken })).toThrow(message);
  expect(() => v2Signer({ ...config, ...broken })).toThrow(message);
});
