import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError, SignatureError } from 'wechatpay-undici';
import type { AnyNotification, NotificationOptions } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import { failure, success } from '../../lib/notification/reply';
import {
  apiv3Key,
  certs,
  PAYMENT,
  post,
  refund,
  type Sent,
  secret,
  serve,
  signed,
  TRANSACTION,
  v2,
  v3,
} from './support';

type Process = (notification: AnyNotification) => unknown;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const close of closers.splice(0)) await close();
});

/** A function that ends when it is told to, with an error or without. */
function manual() {
  const ends: ((error?: Error) => void)[] = [];
  const start = () => new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
  return { start, finish: (error?: Error) => ends.at(-1)?.(error), calls: () => ends.length };
}

/** A server with a handler, and the errors it told of. */
async function start(process: Process, config: NotificationOptions = {}) {
  const errors: { name?: string; code?: string; message?: string }[] = [];
  const onError = (error: unknown) => errors.push(error as Error);
  const handler = Notifications.of({ certs, apiv3Key, secret, onError, ...config }).nodeHandler(process);
  const server = await serve(handler);
  closers.push(server.close);
  return { ...server, errors };
}

/** Posts to a handler for standard requests. */
function web(process: Process, config: NotificationOptions = {}) {
  const errors: { name?: string; code?: string }[] = [];
  const onError = (error: unknown) => errors.push(error as Error);
  const handler = Notifications.of({ certs, apiv3Key, secret, onError, ...config }).webHandler(process);
  const send = async ({ headers, body }: Sent) => {
    const response = await handler(new Request('http://localhost/notify', { method: 'POST', headers, body }));
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  return { send, errors };
}

const NOTHING = { status: 204, type: null, body: '' };
const JSON_TYPE = 'application/json; charset=utf-8';
const XML_TYPE = 'text/xml; charset=utf-8';
const fail = (status: number, message: string) => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify({ code: 'FAIL', message }),
});
const failXml = (status: number, message: string) => ({
  status,
  type: XML_TYPE,
  body: `<xml><return_code>FAIL</return_code><return_msg>${message}</return_msg></xml>`,
});
const OK_XML = {
  status: 200,
  type: XML_TYPE,
  body: '<xml><return_code>SUCCESS</return_code><return_msg>OK</return_msg></xml>',
};
const BEING_PROCESSED = 'The notification is being processed.';
const NOT_PROCESSED = 'The notification was not processed.';
const NOT_ACCEPTED = 'The signature is not accepted.';

function probe(): Sent {
  const sent = v3();
  return { ...sent, headers: { ...sent.headers, 'Wechatpay-Signature': 'WECHATPAY/SIGNTEST/abc' } };
}

