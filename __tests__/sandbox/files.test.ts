import { createHash, createVerify } from 'node:crypto';
import { request } from 'node:http';
import { Agent } from 'undici';
import { Builder } from 'wechatpay-undici';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { useSandbox } from '../support/sandbox';
import { authorization, isSigned, send } from './support';

let sandbox: Sandbox;
useSandbox((started) => {
  sandbox = started;
});

const FILE = '/v3/billdownload/file';
const unsigned = { signed: false };

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

const signatureOf = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('wechatpay-'));

test('a file goes out unsigned, as it is', async () => {
  const headers = { 'content-type': 'text/csv', 'x-a': 'b', 'content-length': '6' };
  sandbox.on('get', 'v3/billdownload/file', () => new Response(chunks('a,', 'b\r\n', 'c'), { headers }), unsigned);
  const answer = await send(sandbox, FILE);
  expect(answer).toMatchObject({ status: 200, text: 'a,b\r\nc', headers });
  expect(signatureOf(answer.headers)).toEqual([]);
  expect(answer.headers['request-id']).toEqual(expect.any(String));
});

test('without a length it goes out in chunks', async () => {
  sandbox.on('get', 'v3/billdownload/file', () => new Response(chunks('a', 'b')), unsigned);
  const { headers, text } = await send(sandbox, FILE);
  expect({ text, encoding: headers['transfer-encoding'] }).toEqual({ text: 'ab', encoding: 'chunked' });
});

test('JSON, nothing, and an empty file go out unsigned too', async () => {
  for (const result of [{ a: 1 }, undefined, new Response(null)]) {
    sandbox.on('get', 'v3/x', () => result, unsigned);
    const { headers, status } = await send(sandbox, '/v3/x');
    expect(signatureOf(headers)).toEqual([]);
    expect(status).toBe(result === undefined ? 204 : 200);
  }
});

test('a signed Response is held, and has its length', async () => {
  sandbox.on('get', 'v3/x', () => new Response(chunks('a', 'b')));
  const answer = await send(sandbox, '/v3/x');
  expect(answer).toMatchObject({ text: 'ab', headers: { 'content-length': '2' } });
  expect(isSigned(sandbox, answer)).toBe(true);
});

test('the beginning arrives before the end is there', async () => {
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first');
    await gate;
    yield Buffer.from('last');
  }
  sandbox.on('get', 'v3/billdownload/file', () => new Response(slow()), unsigned);
  const text = await new Promise<string>((resolve, reject) => {
    const headers = {
      ...{ accept: '*/*', 'user-agent': 'x' },
      authorization: authorization(sandbox, 'GET', FILE, ''),
    };
    let received = '';
    request(new URL(FILE, sandbox.url), { headers, agent: false }, (incoming) => {
      incoming.on('data', (chunk: Buffer) => {
        received += chunk;
        go();
      });
      incoming.on('end', () => resolve(received)).on('error', reject);
    })
      .on('error', reject)
      .end();
  });
  expect(text).toBe('firstlast');
});

test('a client that goes away ends the stream', async () => {
  const LENGTH = 1000;
  const ended = new Promise<number>((resolve) => {
    async function* long(): AsyncGenerator<Uint8Array> {
      let count = 0;
      try {
        for (; count < LENGTH; count++) yield Buffer.alloc(65_536);
      } finally {
        resolve(count);
      }
    }
    sandbox.on('get', 'v3/billdownload/file', () => new Response(long()), unsigned);
  });
  const headers = { accept: '*/*', 'user-agent': 'x', authorization: authorization(sandbox, 'GET', FILE, '') };
  request(new URL(FILE, sandbox.url), { headers, agent: false }, (incoming) => {
    incoming.once('data', () => incoming.destroy());
  }).end();
  expect(await ended).toBeLessThan(LENGTH);
});

test('a stream that fails breaks the connection', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    throw new Error('disk');
  }
  sandbox.on('get', 'v3/billdownload/file', () => new Response(failing()), unsigned);
  await expect(send(sandbox, FILE)).rejects.toMatchObject({ code: 'ECONNRESET' });
  sandbox.on('get', 'v3/billdownload/file', () => new Response('again'), unsigned);
  expect(await send(sandbox, FILE)).toMatchObject({ text: 'again' });
});

