import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as Notifications from '../../lib/notification';
import {
  apiv3Key,
  certs,
  envelope,
  PAYMENT,
  PLATFORM_ID,
  secret,
  serve,
  signed,
  v2,
  xml,
} from '../notification/support';
import { rejection } from '../support/rejection';
import { chunk, dripping, endlessly, MB } from './support';

const errors: unknown[] = [];
const notifications = Notifications.of({ certs, apiv3Key, secret, onError: (error) => errors.push(error) });
const process = () => {
  throw new Error('Nothing unsigned is to be processed.');
};

let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  const handle = notifications.nodeHandler(process);
  server = await serve((request, response) => handle(request, response));
});
beforeEach(() => {
  errors.length = 0;
});
afterAll(() => server.close());

const HEAD = 'POST /notify HTTP/1.1\r\nhost: x\r\n';

/** Sends a head, goes on as told; gives the response, once the connection has been closed by the other side. */
function exchange(head: string, goOn: (socket: ReturnType<typeof connect>) => void = () => {}) {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(`${HEAD}${head}\r\n`);
  goOn(socket);
  return new Promise<{ answer: string; written: number }>((resolve) => {
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('close', () => resolve({ answer, written: socket.bytesWritten }));
    socket.on('end', () => socket.destroy());
  });
}

test('a body that says it is too large is refused before any of it is there', async () => {
  const { answer } = await exchange(`content-length: ${MB + 1}\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 413 .*\r\n\r\n\{"code":"FAIL","message":"The body is too large\."\}$/s);
  expect(errors).toMatchObject([{ name: 'BodyError', code: 'ERR_BODY_TOO_LARGE' }]);
});

test('a body without end is refused, and no longer read', async () => {
  const { answer, written } = await exchange('transfer-encoding: chunked\r\n', (socket) =>
    endlessly(socket, chunk(64 * 1024)),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(written).toBeLessThan(20 * MB);
});

test('a body that says less than it is: what is beyond is no part of it', async () => {
  const { answer } = await exchange('content-length: 5\r\nconnection: close\r\n', (socket) =>
    socket.write('x'.repeat(100)),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 40[01] /);
});

test('of requests for which nobody waits any longer', async () => {
  // Together, since each takes the 5 s that WeChat Pay waits.
  const [chunked, counted, silent, web] = await Promise.all([
    exchange('transfer-encoding: chunked\r\n', (socket) => dripping(socket, '1\r\n \r\n', 100)),
    exchange('content-length: 1000\r\n', (socket) => dripping(socket, ' ', 100)),
    exchange('content-length: 1000\r\n'),
    drippingRequest(),
  ]);
  for (const { answer } of [chunked, counted, silent]) {
    expect(answer).toMatch(/^HTTP\/1\.1 500 .*connection: close\r\n/is);
  }
  expect(web.status).toBe(500);
  expect(web.cancelled).toBe(true);
  expect(errors.filter((error) => (error as Error).name === 'TimeoutError')).toHaveLength(4);
}, 30_000);

/** The same as a standard request, whose stream tells whether somebody still reads it. */
async function drippingRequest() {
  let cancelled = false;
  let timer: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(Buffer.from(' ')), 100);
    },
    cancel: () => {
      clearInterval(timer);
      cancelled = true;
      throw new Error('The connection is gone.');
    },
  });
  const request = new Request('http://localhost/', { method: 'POST', body, duplex: 'half' });
  const { status } = await notifications.webHandler(process)(request);
  await new Promise((resolve) => setTimeout(resolve, 50));
  clearInterval(timer);
  return { status, cancelled };
}

test('a standard request without end is refused, and its stream cancelled', async () => {
  let pulled = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(Buffer.alloc(64 * 1024, pulled++)),
    cancel: () => {
      cancelled = true;
    },
  });
  const { status } = await notifications.webHandler(process)(
    new Request('http://localhost/', { method: 'POST', body, duplex: 'half' }),
  );
  expect([status, cancelled]).toEqual([413, true]);
  expect(pulled).toBeLessThan(30);
});

test('100,000 headers never reach the handler', async () => {
  const headers = Array.from({ length: 100_000 }, (_, at) => `x-${at}: x\r\n`).join('');
  const { answer } = await exchange(headers);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  const given = {
    headers: Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`x-${at}`, 'x'])),
    body: '{}',
  };
  expect(await rejection(notifications.parse(given))).toMatchObject({ code: 'ERR_SIGNATURE_MISSING' });
});

test.each<[string, string, string]>([
  [
    'entities within entities',
    `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>${xml({ a: '1' })}`,
    'ERR_BODY_NOT_XML',
  ],
  ['elements within elements', '<a>'.repeat(300_000), 'ERR_BODY_TOO_LARGE'],
  [
    '100,000 fields',
    xml(Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`a${at}`, '']))),
    'ERR_BODY_TOO_LARGE',
  ],
  ['a ciphertext of 1 MB', xml({ req_info: 'A'.repeat(MB - 100) }), 'ERR_BODY_TOO_LARGE'],
  ['attributes', `<xml${' a=""'.repeat(100_000)}/>`, 'ERR_BODY_TOO_LARGE'],
  ['numeric references', `<xml><a>${'&#65;'.repeat(200_000)}</a></xml>`, 'ERR_BODY_TOO_LARGE'],
  ['references', `<xml><a>${'&lt;'.repeat(200_000)}</a></xml>`, 'ERR_BODY_TOO_LARGE'],
  ['comments', `<xml>${'<!---->'.repeat(100_000)}</xml>`, 'ERR_BODY_TOO_LARGE'],
  ['CDATA sections', `<xml><a>${'<![CDATA[]]>'.repeat(80_000)}</a></xml>`, 'ERR_BODY_TOO_LARGE'],
  ['a zipped body', '\u001f\u008b', 'ERR_SIGNATURE_MISSING'],
  ['lists within lists', '['.repeat(500_000) + ']'.repeat(500_000), 'ERR_SIGNATURE_MISSING'],
])('%s', async (_, body, code) => {
  const error = await rejection(notifications.parse({ headers: {}, body }));
  expect(error).toMatchObject({ code });
});

test('a zipped bomb is not unzipped, whatever its headers say', async () => {
  const bomb = gzipSync(Buffer.alloc(500 * MB));
  expect(bomb.length).toBeLessThan(MB);
  const { headers } = signed('');
  const error = await rejection(
    notifications.parse({ headers: { ...headers, 'content-encoding': 'gzip' }, body: bomb }),
  );
  expect(error).toMatchObject({ code: 'ERR_SIGNATURE_WRONG', serial: PLATFORM_ID });
});

test.each<[string, string]>([
  ['lists', '['.repeat(300_000) + ']'.repeat(300_000)],
  ['objects', '{"a":'.repeat(100_000) + 1 + '}'.repeat(100_000)],
])('%s within one another, properly signed and encrypted, are read', async (_, text) => {
  for (const sent of [signed(text), signed(JSON.stringify(envelope(text)))]) {
    expect(typeof (await notifications.parse(sent)).envelope).toBe('object');
  }
});

test('lists that are never closed, properly signed and encrypted, are refused', async () => {
  const text = '['.repeat(500_000);
  for (const sent of [signed(text), signed(JSON.stringify(envelope(text)))]) {
    expect(await rejection(notifications.parse(sent))).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_NOT_JSON' });
  }
});

test('signed XML within one another is refused', async () => {
  const deep = `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`;
  const { body } = v2(PAYMENT);
  const error = await rejection(notifications.parse({ headers: {}, body: body.replace('</xml>', `${deep}</xml>`) }));
  expect(error).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_TOO_LARGE' });
});