describe.each([
  [
    'handler',
    async (process: Process) => {
      const { url, errors } = await start(process);
      return { send: (sent: Sent) => post(url, sent), errors };
    },
  ],
  ['webHandler', async (process: Process) => web(process)],
] as const)('%s', (_kind, open) => {
  test.each<[string, Sent, object]>([
    ['APIv3', v3(), NOTHING],
    ['v2', v2(), OK_XML],
    ['a refund of v2', refund(), OK_XML],
  ])('processes %s and answers success', async (_, sent, answer) => {
    const seen: AnyNotification[] = [];
    const { send, errors } = await open((notification) => sleep(5).then(() => seen.push(notification)));
    expect(await send(sent)).toEqual(answer);
    expect(seen).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test.each<[string, Sent, object, string]>([
    ['a wrong signature', { ...v3(), body: '{}' }, fail(401, NOT_ACCEPTED), 'ERR_SIGNATURE_WRONG'],
    [
      'a wrong sign',
      { headers: {}, body: v2().body.replace('1004', '1005') },
      failXml(401, NOT_ACCEPTED),
      'ERR_SIGNATURE_WRONG',
    ],
    ['a probe', probe(), fail(401, NOT_ACCEPTED), 'ERR_SIGNATURE_WRONG'],
    ['no body', { headers: {}, body: '' }, fail(401, NOT_ACCEPTED), 'ERR_SIGNATURE_MISSING'],
    ['broken XML', { headers: {}, body: '<xml><a>' }, failXml(400, 'The body cannot be read.'), 'ERR_BODY_NOT_XML'],
    ['signed text that is no JSON', signed('tea'), fail(400, 'The body cannot be read.'), 'ERR_BODY_NOT_JSON'],
    [
      'a return_code of failure',
      v2({ ...PAYMENT, return_code: 'FAIL' }),
      failXml(400, 'The notification reports a failure.'),
      'FAIL',
    ],
    [
      'too large a body',
      { headers: {}, body: 'x'.repeat(1024 * 1024 + 1) },
      fail(413, 'The body is too large.'),
      'ERR_BODY_TOO_LARGE',
    ],
  ])('refuses %s, and does not process it', async (_, sent, answer, code) => {
    const process = jest.fn();
    const { send, errors } = await open(process);
    expect(await send(sent)).toEqual(answer);
    expect(process).not.toHaveBeenCalled();
    expect(errors).toMatchObject([{ code }]);
  });

  test.each<[string, Sent, object]>([
    ['APIv3', v3(), fail(500, NOT_PROCESSED)],
    ['v2', v2(), failXml(500, NOT_PROCESSED)],
  ])('answers %s with 500 where the function fails, without telling why', async (_, sent, answer) => {
    const errors = [new Error('password 12345'), new SignatureError('ERR_SIGNATURE_WRONG', 'of another call'), 'text'];
    const reasons = [...errors];
    const { send, errors: told } = await open(() => {
      throw reasons.shift();
    });
    for (const _ of errors) expect(await send(sent)).toEqual(answer);
    expect(told).toEqual(errors);
  });

  test('a notification that failed is processed anew, one that was processed is not', async () => {
    let calls = 0;
    const { send } = await open(async () => {
      if (++calls < 3) throw new Error('not yet');
    });
    const sent = v3();
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await send(sent)).status);
    expect(statuses).toEqual([500, 500, 204, 204, 204]);
    expect(calls).toBe(3);
  });

  test.each<[string, Sent, object, object]>([
    ['APIv3', v3(), NOTHING, fail(503, BEING_PROCESSED)],
    ['v2', v2(), OK_XML, failXml(503, BEING_PROCESSED)],
  ])(
    'duplicates of %s at the same time are answered with 503, so that they come again',
    async (_, sent, done, busy) => {
      const { start, finish, calls } = manual();
      const { send, errors } = await open(start);
      const first = send(sent);
      await until(() => calls() === 1);
      expect(await Promise.all(Array.from({ length: 20 }, () => send(sent)))).toEqual(Array(20).fill(busy));
      finish();
      expect([await first, await send(sent)]).toEqual([done, done]);
      expect([calls(), errors]).toEqual([1, []]);
    },
  );
});

test('what is too late is answered with 500, and a repeat finds it done', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] });
  let finish: (value?: unknown) => void = () => {};
  const process = jest.fn(() => new Promise((resolve) => (finish = resolve)));
  const { send, errors } = web(process);
  const sent = v3();
  const answer = send(sent);
  while (process.mock.calls.length === 0) await new Promise(setImmediate);
  jest.advanceTimersByTime(4999);
  expect(await Promise.race([answer, 'pending'])).toBe('pending');
  jest.advanceTimersByTime(1);
  expect(await answer).toEqual(fail(500, NOT_PROCESSED));
  expect(errors).toMatchObject([{ name: 'TimeoutError' }]);
  expect(await send(sent)).toEqual(fail(503, BEING_PROCESSED));
  finish();
  await new Promise(setImmediate);
  expect(await send(sent)).toEqual(NOTHING);
  expect(process).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('what runs for a day is not run a second time by the process that runs it', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] });
  const { start, finish, calls } = manual();
  const { send } = web(start);
  const sent = v3();
  const first = send(sent);
  await until(() => calls() === 1);
  for (const seconds of [10, 40, 60, 86_400]) {
    jest.advanceTimersByTime(seconds * 1000);
    expect(await send(sent)).toEqual(fail(503, BEING_PROCESSED));
  }
  expect(await first).toMatchObject({ status: 500 });
  finish(new Error('no'));
  await new Promise(setImmediate);
  // It has failed: the next one runs it anew.
  const second = send(sent);
  await until(() => calls() === 2);
  finish();
  expect(await second).toEqual(NOTHING);
});

