import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { ApiError } from 'wechatpay-undici';
import { rejection } from '../support/rejection';
import { chunk, dripping, endlessly, frame, MB, platform, signatureOf } from './support';

let server: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  server = await platform();
});
afterAll(() => server.close());

const call = (options: object = {}, path = 'v3/x') => server.instance.chain(path).post({ json: {}, ...options });
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const xml = { mch_id: '1900000109' };

test.each<[string, string, object]>([
  ['APIv3', 'v3/x', {}],
  ['v2', 'v2/pay/x', { xml }],
])('%s: a body of more than 10 MB is refused before it is read whole', async (_, path, options) => {
  server.state.answer = (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${1024 * MB}\r\n\r\n`);
    endlessly(socket, Buffer.alloc(64 * 1024, ' '));
  };
  const error = await rejection(call(options, path));
  expect(error).toMatchObject({
    name: 'BodyError',
    code: 'ERR_BODY_TOO_LARGE',
    message: expect.stringContaining('10485760'),
  });
  expect(await server.closed()).toBeLessThan(40 * MB);
});

test('10 MB to the byte are read, one more is refused', async () => {
  const answer = (size: number) => (socket: Socket) => {
    const body = Buffer.alloc(size, 'a');
    socket.write(frame(200, signatureOf(body), body));
  };
  server.state.answer = answer(10 * MB);
  expect(await call().text()).toHaveLength(10 * MB);
  server.state.answer = answer(10 * MB + 1);
  expect(await rejection(call())).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
});

test('an endless body is refused', async () => {
  server.state.answer = (socket) => {
    socket.write(CHUNKED);
    endlessly(socket, chunk(64 * 1024));
  };
  const error = await rejection(call());
  expect(error).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_TOO_LARGE' });
  await server.closed();
});

test.each<[string, string, object]>([
  ['APIv3', 'v3/x', {}],
  ['v2', 'v2/pay/x', { xml }],
  ['a download', 'v3/file', { download: true }],
])('%s: of the endless body of an error the first part is kept', async (_, path, options) => {
  server.state.answer = (socket) => {
    socket.write(CHUNKED.replace('200', '500'));
    endlessly(socket, chunk(64 * 1024));
  };
  const error = await rejection(call(options, path));
  expect(error).toMatchObject({ name: 'ApiError', code: 'HTTP_500', status: 500 });
  const { length } = (error as ApiError).body;
  expect(length).toBeGreaterThanOrEqual(MB);
  expect(length).toBeLessThan(2 * MB);
  await server.closed();
});

test.each<[string, string, string]>([
  ['a body', CHUNKED, '1\r\n \r\n'],
  ['a body of an error', CHUNKED.replace('200', '500'), '1\r\n \r\n'],
  ['headers', 'HTTP/1.1 200 OK\r\nx: ', 'x'],
  ['answers of 1xx', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ['nothing', '', ''],
])('%s, dripping for ever, ends by the time of the call', async (_, head, piece) => {
  server.state.answer = (socket) => {
    socket.write(head);
    dripping(socket, piece, 50);
  };
  const error = await rejection(call({ timeout: 400 }));
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_TIMEOUT' });
  await server.closed();
});

test.each<[string, string]>([
  ['100,000 headers', Array.from({ length: 100_000 }, (_, at) => `x-${at}: x\r\n`).join('')],
  ['a header of 1 MB', `x: ${'x'.repeat(MB)}\r\n`],
  ['a header whose name has 1 MB', `${'x'.repeat(MB)}: x\r\n`],
])('%s', async (_, headers) => {
  server.state.answer = (socket) => socket.write(`HTTP/1.1 200 OK\r\n${headers}content-length: 0\r\n\r\n`);
  const error = await rejection(call());
  expect(error).toMatchObject({ name: 'TransportError', cause: { code: 'UND_ERR_HEADERS_OVERFLOW' } });
});

test('headers that have no end', async () => {
  server.state.answer = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    endlessly(socket, 'x: x\r\n'.repeat(1000));
  };
  expect(await rejection(call())).toMatchObject({ cause: { code: 'UND_ERR_HEADERS_OVERFLOW' } });
  await server.closed();
});

test('1,000 responses of 1xx ahead of the response are passed over', async () => {
  const body = Buffer.from('{"ok":true}');
  server.state.answer = (socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(1000));
    socket.write(frame(200, signatureOf(body), body));
  };
  expect(await call().json()).toEqual({ ok: true });
});

test('1xx without end and without pause end by the time of the call', async () => {
  server.state.answer = (socket) => endlessly(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100));
  const error = await rejection(call({ timeout: 400 }));
  expect(error).toMatchObject({ name: 'TimeoutError' });
});

describe('bombs', () => {
  const laughs = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">${Array.from({ length: 30 }, (_, at) => `<!ENTITY a${at + 1} "&a${at};&a${at};">`).join('')}]>`;

  test.each<[string, string, string]>([
    ['entities within entities', `${laughs}<xml><a>&a30;</a></xml>`, 'ERR_BODY_NOT_XML'],
    [
      'an entity that is a file',
      '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><a>&a;</a></xml>',
      'ERR_BODY_NOT_XML',
    ],
    ['elements within elements', '<a>'.repeat(100_000), 'ERR_BODY_TOO_LARGE'],
    ['more than 1 MiB of XML', `<xml><a>${'a'.repeat(MB)}</a></xml>`, 'ERR_BODY_TOO_LARGE'],
    ['100,000 elements of one name', `<xml>${'<a/>'.repeat(100_000)}</xml>`, 'ERR_BODY_TOO_LARGE'],
    [
      '100,000 elements of different names',
      `<xml>${Array.from({ length: 100_000 }, (_, at) => `<a${at}/>`).join('')}</xml>`,
      'ERR_BODY_TOO_LARGE',
    ],
    [
      '100,000 attributes',
      `<xml><a ${Array.from({ length: 70_000 }, (_, at) => `a${at}=""`).join(' ')}/></xml>`,
      'ERR_BODY_TOO_LARGE',
    ],
    ['200,000 references', `<xml><a>${'&lt;'.repeat(200_000)}</a></xml>`, 'ERR_BODY_TOO_LARGE'],
    ['a name of 1 MB', `<xml><${'a'.repeat(MB - 100)}`, 'ERR_BODY_NOT_XML'],
  ])('XML: %s', async (_, body, code) => {
    const success = body.replace('<xml>', '<xml><return_code>SUCCESS</return_code>');
    server.state.answer = (socket) => socket.write(frame(200, [], Buffer.from(success)));
    const error = await rejection(call({ xml }, 'v2/pay/x'));
    expect(error).toMatchObject({ code: expect.stringMatching(code) });
  });

  test.each<[string, string, boolean]>([
    ['lists', '['.repeat(1_000_000) + ']'.repeat(1_000_000), true],
    ['objects', '{"a":'.repeat(1_000_000) + 1 + '}'.repeat(1_000_000), true],
    ['lists that are never closed', '['.repeat(5_000_000), false],
  ])('JSON: a million %s within one another', async (_, text, isJson) => {
    const body = Buffer.from(text);
    server.state.answer = (socket) => socket.write(frame(200, signatureOf(body), body));
    if (isJson) expect(typeof (await call().json())).toBe('object');
    else expect(await rejection(call().json())).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_NOT_JSON' });
    server.state.answer = (socket) => socket.write(frame(400, [], body));
    expect(await rejection(call())).toMatchObject({ name: 'ApiError', code: 'HTTP_400' });
  });

  test('a zipped response is not unzipped: it is what it is', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * MB, ' '));
    server.state.answer = (socket) =>
      socket.write(frame(200, [...signatureOf(bomb), ['content-encoding', 'gzip']], bomb));
    expect(await call().bytes()).toHaveLength(bomb.length);
    expect(await rejection(call().json())).toMatchObject({ code: 'ERR_BODY_NOT_JSON' });
  });
});

