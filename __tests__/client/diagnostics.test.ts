import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { promisify } from 'node:util';
import { Agent } from 'undici';
import { Builder, type Chain } from 'wechatpay-undici';
import { type Misbehaviour, Sandbox } from 'wechatpay-undici/sandbox';

const SECRET = 'plain text of a customer';
const mch_id = '1900000109';

let sandbox: Sandbox;
let instance: Chain;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = Builder.factory({ ...sandbox.config, dispatcher: agent });
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('post', 'v3/echo', ({ json }) => json);
  sandbox.on('post', 'v2/pay/echo', () => ({}));
});
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

const echo = (options: object = {}) => instance.chain('v3/echo').post({ json: { name: SECRET }, ...options });

/** What is published while something is done. */
async function published(action: () => PromiseLike<unknown>): Promise<unknown[]> {
  const messages: unknown[] = [];
  const listen = (message: unknown): void => {
    messages.push(message);
  };
  subscribe('wechatpay', listen);
  try {
    await action();
  } finally {
    unsubscribe('wechatpay', listen);
  }
  return messages;
}

describe('the channel', () => {
  const call = (target: string) => ({ method: 'POST', origin: sandbox.url.slice(0, -1), target });

  test('has each request and its response, and no more than what is said of them', async () => {
    const messages = await published(() => echo({ query: { a: '1 2' }, headers: { 'x-name': SECRET } }));
    expect(messages).toEqual([
      { phase: 'request', ...call('/v3/echo?a=…') },
      {
        ...{ phase: 'response', ...call('/v3/echo?a=…'), status: 200 },
        ...{ milliseconds: expect.any(Number), requestId: expect.stringMatching(/^[0-9A-F]+-0$/) },
      },
    ]);
    expect(JSON.stringify(messages)).not.toContain(SECRET);
  });

  test('has those of v2', async () => {
    const xml = { mch_id, name: SECRET };
    const messages = await published(() => instance.chain('v2/pay/echo').post({ xml }));
    expect(messages).toMatchObject([
      { phase: 'request', ...call('/pay/echo') },
      { phase: 'response', ...call('/pay/echo'), status: 200, requestId: expect.any(String) },
    ]);
    expect(JSON.stringify(messages)).not.toMatch(SECRET);
  });

  test.each<[string, Misbehaviour, object, string]>([
    ['an error of the platform', { status: 500 }, {}, 'ApiError SYSTEM_ERROR'],
    ['a wrong signature', { signature: 'wrong' }, {}, 'SignatureError ERR_SIGNATURE_WRONG'],
    ['a reset', { reset: true }, {}, 'TransportError ERR_TRANSPORT'],
    ['a timeout', { delay: Number.POSITIVE_INFINITY }, { timeout: 30 }, 'TimeoutError ERR_TIMEOUT'],
  ])('has a failure: %s', async (_, how, options, error) => {
    sandbox.misbehave(how);
    const messages = await published(async () => {
      await echo(options).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    const { milliseconds, ...failure } = {
      phase: 'failure',
      ...call('/v3/echo'),
      error,
      milliseconds: expect.any(Number),
    };
    expect(messages).toEqual([
      { phase: 'request', ...call('/v3/echo') },
      { ...failure, milliseconds },
    ]);
  });

  test.each<[string, object, string]>([
    ['an object', { query: { appid: 'wx', secret: 'S3CRET', code: 'S3CRET' } }, '?appid=…&secret=…&code=…'],
    ['text', { query: 'access_token=S3CRET=S3CRET&S3CRET&&a=' }, '?access_token=…&…&&a=…'],
    ['text with more marks', { query: 'a=1?token=S3CRET&?S3CRET' }, '?a=…&…'],
    ['nested', { query: { a: { b: ['S3CRET'] } } }, '?a%5Bb%5D%5B0%5D=…'],
  ])('has no value of a query that is %s', async (_, options, shown) => {
    const messages = await published(() => echo(options));
    expect(messages).toMatchObject([call(`/v3/echo${shown}`), call(`/v3/echo${shown}`)]);
    expect(JSON.stringify(messages)).not.toContain('S3CRET');
  });

  test('has none of a query in the path, nor of one that fails', async () => {
    sandbox.misbehave({ status: 500 });
    const messages = await published(() =>
      instance
        .chain('v3/echo?token=S3CRET')
        .get()
        .catch(() => {}),
    );
    expect(messages).toMatchObject(
      [call('/v3/echo?token=…'), call('/v3/echo?token=…')].map(({ target }) => ({ target })),
    );
    expect(JSON.stringify(messages)).not.toContain('S3CRET');
  });

  test('shows the controls of a code that a stranger may have written', async () => {
    sandbox.misbehave({ status: 403, body: JSON.stringify({ code: 'X\u001b[2J\nanswer', message: 'no' }) });
    const [, failure] = await published(() => echo().catch(() => {}));
    expect(failure).toMatchObject({ error: 'ApiError X\\u001b[2J\\u000aanswer' });
  });

  test('has nothing of a call that sends nothing', async () => {
    const bad = [echo({ timeout: -1 }), instance.chain('v3/{id}').get(), echo({ baseUrl: 'x' })];
    expect(await published(() => Promise.allSettled(bad))).toEqual([]);
  });

  test('has each of concurrent calls, with its own request id', async () => {
    const messages = await published(() =>
      Promise.all(Array.from({ length: 5 }, (_, a) => echo({ query: { [`a${a}`]: a } }))),
    );
    const answers = messages.filter((message) => Object(message).phase === 'response');
    expect(answers.map((answer) => Object(answer).target).sort()).toEqual(
      [0, 1, 2, 3, 4].map((a) => `/v3/echo?a${a}=…`),
    );
    expect(new Set(answers.map((answer) => Object(answer).requestId)).size).toBe(5);
  });

  test('is silent without a listener', async () => {
    const messages: unknown[] = [];
    const listen = (message: unknown): void => {
      messages.push(message);
    };
    subscribe('wechatpay', listen);
    unsubscribe('wechatpay', listen);
    await echo();
    expect(messages).toEqual([]);
  });
});

describe('NODE_DEBUG', () => {
  /** Makes a call in a process of its own; gives what that printed, and its secrets. */
  async function run(debug: string): Promise<{ stderr: string; secrets: string[]; ids: string[] }> {
    const program = `
      const { Builder } = require('./lib/index');
      const { Sandbox } = require('./lib/sandbox');
      (async () => {
        const sandbox = await Sandbox.start();
        const { privateKey, secret } = sandbox.config;
        sandbox.on('post', 'v3/echo', ({ json }) => json);
        const instance = Builder.factory(sandbox.config);
        const options = { json: { name: '${SECRET}' }, headers: { 'x-name': '${SECRET}' } };
        const ids = [(await instance.chain('v3/echo').post({ ...options, query: { a: '${SECRET}' } })).requestId];
        const xml = { mch_id: '${mch_id}', name: '${SECRET}' };
        await instance.chain('v2/pay/unknown').post({ xml }).catch(() => {});
        const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).split('\\n')[1];
        const signed = sandbox.requests.map(({ headers }) => headers.authorization).filter(Boolean);
        console.log(JSON.stringify({ secrets: ['${SECRET}', secret, key, ...signed], ids }));
        process.exit(0);
      })();`;
    const args = ['-r', 'esbuild-register', '-e', program];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, NODE_DEBUG: debug },
    });
    return { stderr, ...JSON.parse(stdout) };
  }

  test('prints a line for each request and response, without headers, bodies and secrets', async () => {
    const { stderr, secrets, ids } = await run('wechatpay');
    const lines = stderr.trim().split('\n');
    const url = /http:\/\/127\.0\.0\.1:\d+/.source;
    expect(lines).toEqual(
      [
        `request POST ${url}/v3/echo\\?a=…`,
        `response POST ${url}/v3/echo\\?a=… 200 ${ids[0]} \\d+ ms`,
        `request POST ${url}/pay/unknown`,
        `failure POST ${url}/pay/unknown ApiError FAIL \\d+ ms`,
      ].map((line) => expect.stringMatching(new RegExp(`^WECHATPAY \\d+: ${line}$`))),
    );
    expect(secrets).toHaveLength(4);
    for (const secret of secrets) expect(stderr).not.toContain(secret);
  }, 20_000);

  test('prints nothing where it names others', async () => {
    expect((await run('wechat,pay')).stderr).toBe('');
  }, 20_000);
});