describe('handlers remember under their names', () => {
  /** A handler of a factory, and what it has processed. */
  function named({ webHandler }: ReturnType<typeof Notifications.of>, name?: string) {
    const process = jest.fn();
    const handle = webHandler(process, name === undefined ? undefined : { name });
    const send = async ({ headers, body }: Sent) =>
      (await handle(new Request('http://localhost/', { method: 'POST', headers, body }))).status;
    return { process, send };
  }

  test('what went to another handler first is still processed by the right one', async () => {
    const own = Notifications.of({ certs, apiv3Key, onError: () => {} });
    const [refunds, payments] = [named(own, 'refunds'), named(own)];
    const sent = v3();
    for (let i = 0; i < 2; i++) expect([await refunds.send(sent), await payments.send(sent)]).toEqual([204, 204]);
    expect(refunds.process).toHaveBeenCalledTimes(1);
    expect(payments.process).toHaveBeenCalledTimes(1);
  });

  test('while one of them runs it, the other may', async () => {
    const { webHandler } = Notifications.of({ certs, apiv3Key, onError: () => {} });
    const { start, finish, calls } = manual();
    const { headers, body } = v3();
    const request = () => new Request('http://localhost/', { method: 'POST', headers, body });
    const slow = webHandler(start, { name: 'slow' })(request());
    await until(() => calls() === 1);
    expect((await webHandler(jest.fn())(request())).status).toBe(204);
    finish();
    expect((await slow).status).toBe(204);
  });

  test('those of one name, or of one function without, are one', async () => {
    const own = Notifications.of({ certs, apiv3Key, onError: () => {} });
    const [one, other] = [named(own, 'pay'), named(own, 'pay')];
    const sent = v3();
    expect([await one.send(sent), await other.send(sent)]).toEqual([204, 204]);
    expect([one.process.mock.calls.length, other.process.mock.calls.length]).toEqual([1, 0]);

    const process = jest.fn();
    const { nodeHandler, webHandler } = Notifications.of({ certs, apiv3Key, secret, onError: () => {} });
    const server = await serve(nodeHandler(process));
    closers.push(server.close);
    const { headers, body } = sent;
    expect((await post(server.url, sent)).status).toBe(204);
    const request = new Request('http://localhost/', { method: 'POST', headers, body });
    expect((await webHandler(process)(request)).status).toBe(204);
    expect(process).toHaveBeenCalledTimes(1);
  });

  test('a second function without a name is refused: it says what to do', () => {
    const { nodeHandler, webHandler } = Notifications.of({ secret });
    nodeHandler(() => {});
    expect(() => webHandler(() => {})).toThrow(/create each one once.*\{ name: 'refunds' \}/s);
    expect(() => webHandler(() => {}, {})).toThrow(/unnamed handler/);
    expect(() => webHandler(() => {}, { name: 'refunds' })).not.toThrow();
  });

  test.each<[unknown, RegExp]>([
    [{ name: '' }, /1 to 64 letters/],
    [{ name: 'a:b' }, /1 to 64 letters/],
    [{ name: 'x'.repeat(65) }, /1 to 64 letters/],
    [{ name: 1 }, /1 to 64 letters/],
    [{ nmae: 'x' }, /Unknown option "nmae"; valid options: name\./],
    [null, /must be an object/],
    ['pay', /must be an object/],
  ])('the options %j are refused', (options, message) => {
    const { nodeHandler, webHandler } = Notifications.of({ secret });
    for (const create of [nodeHandler, webHandler]) {
      expect(() => create(() => {}, options as never)).toThrow(message);
      expect(() => create(() => {}, options as never)).toThrow(
        expect.objectContaining({ name: 'InvalidArgumentError' }),
      );
    }
  });
});