describe('downloads', () => {
  const digest = { hash_type: 'SHA1', hash_value: createHash('sha1').digest('hex') };
  const download = (options: object = {}, path = 'v3/file') =>
    server.instance.chain(path).get({ download: true, ...options });

  test('a file that stalls ends by the time that it may be silent', async () => {
    server.state.answer = (socket) => socket.write(`${CHUNKED}1\r\na\r\n`);
    const { body } = await download({ timeout: 400 });
    const error = await rejection(new Response(body).text());
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_TIMEOUT' });
    await server.closed();
  });

  test('a file that drips goes on, until its reader has enough', async () => {
    server.state.answer = (socket) => {
      socket.write(CHUNKED);
      dripping(socket, '1\r\na\r\n', 50);
    };
    const { body } = await download({ timeout: 200 });
    let read = 0;
    for await (const bytes of body as ReadableStream<Uint8Array>) {
      read += bytes.length;
      if (read >= 10) break;
    }
    expect(read).toBeGreaterThanOrEqual(10);
    await server.closed();
  });

  test('v2: XML without end in the place of a file is refused', async () => {
    server.state.answer = (socket) => {
      socket.write(`${CHUNKED}5\r\n<xml>\r\n`);
      endlessly(socket, chunk(64 * 1024));
    };
    const error = await rejection(download({ query: { mch_id: '1900000109' } }, 'v2/pay/file'));
    expect(error).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_TOO_LARGE' });
    await server.closed();
  });

  test.each<[string, object, string]>([
    ['by the option', { digest: { ...digest, tar_type: 'GZIP' } }, ''],
    ['of a statement', {}, `wechatpay-statement-sha1: ${digest.hash_value}\r\ncontent-encoding: gzip\r\n`],
  ])('a gzip bomb, unzipped %s, is read no faster than its reader reads', async (_, options, headers) => {
    // Each of these unzips to 100 MB, and gzip may be put together by joining.
    const member = gzipSync(Buffer.alloc(100 * MB));
    const framed = Buffer.concat([Buffer.from(`${member.length.toString(16)}\r\n`), member, Buffer.from('\r\n')]);
    server.state.answer = (socket) => {
      socket.write(CHUNKED.replace('\r\n\r\n', `\r\n${headers}\r\n`));
      endlessly(socket, framed);
    };
    const { body } = await download(options);
    let read = 0;
    for await (const bytes of body as ReadableStream<Uint8Array>) {
      expect(bytes.length).toBeLessThanOrEqual(64 * 1024);
      read += bytes.length;
      if (read > MB) break;
    }
    expect(await server.closed()).toBeLessThan(20 * MB);
  });
});
