import { connect } from 'node:net';
import timers from 'node:timers/promises';
import type { Misbehaviour, Sandbox } from 'wechatpay-undici/sandbox';
import { useSandbox } from '../support/sandbox';
import { authorization, isSigned, send, USE, used } from './support';

let sandbox: Sandbox;
useSandbox((started) => {
  sandbox = started;
});
beforeEach(() => {
  sandbox.on('get', 'v3/ping', () => ({ pong: 'as long as a body should be' }));
});

const ping = () => send(sandbox, '/v3/ping');
const raw = (headers: string[], name: string): string[] =>
  headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);

describe('what is signed', () => {
  test.each<[string, Misbehaviour, number, unknown]>([
    ['status 500', { status: 500 }, 500, expect.objectContaining({ code: 'SYSTEM_ERROR' })],
    ['status 429', { status: 429 }, 429, expect.objectContaining({ code: 'FREQUENCY_LIMITED' })],
    ['status 418', { status: 418 }, 418, expect.objectContaining({ code: 'INVALID_REQUEST' })],
    ['status 202', { status: 202 }, 202, { pong: 'as long as a body should be' }],
    ['status 204', { status: 204 }, 204, null],
    ['a body', { body: '{"a":1}' }, 200, { a: 1 }],
    ['status and body', { status: 502, body: '"x"' }, 502, 'x'],
    ['ignore', { ignore: true }, 500, expect.objectContaining({ code: 'SYSTEM_ERROR' })],
    ['ignore and status', { ignore: true, status: 503 }, 503, expect.objectContaining({ code: 'SYSTEM_ERROR' })],
  ])('%s', async (_, how, status, json) => {
    sandbox.misbehave(how);
    const answer = await ping();
    expect(answer).toMatchObject({ status });
    expect(answer.json).toEqual(json);
    expect(isSigned(sandbox, answer)).toBe(true);
  });

  test('but not a 401', async () => {
    sandbox.misbehave({ status: 401 });
    const answer = await ping();
    expect(answer).toMatchObject({ status: 401, json: { code: 'SIGN_ERROR' } });
    expect(answer.headers).not.toHaveProperty('wechatpay-signature');
  });
});

test('an ignored request has no effect, any other has', async () => {
  sandbox.misbehave({ ignore: true });
  await send(sandbox, USE, { json: used });
  expect(sandbox.coupons.get('sxxe34343434')?.coupon_state).toBe('SENDED');
  sandbox.misbehave({ status: 500 });
  expect(await send(sandbox, USE, { json: used })).toMatchObject({ status: 500 });
  expect(sandbox.coupons.get('sxxe34343434')?.coupon_state).toBe('USED');
});

describe('the signature', () => {
  test('wrong: well formed, by the right serial, but it does not fit', async () => {
    sandbox.misbehave({ signature: 'wrong' });
    const answer = await ping();
    expect(sandbox.config.certs).toHaveProperty([String(answer.headers['wechatpay-serial'])]);
    expect(Buffer.from(String(answer.headers['wechatpay-signature']), 'base64')).toHaveLength(256);
    expect(isSigned(sandbox, answer)).toBe(false);
  });

  test('probe', async () => {
    sandbox.misbehave({ signature: 'probe' });
    const answer = await ping();
    expect(answer.headers['wechatpay-signature']).toMatch(/^WECHATPAY\/SIGNTEST\/[\w+/]+=*$/);
    expect(isSigned(sandbox, answer)).toBe(false);
  });

  test('none', async () => {
    sandbox.misbehave({ signature: 'none' });
    const { headers } = await ping();
    expect(Object.keys(headers).filter((name) => name.startsWith('wechatpay-'))).toEqual([]);
  });

  test.each([-301, 301])('skewed by %i s, and right for that time', async (skew) => {
    sandbox.misbehave({ skew });
    const answer = await ping();
    const off = Number(answer.headers['wechatpay-timestamp']) - Date.now() / 1000;
    expect(Math.abs(off - skew)).toBeLessThan(5);
    expect(isSigned(sandbox, answer)).toBe(true);
  });

  test('by another serial', async () => {
    sandbox.misbehave({ serial: 'PUB_KEY_ID_9' });
    const answer = await ping();
    expect(answer.headers['wechatpay-serial']).toBe('PUB_KEY_ID_9');
    const serial = Object.keys(sandbox.config.certs)[0];
    expect(isSigned(sandbox, { ...answer, headers: { ...answer.headers, 'wechatpay-serial': serial } })).toBe(true);
  });
});

