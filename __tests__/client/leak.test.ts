import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { Builder, type Chain, type ClientConfig, signer, verifier } from 'wechatpay-undici';
import { type Misbehaviour, Simulator } from 'wechatpay-undici/simulator';

const PLAINTEXT = '身份证110101199003071234';

let simulator: Simulator;
let config: ClientConfig;
let instance: Chain;
let pem: string;
const agent = new Agent();

beforeAll(async () => {
  simulator = await Simulator.start();
  pem = (simulator.config.privateKey as KeyObject).export({ format: 'pem', type: 'pkcs8' }).toString();
  config = { ...simulator.config, privateKey: pem, dispatcher: agent };
  instance = Builder.factory(config);
});
afterAll(async () => {
  await agent.destroy();
  await simulator.close();
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
  simulator.misbehave(how);
  return post(options);
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
  simulator.on('post', 'v3/secret', () => ({}));
  const promise = post();
  expectNoSecret(promise);
  expectNoSecret(await promise);
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
