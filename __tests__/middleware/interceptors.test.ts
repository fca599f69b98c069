import { Readable } from 'node:stream';
import { Agent, type Dispatcher, fetch, interceptors, request } from 'undici';
import { type SignatureError, signer, v2Verifier, verifier } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { rejection } from '../support/rejection';

let sandbox: Sandbox;
let agent: Agent;
let dispatcher: Dispatcher;
let url: string;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  url = `${sandbox.url}v3/echo`;
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('post', 'v3/echo', ({ body }) => ({ echo: body.toString() }));
  sandbox.on('get', 'v3/echo', ({ query }) => Object.fromEntries(query));
  agent = new Agent();
  dispatcher = agent.compose(verifier(sandbox.config), signer(sandbox.config));
});
afterEach(() => agent.destroy());
afterAll(() => sandbox.close());

const headers = { accept: 'application/json', 'user-agent': 'test', 'content-type': 'text/plain' };

describe('with undici.request', () => {
  test.each<[string, Dispatcher.DispatchOptions['body']]>([
    ['text', '{"名":"中"}'],
    ['a Buffer', Buffer.from('{"名":"中"}')],
    ['a Uint8Array', new TextEncoder().encode('{"名":"中"}')],
    ['a stream', Readable.from([Buffer.from('{"名":'), Buffer.from('"中"}')])],
    ['a Blob', new Blob(['{"名":"中"}']) as never],
  ])('%s as a body', async (_name, body) => {
    const { statusCode, body: answer } = await request(url, {
      method: 'POST',
      body: body as string,
      headers,
      dispatcher,
    });
    expect(statusCode).toBe(200);
    expect(await answer.json()).toEqual({ echo: '{"名":"中"}' });
  });

  test('bytes that are no UTF-8', async () => {
    sandbox.on('post', 'v3/echo', ({ body }) => new Response(body));
    const body = Buffer.from([0xff, 0x00, 0x80]);
    const answer = await request(url, { method: 'POST', body, headers, dispatcher });
    expect(Buffer.from(await answer.body.bytes())).toEqual(body);
  });

  test('a query that undici joins only later', async () => {
    const answer = await request(url, { query: { a: 'x y', b: ['1', '2'] }, headers, dispatcher });
    expect(await answer.body.json()).toEqual({ a: 'x y', b: '2' });
    expect(sandbox.requests[0]?.target).toBe('/v3/echo?a=x%20y&b=1&b=2');
  });

  test('headers as undici takes them', async () => {
    const flat = Object.entries(headers).flat();
    for (const shape of [flat, new Map(Object.entries(headers)), { ...headers, 'x-none': undefined }]) {
      expect((await request(url, { headers: shape as string[], dispatcher })).statusCode).toBe(200);
    }
  });

  test('a FormData is refused: WeChat Pay signs only a part of it', async () => {
    const body = new FormData() as never;
    await expect(request(url, { method: 'POST', body, headers, dispatcher })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
    });
    expect(sandbox.requests).toHaveLength(0);
  });

  test('a wrong signature never reaches the caller', async () => {
    sandbox.misbehave({ signature: 'wrong' });
    await expect(request(url, { headers, dispatcher })).rejects.toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
  });

  test('an error of the platform does, unverified', async () => {
    sandbox.misbehave({ status: 500, signature: 'none' });
    const { statusCode, body } = await request(url, { headers, dispatcher });
    expect(statusCode).toBe(500);
    expect(await body.json()).toMatchObject({ code: 'SYSTEM_ERROR' });
  });

  test('with download: true the response streams through', async () => {
    sandbox.misbehave({ signature: 'none' });
    const options = { headers, dispatcher, download: true };
    expect((await request(url, options)).statusCode).toBe(200);
  });
});

test('with fetch', async () => {
  const response = await fetch(url, { method: 'POST', body: '{"名":"中"}', headers, dispatcher });
  expect(await response.json()).toEqual({ echo: '{"名":"中"}' });
  sandbox.misbehave({ tamper: true });
  await expect(fetch(url, { headers, dispatcher })).rejects.toMatchObject({
    cause: expect.objectContaining({ code: 'ERR_SIGNATURE_WRONG' } satisfies Partial<SignatureError>),
  });
});