describe('headers', () => {
  test('are left out', async () => {
    sandbox.misbehave({ omit: ['WECHATPAY-nonce', 'Request-ID'] });
    const { headers } = await ping();
    expect(headers).not.toHaveProperty('wechatpay-nonce');
    expect(headers).not.toHaveProperty('request-id');
    expect(headers).toHaveProperty('wechatpay-signature');
  });

  test('are sent twice', async () => {
    sandbox.misbehave({ double: ['wechatpay-signature'] });
    const { rawHeaders } = await ping();
    const [first, second, ...more] = raw(rawHeaders, 'wechatpay-signature');
    expect(second).toBe(first);
    expect(more).toEqual([]);
  });

  test('are set in the place of those that were there, once or several times', async () => {
    sandbox.misbehave({ headers: { 'wechatpay-nonce': ['a', 'b'], 'X-New': 'c', 'content-type': 'text/plain' } });
    const { rawHeaders } = await ping();
    expect(raw(rawHeaders, 'wechatpay-nonce')).toEqual(['a', 'b']);
    expect(raw(rawHeaders, 'x-new')).toEqual(['c']);
    expect(raw(rawHeaders, 'content-type')).toEqual(['text/plain']);
  });

  test.each(['1', '10000'])('may say a wrong Content-Length: %s', async (length) => {
    sandbox.misbehave({ headers: { 'Content-Length': length } });
    await expect(ping()).rejects.toThrow(length === '1' ? 'Parse Error' : 'aborted');
  });

  test('that cannot be sent are told of', async () => {
    sandbox.misbehave({ headers: { 'X-Bad': 'a\r\nb' } });
    expect(await ping()).toMatchObject({ status: 500, json: { message: expect.stringContaining('X-Bad') } });
  });
});

describe('a body that is tampered with', () => {
  test('differs in one byte', async () => {
    const { text } = await ping();
    sandbox.misbehave({ tamper: true });
    const answer = await ping();
    expect(answer.status).toBe(200);
    expect(answer.text).toHaveLength(text.length);
    expect([...answer.text].filter((character, i) => character !== text[i])).toHaveLength(1);
    expect(isSigned(sandbox, answer)).toBe(false);
  });

  test('is another one', async () => {
    sandbox.misbehave({ tamper: '{"amount":1}' });
    const answer = await ping();
    expect(answer.text).toBe('{"amount":1}');
    expect(isSigned(sandbox, answer)).toBe(false);
    expect(answer.headers['content-length']).toBe('12');
  });
});

describe('a delay', () => {
  test('passes before the response, which is right', async () => {
    sandbox.misbehave({ delay: 80 });
    const pause = jest.spyOn(timers, 'setTimeout');
    const answer = await ping();
    const pauses = pause.mock.calls.map(([milliseconds]) => milliseconds);
    pause.mockRestore();
    expect(pauses).toEqual([80]);
    expect(isSigned(sandbox, answer)).toBe(true);
  });

  test('without an end is for the client to end', async () => {
    sandbox.misbehave({ delay: Number.POSITIVE_INFINITY });
    expect(await exchange(100)).toEqual({ bytes: '', end: 'closed' });
    expect(sandbox.requests.at(-1)).toHaveProperty('status', undefined);
  });
});

