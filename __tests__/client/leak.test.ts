import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { Builder, type Chain, type ClientConfig, Media, signer, verifier } from 'wechatpay-undici';
import { type Misbehaviour, Sandbox } from 'wechatpay-undici/sandbox';
import { listen } from '../support/listen';

const PLAINTEXT = '身份证110101199003071234';

let sandbox: Sandbox;
let config: ClientConfig;
let instance: Chain;
let pem: string;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
  pem = (sandbox.config.privateKey as KeyObject).export({ format: 'pem', type: 'pkcs8' }).toString();
  config = { ...sandbox.config, privateKey: pem, dispatcher: agent };
  instance = Builder.factory(config);
});
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

/** Everything that a program may print of a value. */
function printed(value: unknown): string {
  const { stack = '', message = '', cause } = Object(value) as Error;
  return [
    inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity }),
    inspect(value, { depth: Infinity, showProxy: true, showHidden: true }),
    JSON.stringify(value),
    String(value),
    stack,
    message,
    inspect(cause, { depth: Infinity, showHidden: true }),
  ].join('\n');
}

/** Lines of the key's PEM, and pieces of them. */
function secrets(): string[] {
  const lines = pem.split('\n').filter((line) => line.length > 20 && !line.includes('-----'));
  return [...lines.map((line) => line.slice(4, 24)), PLAINTEXT, '110101199003071234'];
}

function expectNoSecret(value: unknown): void {
  const text = printed(value);
  for (const secret of secrets()) expect(text).not.toContain(secret);
}

const json = { name: PLAINTEXT, nested: [{ card: PLAINTEXT }] };
const post = (options: object = {}) => instance.chain('v3/secret').post({ json, ...options });

/** The same, to a platform that misbehaves. */
function postTo(how: Misbehaviour, options?: object) {
  sandbox.misbehave(how);
  return post(options);
}

const fails = () => {
  throw new TypeError(PLAINTEXT, { cause: PLAINTEXT });
};

/** A call of an operation that has a field to encrypt. */
const marked = (options: object) => instance.chain('v3/profitsharing/receivers/add').post(options as never);

async function upload(meta: string): Promise<unknown> {
  const body = await Media.from(Buffer.from('x'), { filename: 'a.png', fields: () => ({ meta }) });
  return instance.chain('v3/marketing/shopping-receipt/shoppingreceipts' as string).post({ body });
}

/** Reads a signed response as the JSON that it is not. */
function answeredWith(body: string): PromiseLike<unknown> {
  sandbox.on('post', 'v3/secret', () => new Response(body, { headers: { 'content-type': 'application/json' } }));
  return post().json();
}

/** What no HTTP client understands, from a server of bare sockets. */
async function notHttp(bytes: string): Promise<unknown> {
  const server = await listen((socket) => socket.once('data', () => socket.end(bytes)));
  try {
    return await post({ baseUrl: server.url });
  } finally {
    await server.close();
  }
}

test('the checks above would see a secret', () => {
  expect(secrets().length).toBeGreaterThan(20);
  expect(() => expectNoSecret({ config })).toThrow();
  expect(() => expectNoSecret(new Error('x', { cause: { json } }))).toThrow();
});

test('the client, its nodes and the interceptors print no secret', async () => {
  for (const value of [
    instance,
    instance.v3,
    instance.chain('v3/x').post,
    signer(config as never),
    verifier(config as never),
  ]) {
    expectNoSecret(value);
  }
  sandbox.on('post', 'v3/secret', () => ({}));
  const promise = post();
  expectNoSecret(promise);
  expectNoSecret(await promise);
  sandbox.on('post', 'v3/secret', ({ json: echoed }) => echoed);
  const response = await post();
  expectNoSecret(response);
  expect(await response.text()).toContain(PLAINTEXT);
  expectNoSecret(response);
  const read = await post();
  expectNoSecret(read.body);
  expectNoSecret(read);
  const meta = { name: PLAINTEXT };
  const media = await Media.from(Buffer.from(PLAINTEXT), { filename: 'a.png', meta });
  expectNoSecret(media);
  expectNoSecret(media.withFields({ name: PLAINTEXT }));
});