describe('below what repeats a request', () => {
  test('a retry is signed afresh, and gets the whole response', async () => {
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1, methods: ['POST'] }));
    sandbox.misbehave({ status: 503 });
    sandbox.misbehave({ reset: 'body' });
    sandbox.misbehave({ truncate: true });
    const answer = await request(url, { method: 'POST', body: 'x', headers, dispatcher: retrying });
    expect(await answer.body.json()).toEqual({ echo: 'x' });
    const signatures = sandbox.requests.map(({ headers }) => headers.authorization);
    expect(new Set(signatures).size).toBe(4);
  });

  test('a retry does not repeat what has a wrong signature', async () => {
    const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }));
    sandbox.misbehave({ signature: 'wrong' }, 2);
    await expect(request(url, { headers, dispatcher: retrying })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_WRONG',
    });
    expect(sandbox.requests).toHaveLength(1);
  });
});

describe('a redirect ends as an error: WeChat Pay signs none, and whoever follows it signs what another has chosen', () => {
  const STATUSES = [301, 302, 303, 307, 308];
  const TARGETS: [string, (elsewhere: Sandbox) => string][] = [
    ['the same host', () => '/v3/echo?again=1'],
    ['elsewhere', (elsewhere) => `${elsewhere.url}v3/echo`],
  ];
  let elsewhere: Sandbox;
  beforeAll(async () => {
    elsewhere = await Sandbox.start();
  });
  beforeEach(() => elsewhere.reset());
  afterAll(() => elsewhere.close());
  const expectEnded = (error: unknown, status: number) => {
    expect(error).toMatchObject({
      name: 'ApiError',
      status,
      message: expect.stringContaining('Redirects are not followed'),
    });
    expect(sandbox.requests).toHaveLength(1);
    expect(elsewhere.requests).toHaveLength(0);
  };

  test.each(TARGETS.flatMap(([name, to]) => STATUSES.map((status) => [name, status, to] as const)))(
    'with fetch, to %s, %i',
    async (_name, status, to) => {
      for (const init of [{ method: 'GET' }, { method: 'POST', body: '{}' }]) {
        sandbox.reset();
        sandbox.misbehave({ status, signature: 'none', headers: { Location: to(elsewhere) } });
        const error = await rejection(fetch(url, { ...init, headers, dispatcher }));
        expectEnded(error.cause, status);
      }
    },
  );

  test("with undici's own interceptor that follows redirects", async () => {
    const redirecting = dispatcher.compose(interceptors.redirect({ maxRedirections: 1 }));
    sandbox.misbehave({ status: 307, headers: { Location: `${elsewhere.url}v3/echo` } });
    expectEnded(await rejection(request(url, { headers, dispatcher: redirecting })), 307);
  });

  test.each<[string, () => Dispatcher.DispatcherComposeInterceptor, object]>([
    ['the signer', () => signer(sandbox.config), {}],
    ['the verifier', () => verifier(sandbox.config), {}],
    ['the verifier, of a file', () => verifier(sandbox.config), { download: true }],
    ['the verifier of v2', () => v2Verifier({ secret: sandbox.config.secret }), {}],
    ['the verifier of v2, of a file', () => v2Verifier({ secret: sandbox.config.secret }), { download: true }],
  ])('%s alone', async (_name, interceptor, options) => {
    sandbox.misbehave({ status: 307, headers: { Location: '/v3/echo?again=1' } });
    const alone = agent.compose(interceptor());
    expectEnded(await rejection(request(url, { headers, dispatcher: alone, ...options })), 307);
  });

  test('but for one of a host that nothing is signed for', async () => {
    const foreign = agent.compose(signer({ ...sandbox.config, baseUrl: 'https://api.mch.weixin.qq.com/' }));
    sandbox.misbehave({ status: 307, headers: { Location: '/v3/echo?again=1' } });
    const answer = await request(url, { headers, dispatcher: foreign });
    expect(answer.statusCode).toBe(307);
    await answer.body.dump();
  });
});