/** Sends a request over a bare socket; says what came back and how the connection ended. */
function exchange(patience?: number): Promise<{ bytes: string; end: string }> {
  const { hostname, port } = new URL(sandbox.url);
  return new Promise((resolve) => {
    let bytes = '';
    let end = 'closed';
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET /v3/ping HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nUser-Agent: x\r\nAuthorization: ${authorization(sandbox, 'GET', '/v3/ping', '')}\r\n\r\n`,
    );
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end = String(error.code);
    });
    socket.on('close', () => resolve({ bytes, end }));
    if (patience !== undefined) setTimeout(() => socket.destroy(), patience);
  });
}

const HEAD = /^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\n/;

describe('the connection', () => {
  const status = () => sandbox.requests.at(-1)?.status;

  test.each<[string, Misbehaviour, string, RegExp, number | undefined]>([
    ['is closed without an answer', { close: true }, 'closed', /^$/, undefined],
    ['is reset without an answer', { reset: true }, 'ECONNRESET', /^$/, undefined],
    ['is reset in the headers', { reset: 'head' }, 'ECONNRESET', /^HTTP\/1\.1 200 OK\r\n(?!.*\r\n\r\n)/s, undefined],
    ['is reset in the body', { reset: 'body' }, 'ECONNRESET', new RegExp(`${HEAD.source}\\{"pong":"as[^"}]*$`), 200],
    ['is closed in the body', { truncate: true }, 'closed', new RegExp(`${HEAD.source}\\{"pong":"as[^"}]*$`), 200],
    ['carries garbage', { garbage: true }, 'closed', /^(?!HTTP)./, undefined],
  ])('%s', async (_, how, end, bytes, sent) => {
    sandbox.misbehave(how);
    const seen = await exchange();
    expect(seen.end).toBe(end);
    expect(seen.bytes).toMatch(bytes);
    expect(status()).toBe(sent);
  });

  test('promises more than it carries when it is truncated', async () => {
    sandbox.misbehave({ truncate: true });
    const { bytes } = await exchange();
    const body = bytes.slice(bytes.indexOf('\r\n\r\n') + 4);
    expect(Number(/content-length: (\d+)/i.exec(bytes)?.[1])).toBeGreaterThan(body.length);
  });

  test('of node:http sees an error each time', async () => {
    for (const how of [
      { close: true },
      { reset: true },
      { reset: 'head' },
      { reset: 'body' },
      { truncate: true },
      { garbage: true },
    ] as const) {
      sandbox.misbehave(how);
      await expect(ping()).rejects.toThrow();
    }
    expect(await ping()).toMatchObject({ status: 200 });
  });
});

describe('misbehave', () => {
  const statuses = async (count: number) => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await ping()).status);
    return all;
  };

  test('holds for the next request, then no more', async () => {
    sandbox.misbehave({ status: 500 });
    expect(await statuses(2)).toEqual([500, 200]);
  });

  test('holds as many times as it is told, one after the other', async () => {
    sandbox.misbehave({ status: 500 }, 2);
    sandbox.misbehave({ status: 503 });
    expect(await statuses(4)).toEqual([500, 500, 503, 200]);
  });

  test('holds for ever, until it is ended', async () => {
    const stop = sandbox.misbehave({ status: 500 }, Number.POSITIVE_INFINITY);
    expect(await statuses(3)).toEqual([500, 500, 500]);
    stop();
    stop();
    expect(await statuses(1)).toEqual([200]);
  });

  test('may choose by the request, and counts only those that it chose', async () => {
    sandbox.misbehave(({ target }) => (target.includes('bad') ? { status: 500 } : undefined), 2);
    const answers = ['/v3/ping?1', '/v3/ping?bad1', '/v3/ping?2', '/v3/ping?bad2', '/v3/ping?bad3'];
    const seen: number[] = [];
    for (const target of answers) seen.push((await send(sandbox, target)).status);
    expect(seen).toEqual([200, 500, 200, 500, 200]);
  });

  test('combines what it is told', async () => {
    sandbox.misbehave({ status: 202, skew: 400, signature: 'wrong', omit: ['request-id'], delay: 1, tamper: 'x' });
    const { status, headers, text } = await ping();
    expect({ status, text }).toEqual({ status: 202, text: 'x' });
    expect(headers).not.toHaveProperty('request-id');
    expect(Number(headers['wechatpay-timestamp'])).toBeGreaterThan(Date.now() / 1000 + 390);
  });

  test.each<[unknown, unknown, RegExp]>([
    [{ sgnature: 'wrong' }, 1, /Unknown misbehaviour "sgnature"/],
    [{ reset: true, close: true }, 1, /reset and close/],
    [{ status: 100 }, 1, /found 100/],
    [{}, 0, /found 0/],
    [{}, 1.5, /found 1\.5/],
    [{}, Number.NaN, /found NaN/],
  ])('refuses %p, %p', (how, times, message) => {
    expect(() => sandbox.misbehave(how as Misbehaviour, times as number)).toThrow(message);
    expect(() => sandbox.misbehave(how as Misbehaviour, times as number)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });

  test('a function that chooses an unknown misbehaviour gets an error as its response', async () => {
    sandbox.misbehave(() => ({ sgnature: 'wrong' }) as Misbehaviour);
    expect(await ping()).toMatchObject({ status: 500, json: { message: expect.stringContaining('sgnature') } });
  });
});