test.each<[string, () => PromiseLike<unknown>]>([
  ['an error of the platform', () => postTo({ status: 400 })],
  [
    'an error of the platform that repeats what was sent',
    () => {
      const body = JSON.stringify({ code: 'PARAM_ERROR', message: 'no', detail: { value: PLAINTEXT } });
      return postTo({ status: 400, body });
    },
  ],
  ['a wrong signature', () => postTo({ signature: 'wrong' })],
  ['an unknown serial', () => postTo({ serial: 'X' })],
  ['a connection that is reset', () => postTo({ reset: true })],
  ['garbage', () => postTo({ garbage: true })],
  ['nobody there', () => post({ baseUrl: 'http://127.0.0.1:1/' })],
  ['a timeout', () => postTo({ delay: Infinity }, { timeout: 20 })],
  ['an abort', () => post({ signal: AbortSignal.abort() })],
  ['JSON that cannot be written', () => post({ json: { ...json, total: 1n } })],
  ['JSON that holds no number', () => post({ json: { ...json, total: Number.NaN } })],
  ['a query that is none', () => post({ query: { [Symbol.iterator]: 1, name: () => PLAINTEXT } })],
  ['a header that breaks', () => post({ headers: { 'X-Name': `${PLAINTEXT}\r\nx` } })],
  ['a header that is none', () => post({ headers: { 'X-Name': { PLAINTEXT } } })],
  ['a body that is none', () => post({ json: undefined, body: json })],
  ['a variable that is none', () => instance.chain('v3/{id}').post({ id: { a: { PLAINTEXT } } })],
  ['a variable that leads elsewhere', () => instance.chain('v3/{+id}').post({ id: `../${PLAINTEXT}` })],
  ['a field in another place', () => post({ json: undefined, body: PLAINTEXT })],
  ['a toJSON() that fails', () => post({ json: { toJSON: () => JSON.parse(PLAINTEXT) } })],
  ['a getter that fails', () => post({ json: Object.defineProperty({}, 'a', { get: fails, enumerable: true }) })],
  ['a marked field whose toJSON() fails', () => marked({ json: { name: { toJSON: fails } } })],
  ['a marked field in text', () => marked({ json: JSON.stringify({ name: PLAINTEXT }) })],
  ['a marked field that is composed', () => marked({ json: { name: { PLAINTEXT } } })],
  ['a marked field that is too long', () => marked({ json: { name: PLAINTEXT.repeat(20) } })],
  ['a body with a marked field', () => marked({ body: `{"name":"${PLAINTEXT}"}` })],
  ['a form whose meta is not JSON', () => upload(PLAINTEXT)],
  ['a form whose meta breaks off', () => upload(`{"merchant_contact_information":"${PLAINTEXT}`)],
  [
    'a media whose meta cannot be written',
    () => Media.from(Buffer.from('x'), { filename: 'a', meta: { a: { toJSON: fails } } }),
  ],
  ['a media from a URL that is none of a file', () => Media.from(new URL(`https://x.test/?token=${PLAINTEXT}`))],
  ['a body that is not JSON', () => answeredWith(PLAINTEXT)],
  ['a body that begins like JSON', () => answeredWith(`{"name":${PLAINTEXT}`)],
  ['a body that breaks off', () => answeredWith(`{"name":"${PLAINTEXT}`)],
  ['a body that breaks off at a position of its own', () => answeredWith(`p at position 110101199003071234`)],
  ['no HTTP', () => notHttp(`${PLAINTEXT}\r\n\r\n`)],
  ['HTTP that breaks', () => notHttp(`HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{"name":"${PLAINTEXT}"}`)],
  ['HTTP that has two lengths', () => notHttp(`HTTP/1.1 200 OK\r\nX: ${PLAINTEXT}\r\nA B\r\n\r\n`)],
  ['a query', () => postTo({ reset: true }, { query: { secret: PLAINTEXT, code: PLAINTEXT } })],
  [
    'a query that times out',
    () => postTo({ delay: Infinity }, { timeout: 20, query: `code=${encodeURIComponent(PLAINTEXT)}` }),
  ],
  ['a foreign host', () => instance.chain('{+url}').post({ url: `https://evil.example/${PLAINTEXT}` })],
])('%s', async (_name, call) => {
  const error = await Promise.resolve(call()).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeDefined();
  expectNoSecret(error);
});

test.each<[string, () => object]>([
  ['a key that is cut off', () => ({ privateKey: pem.slice(0, 900) })],
  ['a key with a changed letter', () => ({ privateKey: pem.replace(/[a-z]{3}/, '###') })],
  ['a key where a public key belongs', () => ({ certs: { PUB_KEY_ID_1: pem } })],
  ['a key as mchid', () => ({ mchid: pem })],
  ['a key as serial', () => ({ serial: pem })],
  ['a key as base URL', () => ({ baseUrl: pem })],
  ['a key as a header', () => ({ headers: { 'X-Key': pem } })],
  ['a key as timeout', () => ({ timeout: pem })],
  ['a key as certs', () => ({ certs: pem })],
])('a configuration with %s', (_name, change) => {
  let error: unknown;
  try {
    Builder.factory({ ...config, ...change() });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name: expect.stringMatching(/ConfigurationError|InvalidArgumentError/) });
  expectNoSecret(error);
});