test('an origin that a request says to trust is signed for, and no other', async () => {
  await using elsewhere = await Sandbox.start();
  const foreign = agent.compose(signer({ ...sandbox.config, baseUrl: 'https://api.mch.weixin.qq.com/' }));
  const ask = async (trustedOrigin: string) => {
    const options = { headers, dispatcher: foreign, trustedOrigin };
    await (await request(`${elsewhere.url}v3/echo`, options)).body.dump();
    return elsewhere.requests.at(-1)?.headers;
  };
  expect(await ask(new URL(elsewhere.url).origin)).toHaveProperty('authorization');
  for (const other of [new URL(sandbox.url).origin, 'https://api.mch.weixin.qq.com', '']) {
    const received = await ask(other);
    expect(received).not.toHaveProperty('authorization');
    expect(received).not.toHaveProperty('wechatpay-serial');
  }
});

test('a failure that the handler itself fails at is a warning, and does not end the process', async () => {
  const warned = new Promise((resolve) => jest.spyOn(process, 'emitWarning').mockImplementationOnce(resolve));
  const thrown = new Error('thrown in onResponseError');
  const failing = agent.compose(signer({ ...sandbox.config, privateKey: () => Promise.reject(new Error('no key')) }));
  failing.dispatch(
    { origin: sandbox.url, path: '/v3/echo', method: 'GET' },
    {
      onRequestStart: () => {},
      onResponseError: () => {
        throw thrown;
      },
    },
  );
  expect(await warned).toBe(`A request handler threw in onResponseError: ${thrown}`);
});

describe('the caller as a handler of undici', () => {
  const dispatch = (handler: Dispatcher.DispatchHandler) =>
    dispatcher.dispatch({ origin: sandbox.url, path: '/v3/echo?a=1', method: 'GET', headers }, handler);

  test('may pause and resume between all steps', async () => {
    const steps: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const later = (step: string, controller: Dispatcher.DispatchController) => {
        steps.push(step);
        controller.pause();
        expect(controller.paused).toBe(true);
        setTimeout(() => {
          steps.push('resumed');
          controller.resume();
        }, 5);
      };
      dispatch({
        onRequestStart: () => {},
        onResponseStart: (controller) => later('start', controller),
        onResponseData: (controller) => later('data', controller),
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      });
    });
    expect(steps).toEqual(['start', 'resumed', 'data', 'resumed']);
  });

  test('may abort at the head of the verified response, and hears of it once', async () => {
    const reason = new Error('enough');
    const errors: Error[] = [];
    await new Promise<void>((resolve) => {
      dispatch({
        onRequestStart: () => {},
        onResponseStart: (controller) => {
          controller.abort(reason);
          controller.abort(new Error('again'));
          expect(controller.aborted).toBe(true);
          expect(controller.reason).toBe(reason);
          setTimeout(resolve, 20);
        },
        onResponseData: () => errors.push(new Error('no data after an abort')),
        onResponseEnd: () => errors.push(new Error('no end after an abort')),
        onResponseError: (_controller, error) => errors.push(error),
      });
    });
    expect(errors).toEqual([reason]);
  });

  test('may throw: it is told of its own error', async () => {
    const thrown = new Error('thrown in onResponseEnd');
    const told = await new Promise((resolve) => {
      dispatch({
        onRequestStart: () => {},
        onResponseStart: () => {},
        onResponseEnd: () => {
          throw thrown;
        },
        onResponseError: (_controller, error) => resolve(error),
      });
    });
    expect(told).toBe(thrown);
  });
});

test('configurations that cannot work', () => {
  const { config } = sandbox;
  expect(() => signer({ ...config, privateKey: 'x' })).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  expect(() => signer({ ...config, baseUrl: 'x' })).toThrow('"baseUrl" must be an absolute URL');
  expect(() => verifier({ certs: { PUB_KEY_ID_1: 'x' } })).toThrow('certs["PUB_KEY_ID_1"]');
});