test('a Response that has been sent before is an error that says so', async () => {
  const response = new Response(chunks('a'));
  sandbox.on('get', 'v3/billdownload/file', () => response, unsigned);
  expect(await send(sandbox, FILE)).toMatchObject({ status: 200, text: 'a' });
  expect(await send(sandbox, FILE)).toMatchObject({
    status: 500,
    json: { message: expect.stringContaining('make a new one for each request') },
  });
});

describe('misbehaviours', () => {
  beforeEach(() => {
    const headers = { 'content-length': '10' };
    sandbox.on('get', 'v3/billdownload/file', () => new Response(chunks('01234', '56789'), { headers }), unsigned);
  });

  test('tamper', async () => {
    sandbox.misbehave({ tamper: true });
    const { text, headers } = await send(sandbox, FILE);
    expect({ text, length: headers['content-length'] }).toEqual({ text: '0123446789', length: '10' });
  });

  test.each([{ truncate: true }, { reset: 'body' }] as const)('%j', async (how) => {
    sandbox.misbehave(how);
    await expect(send(sandbox, FILE)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.requests).toMatchObject([{ status: 200 }]);
  });

  test('another body, another status', async () => {
    sandbox.misbehave({ body: 'other' });
    expect(await send(sandbox, FILE)).toMatchObject({ text: 'other', headers: { 'content-length': '5' } });
    sandbox.misbehave({ status: 204 });
    expect(await send(sandbox, FILE)).toMatchObject({ status: 204, text: '' });
    sandbox.misbehave({ status: 404 });
    const answer = await send(sandbox, FILE);
    expect(answer).toMatchObject({ status: 404, json: { code: 'RESOURCE_NOT_EXISTS' } });
    expect(isSigned(sandbox, answer)).toBe(true);
  });

  test('headers and delay leave it streaming', async () => {
    sandbox.misbehave({ delay: 5, headers: { 'x-new': '1' } });
    expect(await send(sandbox, FILE)).toMatchObject({ text: '0123456789', headers: { 'x-new': '1' } });
  });
});

test('an overseas statement is signed over its hash, and streams', async () => {
  const sha1 = createHash('sha1').update('ab').digest('hex');
  const headers = { 'Wechatpay-Statement-Sha1': sha1 };
  sandbox.on('get', 'hk/v3/statements', () => new Response(chunks('a', 'b'), { headers }));
  const answer = await send(sandbox, '/hk/v3/statements?date=20260101');
  const header = (name: string) => String(answer.headers[`wechatpay-${name}`]);
  expect(answer).toMatchObject({ text: 'ab', headers: { 'transfer-encoding': 'chunked' } });
  const verify = createVerify('RSA-SHA256').update(`${header('timestamp')}\n${header('nonce')}\n{"sha1":"${sha1}"}\n`);
  expect(verify.verify(sandbox.config.certs[header('serial')] as never, header('signature'), 'base64')).toBe(true);
});

test('our own client reads it, and refuses one by another key or of another hash', async () => {
  const dispatcher = new Agent();
  const instance = Builder.factory({ ...sandbox.config, dispatcher });
  const sha1 = createHash('sha1').update('ab').digest('hex');
  const headers = { 'Wechatpay-Statement-Sha1': sha1 };
  sandbox.on('get', 'v3/global/statements', () => new Response(chunks('a', 'b'), { headers }));
  const path: string = 'v3/global/statements';
  const read = () =>
    instance
      .chain(path)
      .get({ query: { date: '20260101' }, download: true })
      .text();
  expect(await read()).toBe('ab');
  sandbox.misbehave({ signature: 'wrong' });
  await expect(read()).rejects.toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
  sandbox.misbehave({ tamper: true });
  await expect(read()).rejects.toMatchObject({ code: 'ERR_BODY_DIGEST' });
  await dispatcher.destroy();
});
