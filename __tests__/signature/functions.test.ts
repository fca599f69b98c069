import { createPublicKey, createSign, createVerify, type KeyObject, webcrypto } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { Builder, type Chain, type ClientConfig, ConfigurationError, SignatureError } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { rejection } from '../support/rejection';

let sandbox: Sandbox;
let id: string;
let platformKey: KeyObject;
const agent = new Agent();

beforeAll(async () => {
  sandbox = await Sandbox.start();
  const [[first = '', key] = []] = Object.entries(sandbox.config.certs);
  id = first;
  platformKey = key as KeyObject;
});
beforeEach(() => {
  sandbox.reset();
  sandbox.on('post', 'v3/echo', ({ body }) => new Response(body));
});
afterAll(async () => {
  await agent.destroy();
  await sandbox.close();
});

const build = (change: Partial<ClientConfig>): Chain =>
  Builder.factory({ ...sandbox.config, dispatcher: agent, ...change } as ClientConfig);
const echo = (instance: Chain) => instance.chain('v3/echo').post({ body: '{"名":"中"}' });

describe('functions in the place of keys', () => {
  /** Signs and verifies for others: it alone has the keys. */
  let service: Server;
  let url: string;

  beforeAll(async () => {
    service = createServer(async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const message = Buffer.concat(chunks);
      const signature = new URL(incoming.url ?? '', 'http://x').searchParams.get('signature');
      if (signature === null) {
        response.end(createSign('RSA-SHA256').update(message).sign(sandbox.config.privateKey, 'base64'));
      } else {
        response.end(String(createVerify('RSA-SHA256').update(message).verify(platformKey, signature, 'base64')));
      }
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    service.closeAllConnections();
    service.close();
  });

  const ask = async (message: Uint8Array, query: Record<string, string> = {}): Promise<string> => {
    const answer = await request(url, { method: 'POST', body: message, query, dispatcher: agent });
    return answer.body.text();
  };
  const verify = async (message: Uint8Array, signature: string) => (await ask(message, { signature })) === 'true';

  test('a service signs and verifies', async () => {
    const instance = build({ privateKey: (message) => ask(message), certs: { [id]: verify } });
    expect(await echo(instance).json()).toEqual({ 名: '中' });
    expect(sandbox.requests).toMatchObject([{ status: 200, headers: { 'wechatpay-serial': id } }]);
    sandbox.misbehave({ signature: 'wrong' });
    const error = await rejection(echo(instance));
    expect(error).toBeInstanceOf(SignatureError);
    expect(error).toMatchObject({ code: 'ERR_SIGNATURE_WRONG', serial: id });
    sandbox.misbehave({ signature: 'probe' });
    expect(await rejection(echo(instance))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG', probe: true });
  });

  test('they are given bytes, also such as are no UTF-8', async () => {
    const sign = jest.fn((message: Uint8Array) => ask(message));
    const bytes = Buffer.of(0xff, 0x00, 0x80);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await build({ privateKey: sign }).chain('v3/echo').post({ body: bytes, headers }).bytes();
    expect(Buffer.from(answer)).toEqual(bytes);
    const [message] = sign.mock.calls[0] ?? [];
    expect(message).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(message ?? []).toString('latin1')).toMatch(/^POST\n\/v3\/echo\n\d+\n\w{32}\n\xff\0\x80\n$/);
  });

  test('they may answer at once', async () => {
    const { privateKey } = sandbox.config;
    const instance = build({
      privateKey: (message) => createSign('RSA-SHA256').update(message).sign(privateKey, 'base64'),
      certs: {
        PUB_KEY_ID_OTHER: () => false,
        [id]: (message, signature) =>
          createVerify('RSA-SHA256').update(message).verify(platformKey, signature, 'base64'),
      },
    });
    expect(
      await instance
        .chain('v3/echo')
        .post({ body: '{}', headers: { 'Wechatpay-Serial': id } })
        .json(),
    ).toEqual({});
  });

  test('each attempt is signed by itself', async () => {
    const sign = jest.fn((message: Uint8Array) => ask(message));
    const instance = build({ privateKey: sign });
    await Promise.all([echo(instance), echo(instance), echo(instance)]);
    expect(sign).toHaveBeenCalledTimes(3);
    expect(sandbox.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  const failing: [string, () => Promise<string>][] = [
    ['rejects', () => Promise.reject(new Error('the HSM is out of order'))],
    [
      'throws',
      () => {
        throw new Error('the HSM is out of order');
      },
    ],
  ];
  test.each(failing)('a signer that %s: a ConfigurationError with its cause, nothing sent', async (_, privateKey) => {
    const error = await rejection(echo(build({ privateKey })));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      message: expect.stringContaining('"privateKey"'),
      cause: expect.objectContaining({ message: 'the HSM is out of order' }),
    });
    expect(sandbox.requests).toEqual([]);
  });

  test.each(failing)('a verifier that %s: an error of unknown outcome, nothing handed out', async (_, verifier) => {
    const error = await rejection(echo(build({ certs: { [id]: verifier as unknown as () => Promise<boolean> } })));
    expect(error).toBeInstanceOf(SignatureError);
    expect(error).toMatchObject({
      code: 'ERR_SIGNATURE_UNCHECKED',
      message: expect.stringMatching(`certs\\["${id}"\\] threw.+WeChat Pay may or may not have processed it`),
      cause: expect.objectContaining({ message: 'the HSM is out of order' }),
    });
    expect(sandbox.requests).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['text', 'true'],
    ['a number', 1],
  ])('a verifier that gives %s has not verified', async (_, result) => {
    const verifier = (async () => result) as unknown as () => Promise<boolean>;
    expect(await rejection(echo(build({ certs: { [id]: verifier } })))).toMatchObject({
      name: 'SignatureError',
      code: 'ERR_SIGNATURE_UNCHECKED',
    });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['bytes', Buffer.alloc(256)],
    ['text that is no Base64', 'a"b'],
    ['a line break', 'AAAA\r\nx-a: b'],
    ['no text', ''],
  ])('a signer that gives %s: a ConfigurationError, nothing sent', async (_, result) => {
    const privateKey = (async () => result) as unknown as () => Promise<string>;
    const error = await rejection(echo(build({ privateKey })));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(sandbox.requests).toEqual([]);
  });

  test('a slow signer is no reason to wait longer than the timeout', async () => {
    const privateKey = () => new Promise<string>(() => {});
    const error = await rejection(build({ privateKey }).chain('v3/echo').post({ body: '{}', timeout: 30 }));
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(sandbox.requests).toEqual([]);
  });
});

describe('CryptoKeys that cannot be taken out', () => {
  const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const { subtle } = webcrypto;
  const importPrivate = (usage: webcrypto.KeyUsage = 'sign', algorithm = ALGORITHM) => {
    const der = sandbox.config.privateKey.export({ type: 'pkcs8', format: 'der' });
    return subtle.importKey('pkcs8', der, algorithm, false, [usage]);
  };
  const importPublic = (key: KeyObject, extractable = false) => {
    const der = key.export({ type: 'spki', format: 'der' });
    return subtle.importKey('spki', der, ALGORITHM, extractable, ['verify']);
  };

  test('sign and verify', async () => {
    const privateKey = await importPrivate();
    await expect(subtle.exportKey('pkcs8', privateKey)).rejects.toThrow();
    const instance = build({ privateKey, certs: { [id]: await importPublic(platformKey) } });
    expect(await echo(instance).json()).toEqual({ 名: '中' });
    sandbox.misbehave({ tamper: true });
    expect(await rejection(echo(instance))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
  });

  test('of another merchant: refused by the platform, and by us', async () => {
    const other = createPublicKey(sandbox.config.privateKey);
    const instance = build({ certs: { [id]: await importPublic(other) } });
    expect(await rejection(echo(instance))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
  });

  test.each<[string, () => Promise<Partial<ClientConfig>>, string]>([
    [
      'a key to decrypt with',
      async () => ({ privateKey: await importPrivate('decrypt', { name: 'RSA-OAEP', hash: 'SHA-256' }) }),
      '"privateKey"',
    ],
    ['a public key', async () => ({ privateKey: await importPublic(platformKey) }), '"privateKey"'],
    [
      'a private key of ours',
      async () => ({ certs: { PUB_KEY_ID_1: await importPrivate() } }),
      'certs["PUB_KEY_ID_1"]',
    ],
  ])('%s is refused at once', async (_, change, message) => {
    const config = await change();
    expect(() => build(config)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
    expect(() => build(config)).toThrow(message);
  });
});