test('a body that never ends is answered in time, and never processed', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date', 'performance'] });
  const process = jest.fn();
  const { port, errors } = await start(process);
  const sent = v3();
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries(sent.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(sent.body);
  socket.write(
    `POST / HTTP/1.1\r\nhost: x\r\n${lines.join('')}content-length: ${length}\r\n\r\n${sent.body.slice(0, 9)}`,
  );
  await until(() => jest.getTimerCount() > 0);
  await new Promise(setImmediate);
  jest.advanceTimersByTime(5000);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  expect(answer).toMatch(/^HTTP\/1\.1 500 .*connection: close/is);
  expect(errors).toMatchObject([{ name: 'TimeoutError' }]);
  expect(process).not.toHaveBeenCalled();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('a body over the limit is refused before it is read whole', () => {
  /** Sends until the server has answered; gives the answer and how much was sent. */
  async function flood(port: number, head: string, chunk: string) {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.on('error', () => {});
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`);
    let sent = 0;
    while (answer === '' && !socket.destroyed && sent < 1e9) {
      if (chunk === '') await sleep(1);
      else if (!socket.write(chunk))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(50)]);
      sent += chunk.length;
    }
    await sleep(50);
    return { answer, sent, closed: socket.destroyed || socket.readableEnded };
  }

  test('by its Content-Length, before a byte of it', async () => {
    const { port, errors } = await start(jest.fn());
    const { answer, closed } = await flood(port, 'content-length: 1048577', '');
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*connection: close/is);
    expect(closed).toBe(true);
    expect(errors).toMatchObject([{ code: 'ERR_BODY_TOO_LARGE' }]);
  });

  test('while it streams', async () => {
    const { port, errors } = await start(jest.fn(), { maxBodySize: 10_000 });
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const { answer, sent, closed } = await flood(port, 'transfer-encoding: chunked', chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(closed).toBe(true);
    expect(sent).toBeLessThan(16 * 1024 * 1024);
    expect(errors).toMatchObject([{ code: 'ERR_BODY_TOO_LARGE' }]);
  });

  test('of a standard request', async () => {
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const handler = Notifications.of({ secret, maxBodySize: 5000, onError: () => {} }).webHandler(jest.fn());
    const init = { method: 'POST', body, duplex: 'half' } as const;
    expect((await handler(new Request('http://localhost/', init))).status).toBe(413);
    expect(pulled).toBeLessThan(10);
    expect(cancelled).toBe(true);
  });

  test('a body of just the limit is read', async () => {
    const sent = v3();
    const { url } = await start(jest.fn(), { maxBodySize: Buffer.byteLength(sent.body) });
    expect((await post(url, sent)).status).toBe(204);
  });
});

test('a body that breaks off is told of', async () => {
  const { port, errors } = await start(jest.fn());
  const request = httpRequest({ port, method: 'POST', headers: { 'content-length': 100 } }).on('error', () => {});
  request.write('{');
  await sleep(50);
  request.destroy();
  await until(() => errors.length > 0);
  expect(errors).toMatchObject([{ name: 'TransportError' }]);
});

/** A server whose frame has read the body before the handler sees it. */
async function framed(members: (body: Buffer) => object) {
  const errors: unknown[] = [];
  const handler = Notifications.of({ certs, apiv3Key, onError: (error) => errors.push(error) }).nodeHandler(jest.fn());
  const server = await serve(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    await handler(Object.assign(request, members(Buffer.concat(chunks))), response);
  });
  closers.push(server.close);
  return { ...server, errors };
}

test.each<[string, (body: Buffer) => object]>([
  ['express.raw()', (body) => ({ body })],
  ['express.text()', (body) => ({ body: body.toString() })],
  ['Nest with rawBody', (rawBody) => ({ rawBody, body: JSON.parse(String(rawBody)) })],
])('what %s has read is taken', async (_, members) => {
  const { url } = await framed(members);
  expect(await post(url, v3())).toEqual(NOTHING);
});

test('what express.json() has parsed is answered with 500, and told of with what to do', async () => {
  const { url, errors } = await framed((body) => ({ body: JSON.parse(String(body)) }));
  expect(await post(url, v3())).toEqual(fail(500, NOT_PROCESSED));
  expect(errors).toMatchObject([{ name: 'InvalidArgumentError', message: expect.stringContaining('express.raw') }]);
});

test('an answer that the function has sent itself is left alone', async () => {
  const own = Notifications.of({ certs, apiv3Key, onError: () => {} });
  const ends: unknown[] = [];
  const server = await serve((request, response) => {
    const handler = own.nodeHandler(() => {
      response.writeHead(202).end('mine');
      throw new Error('and more');
    });
    ends.push(handler(request, response));
  });
  closers.push(server.close);
  expect(await post(server.url, v3())).toMatchObject({ status: 202, body: 'mine' });
  await Promise.all(ends);
});

test('a request stays as it was for what logs it', async () => {
  const own = Notifications.of({ certs, apiv3Key, maxBodySize: 10, onError: () => {} });
  const addresses: unknown[] = [];
  const server = await serve(async (request, response) => {
    await own.nodeHandler(jest.fn())(request, response);
    addresses.push(request.socket?.remoteAddress);
  });
  closers.push(server.close);
  const chunked = { method: 'POST', body: new Blob(['x'.repeat(100)]).stream(), duplex: 'half' } as const;
  expect((await fetch(server.url, chunked)).status).toBe(413);
  expect(addresses).toEqual(['127.0.0.1']);
});

test('a body that comes too late is not processed', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] });
  const process = jest.fn();
  const handler = Notifications.of({ certs, apiv3Key, onError: () => {} }).webHandler(process);
  const { headers, body } = v3();
  let arrive: (body: string) => void = () => {};
  const arrived = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  async function* late() {
    yield Buffer.from(await arrived);
  }
  // Of a framework whose body is a stream of its own, which cannot be cancelled.
  const answer = handler({ headers, body: late(), bodyUsed: false } as unknown as Request);
  await new Promise(setImmediate);
  jest.advanceTimersByTime(5000);
  expect((await answer).status).toBe(500);
  arrive(body);
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  expect(process).not.toHaveBeenCalled();
  // The repeat is.
  expect((await handler(new Request('http://localhost/', { method: 'POST', headers, body }))).status).toBe(204);
  expect(process).toHaveBeenCalledTimes(1);
});

test('a request without a body is one without a signature', async () => {
  const handler = Notifications.of({ certs, apiv3Key, onError: () => {} }).webHandler(jest.fn());
  expect((await handler(new Request('http://localhost/'))).status).toBe(401);
});

test('the connection stays open after an ordinary answer', async () => {
  const { url } = await start(jest.fn());
  const { headers, body } = v3();
  const response = await fetch(url, { method: 'POST', headers, body });
  expect(response.headers.get('connection')).toBe('keep-alive');
});

test('errors are printed where nobody asks for them, but for probes', async () => {
  const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  const { send } = web(jest.fn(), { onError: undefined as never });
  await send(probe());
  expect(printed).not.toHaveBeenCalled();
  await send({ ...v3(), body: '{}' });
  expect(printed).toHaveBeenCalledWith(expect.any(SignatureError));
  printed.mockRestore();
});

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('no log');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('no log'))],
])('an onError that %s changes no answer', async (_, onError) => {
  const { send } = web(jest.fn(), { onError });
  expect(await send(probe())).toMatchObject({ status: 401 });
});

test('answers for those who answer themselves', () => {
  expect(success()).toEqual({ status: 204, headers: {}, body: '' });
  expect(success('v2')).toMatchObject({ status: 200, body: OK_XML.body });
  expect(failure(new ConfigurationError('secret'))).toMatchObject({
    status: 500,
    body: expect.not.stringContaining('secret'),
  });
  expect(failure(new SignatureError('ERR_SIGNATURE_WRONG', 'x'), 'v2')).toMatchObject({ status: 401 });
});

test('a handler without a function is refused', () => {
  expect(() => Notifications.of({ secret }).nodeHandler(undefined as never)).toThrow(/requires a function/);
  expect(() => Notifications.of({ secret }).webHandler({} as never)).toThrow(/requires a function/);
});

test('the resource is that of the notification', async () => {
  const seen: unknown[] = [];
  const { send } = web(({ resource }) => seen.push(resource));
  await send(v3());
  expect(seen).toEqual([TRANSACTION]);
});

test('a server of node:http takes the handler as it is', () => {
  const { nodeHandler } = Notifications.of({ secret });
  expect(() => createServer(nodeHandler(jest.fn()))).not.toThrow();
});
