import { inspect } from 'node:util';
import { Builder } from 'wechatpay-undici';
import type { NotificationRequest } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import {
  apiv3Key,
  certs,
  merchantKey,
  PAYMENT,
  PLATFORM_ID,
  refund,
  type Sent,
  secret,
  serve,
  signed,
  v2,
  v3,
} from './support';

/** Everything that a program may print of a value. */
function printed(value: unknown): string {
  const { stack = '', message = '', cause } = Object(value) as Error;
  const options = { depth: Infinity, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity };
  return [
    inspect(value, options),
    inspect(cause, options),
    JSON.stringify(value),
    String(value),
    stack,
    message,
  ].join();
}

const PLAINTEXT = '110101199003071234';

function expectNoSecret(value: unknown): void {
  const text = printed(value);
  for (const key of [apiv3Key, secret]) {
    for (const form of [key, key.slice(4, 28), Buffer.from(key).toString('hex'), Buffer.from(key).toString('base64')]) {
      expect(text).not.toContain(form);
    }
    // As inspect prints bytes.
    expect(text).not.toContain(Buffer.from(key).toString('hex').match(/../g)?.slice(4, 20).join(' '));
  }
  expect(text).not.toContain(PLAINTEXT);
}

test('the check would see a secret', () => {
  expect(() => expectNoSecret({ deep: { apiv3Key } })).toThrow();
  expect(() => expectNoSecret({ key: Buffer.from(secret) })).toThrow();
  expect(() => expectNoSecret(new Error('x', { cause: { PLAINTEXT } }))).toThrow();
});

test('what receives notifications prints no key', () => {
  const instance = Builder.factory({ mchid: '1900000109', serial: 'A1', privateKey: merchantKey, certs, secret });
  for (const notifications of [
    Notifications.of({ certs, apiv3Key, secret }),
    Notifications.of(instance, { apiv3Key: Buffer.from(apiv3Key) }),
  ]) {
    expectNoSecret(notifications);
    const process = () => {};
    expectNoSecret(notifications.nodeHandler(process));
    expectNoSecret(notifications.webHandler(process));
    expectNoSecret(notifications.parse({ headers: {}, body: '' }).catch(() => {}));
  }
});

const broken = `{"id": "${PLAINTEXT}", `;

test.each<[string, Sent | (() => unknown)]>([
  ['a signature that is missing', { headers: {}, body: v3().body }],
  ['a wrong signature', { ...v3(), body: broken }],
  ['an unknown serial', signed(broken, { serial: 'X' })],
  ['a signed body that is no JSON', signed(broken)],
  ['a content that is no JSON', v3(broken)],
  ['a content that cannot be decrypted', v3(undefined, { resource: { ciphertext: 'AAAA', nonce: 'x' } })],
  ['a wrong sign', { headers: {}, body: v2().body.replace('10000100', PLAINTEXT) }],
  ['a return_code of failure', v2({ ...PAYMENT, return_code: 'FAIL', attach: PLAINTEXT })],
  ['req_info that cannot be decrypted', refund({}, 'x'.repeat(32))],
  ['broken XML', { headers: {}, body: `<xml>${PLAINTEXT}` }],
  ['a parsed body', () => ({ headers: {}, body: { PLAINTEXT } })],
  ['a list', () => [PLAINTEXT]],
])('the error of %s prints none, and its answer neither', async (_, sent) => {
  const request = (typeof sent === 'function' ? sent() : sent) as NotificationRequest;
  const errors: unknown[] = [];
  const config = { certs, apiv3Key, secret, onError: (error: unknown) => errors.push(error) };
  const notifications = Notifications.of(config);
  const error: unknown = await notifications.parse(request).catch((reason) => reason);
  expect(error).toBeInstanceOf(Error);
  expectNoSecret(error);

  const server = await serve((incoming, response) =>
    notifications.nodeHandler(() => {})(Object.assign(incoming, request, { method: 'POST' }), response),
  );
  const response = await fetch(server.url);
  expectNoSecret(await response.text());
  expectNoSecret([...response.headers]);
  await server.close();
  expect(response.status).toBeGreaterThanOrEqual(400);
  errors.forEach(expectNoSecret);
});

test.each<[string, object]>([
  ['a key that is too long', { certs, apiv3Key: `${apiv3Key}x` }],
  ['a key that is too short', { secret: secret.slice(1) }],
  ['a key as an option', { certs, apiv3Key, [`${PLATFORM_ID}`]: secret }],
  ['a key as certs', { certs: apiv3Key, apiv3Key }],
  ['a key as a cert', { certs: { [PLATFORM_ID]: apiv3Key }, apiv3Key }],
  ['a key as instance', { instance: apiv3Key, apiv3Key }],
  ['a key as store', { certs, apiv3Key, store: secret }],
  ['a key as limit', { certs, apiv3Key, maxBodySize: secret }],
  ['a key as age', { certs, apiv3Key, maxAge: secret }],
])('a configuration with %s', (_, config) => {
  let error: unknown;
  try {
    Notifications.of(config as never);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name: expect.stringMatching(/ConfigurationError|InvalidArgumentError/) });
  expectNoSecret(error);
});
