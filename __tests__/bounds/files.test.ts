import { constants } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ApiError } from 'wechatpay-undici';
import { rejection } from '../support/rejection';
import { chunk, endlessly, frame, MB, memoryOf, platform, signatureOf } from './support';

let server: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  server = await platform();
});
afterAll(() => server.close());

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const KB = 1024;
const download = (options: object = {}) => server.instance.chain('v3/file').get({ download: true, ...options });
const bill = (options: object = {}) =>
  server.instance.chain('v2/pay/downloadbill').post({ xml: { mch_id: '1900000109' }, ...options });

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Writes a body piece by piece; between them both sides have the time to see each for itself. */
function inPieces(pieces: readonly Uint8Array[]) {
  return async (socket: Socket) => {
    socket.setNoDelay(true).write(CHUNKED);
    for (const piece of pieces) {
      for (let turns = 0; turns < 4; turns++) await turn();
      socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]));
    }
    socket.write('0\r\n\r\n');
  };
}

const SHORTCUTS = ['text', 'json', 'xml', 'bytes', 'arrayBuffer', 'blob'] as const;
type Shortcut = (typeof SHORTCUTS)[number];
type Readers = Record<Shortcut | 'formData', () => Promise<unknown>>;

describe('what holds a file in memory', () => {
  const tooLarge = {
    name: 'BodyError',
    code: 'ERR_BODY_TOO_LARGE',
    message: expect.stringMatching(/102400 bytes.*stream.*"body".*"maxBuffer"/),
  };
  const options = { maxBuffer: 100 * KB };
  const endless = (socket: Socket) => {
    socket.write(CHUNKED);
    endlessly(socket, chunk(16 * KB));
  };

  test.each(SHORTCUTS)('%s() of the call ends by "maxBuffer", and the connection with it', async (name) => {
    server.state.answer = endless;
    const error = await rejection((download(options) as unknown as Readers)[name]());
    expect(error).toMatchObject(tooLarge);
    expect(await server.closed()).toBeLessThan(20 * MB);
  });

  test.each([...SHORTCUTS, 'formData'] as const)('%s() of the response does, and of a clone', async (name) => {
    for (const copy of [(response: Response) => response, (response: Response) => response.clone()]) {
      server.state.answer = endless;
      const response = await download(options);
      const error = await rejection((copy(response) as unknown as Readers)[name]());
      expect(error).toMatchObject(tooLarge);
      await response.body?.cancel().catch(() => {});
      await server.closed();
    }
  });

  test.each<[string, (options: object) => PromiseLike<{ text(): Promise<string> }>]>([
    ['a file', download],
    ['a bill of v2', bill],
  ])('%s of "maxBuffer" bytes passes, one more does not', async (_, call) => {
    for (const size of [1, 5000]) {
      server.state.answer = (socket) => socket.write(frame(200, [], Buffer.alloc(size, 'a')));
      expect(await (await call({ maxBuffer: size })).text()).toHaveLength(size);
      const max = Math.max(size - 1, 1);
      server.state.answer = (socket) => socket.write(frame(200, [], Buffer.alloc(max + 1, 'a')));
      const error = await rejection((await call({ maxBuffer: max })).text());
      expect(error).toMatchObject({ code: 'ERR_BODY_TOO_LARGE', message: expect.stringContaining(` ${max} bytes`) });
    }
  });

  test('it counts what is unzipped', async () => {
    const plain = Buffer.alloc(100 * KB, 'a');
    const sha1 = createHash('sha1').update(plain).digest('hex');
    const digest = { hash_type: 'SHA1', hash_value: sha1, tar_type: 'GZIP' };
    server.state.answer = (socket) => socket.write(frame(200, [], gzipSync(plain)));
    expect(await download({ digest, maxBuffer: 100 * KB }).text()).toBe(plain.toString());
    expect(await rejection(download({ digest, maxBuffer: 100 * KB - 1 }).text())).toMatchObject({
      code: 'ERR_BODY_TOO_LARGE',
    });
  });

  test('a statement is bounded as well', async () => {
    const body = Buffer.alloc(200 * KB, 'a');
    const sha1 = createHash('sha1').update(body).digest('hex');
    const headers = [...signatureOf(Buffer.from(`{"sha1":"${sha1}"}`)), ['wechatpay-statement-sha1', sha1] as const];
    server.state.answer = (socket) => socket.write(frame(200, headers, body));
    const get = (more: { maxBuffer?: number }) => server.instance.chain('v3/global/statements').get(more);
    expect(await get({}).text()).toHaveLength(200 * KB);
    expect(await rejection(get(options).text())).toMatchObject(tooLarge);
  });

  test('the body as a stream is not bounded', async () => {
    server.state.answer = (socket) => socket.write(frame(200, [], Buffer.alloc(MB, 'a')));
    const { body } = await download({ maxBuffer: 1 });
    expect(await new Response(body).text()).toHaveLength(MB);
  });

  test('what is not a file keeps its own bound', async () => {
    const body = Buffer.from('{"ok":true}');
    server.state.answer = (socket) => socket.write(frame(200, signatureOf(body), body));
    expect(await server.instance.chain('v3/x').get({ maxBuffer: 1 }).json()).toEqual({ ok: true });
  });

  test.each([0, -1, 1.5, NaN, Infinity, constants.MAX_STRING_LENGTH + 1, '100', null, {}])(
    '%p is no "maxBuffer": nothing is sent',
    async (maxBuffer) => {
      let asked = false;
      server.state.answer = () => {
        asked = true;
      };
      const error = await rejection(download({ maxBuffer }));
      expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining('"maxBuffer"') });
      expect(asked).toBe(false);
    },
  );

  test('by default 64 MiB: a bomb does not fill the memory', () => {
    const program = `
      const { gzipSync } = require('node:zlib');
      const server = await bounds.platform();
      const member = gzipSync(Buffer.alloc(${100 * MB}));
      const framed = Buffer.concat([Buffer.from(member.length.toString(16) + '\\r\\n'), member, Buffer.from('\\r\\n')]);
      server.state.answer = (socket) => {
        socket.write(${JSON.stringify(CHUNKED)});
        bounds.endlessly(socket, framed);
      };
      const digest = { hash_type: 'SHA1', hash_value: '0'.repeat(40), tar_type: 'GZIP' };
      const options = { download: true, digest };
    `;
    const once = `() => server.instance.v3.file.get(options).text().then(String, (error) => error.code + error.message)`;
    const { kept, peak, results } = memoryOf(program, once, 2);
    expect(results).toEqual(Array(2).fill(expect.stringMatching(/^ERR_BODY_TOO_LARGE.* 67108864 bytes/)));
    expect(kept).toBeLessThan(4 * MB);
    expect(peak).toBeLessThan(250 * MB);
  }, 90_000);
});

describe('a file reads as a standard response does', () => {
  const respond = (body: Buffer, type = 'text/plain; charset=UTF-8') => {
    server.state.answer = (socket) => socket.write(frame(200, [['content-type', type]], body));
    return new Response(body, { headers: { 'content-type': type } });
  };

  test.each<[string, Buffer]>([
    ['text with a byte order mark', Buffer.from('\ufeff交易时间,金额\r\n')],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0, 0xc3])],
    ['nothing', Buffer.alloc(0)],
  ])('%s', async (_, body) => {
    const standard = respond(body);
    expect(await download().text()).toBe(await standard.clone().text());
    expect(Buffer.from(await download().bytes())).toEqual(body);
    expect(Buffer.from(await download().arrayBuffer())).toEqual(body);
    const [blob, expected] = [await download().blob(), await standard.blob()];
    expect([blob.type, await blob.text()]).toEqual([expected.type, await expected.text()]);
  });

  test('a form, JSON and XML', async () => {
    respond(Buffer.from('a=1&b=%E8%8C%B6'), 'application/x-www-form-urlencoded');
    expect([...(await (await download()).formData())]).toEqual([
      ['a', '1'],
      ['b', '茶'],
    ]);
    respond(Buffer.from('{"a":1}'));
    expect(await download().json()).toEqual({ a: 1 });
    respond(Buffer.from('<xml><a>1</a></xml>'));
    expect(await download().xml()).toEqual({ a: '1' });
  });

  test('once; a clone is read beside it', async () => {
    respond(Buffer.from('a'));
    const response = await download();
    const copy = response.clone();
    expect(response.bodyUsed).toBe(false);
    expect([await response.text(), await copy.text()]).toEqual(['a', 'a']);
    expect(response.bodyUsed).toBe(true);
    for (const read of [() => response.text(), () => response.blob(), () => copy.arrayBuffer()]) {
      await expect(read()).rejects.toMatchObject({ name: 'TypeError' });
    }
    respond(Buffer.from('a'));
    const locked = await download();
    locked.body?.getReader();
    await expect(locked.text()).rejects.toMatchObject({ name: 'TypeError' });
  });
});

describe('v2: an error in the place of a bill is found however it is cut', () => {
  const FAIL = '<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg></xml>';
  const ERRORS = [
    FAIL,
    `\ufeff${FAIL}`,
    `\r\n\t ${FAIL}`,
    `<?xml version="1.0" encoding="UTF-8"?>${FAIL}`,
    `\ufeff\n<?xml version="1.0"?>\n<!-- <a> -->\n${FAIL}\n`,
    FAIL.replace('<xml>', '<xml lang="zh">'),
    `${' '.repeat(20 * KB)}${FAIL}`,
  ];
  const FILES = [
    '',
    'a',
    '\ufeff交易时间,商户订单号\r\n`2026-11-23,`A1\r\n',
    '交易时间,商户数据包\r\n`2026-11-23,`<xml>\r\n',
    '<xmlish/>',
    '  ',
    gzipSync('交易时间'),
  ];
  const noBillExists = { code: 'FAIL', message: 'No Bill Exist', return_code: 'FAIL', status: 200 };
  const cut = (text: string | Buffer, at: number) => {
    const bytes = Buffer.from(text);
    return inPieces([bytes.subarray(0, at), bytes.subarray(at)].filter((piece) => piece.length > 0));
  };
  const inSteps = (text: string | Buffer, step = 1) => {
    const bytes = Buffer.from(text);
    const count = Math.ceil(bytes.length / step);
    return inPieces(Array.from({ length: count }, (_, at) => bytes.subarray(at * step, (at + 1) * step)));
  };
  /** Whole; cut once, at each of the first places; byte by byte. */
  const allCuts = (text: string | Buffer) => {
    const { length } = Buffer.from(text);
    const once = Array.from({ length: Math.min(70, length) }, (_, at) => cut(text, at));
    return [inSteps(text, length < 1000 ? 1 : 1000), ...once];
  };

  test.each(ERRORS.map((text, at) => [at, text.trim().slice(0, 40), text] as const))(
    'error %i: %s',
    async (_at, _name, text) => {
      for (const answer of allCuts(text)) {
        server.state.answer = answer;
        const error = await rejection(bill());
        expect(error).toBeInstanceOf(ApiError);
        expect(error).toMatchObject(noBillExists);
      }
    },
  );

  test.each(FILES.map((file, at) => [at, file.toString().slice(0, 20), file] as const))(
    'file %i: %j comes through, byte by byte',
    async (_at, _name, file) => {
      for (const answer of allCuts(file)) {
        server.state.answer = answer;
        expect(Buffer.from(await bill().bytes())).toEqual(Buffer.from(file));
      }
    },
  );

  test.each(['<', '<xm', '<xml', '<xml>', '<?xml version="1.0"?>', '\ufeff<!-- ', `${' '.repeat(20 * KB)}a,b`])(
    '%#, which is neither, is an error',
    async (text) => {
      for (const answer of allCuts(text)) {
        server.state.answer = answer;
        expect(await rejection(bill())).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_NOT_XML' });
      }
    },
  );

  test('a beginning that does not end: by size, and by the time of the call', async () => {
    server.state.answer = (socket) => {
      socket.write(CHUNKED);
      endlessly(socket, chunk(16 * KB));
    };
    expect(await rejection(bill())).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
    await server.closed();
    server.state.answer = (socket) => socket.write(`${CHUNKED}3\r\n<xm\r\n`);
    expect(await rejection(bill({ timeout: { total: 300, body: 60_000 } }))).toMatchObject({ name: 'TimeoutError' });
    await server.closed();
  });

  test.each(ERRORS.slice(0, 5))('of a status that says so too: %j', async (text) => {
    server.state.answer = (socket) => socket.write(frame(500, [], Buffer.from(text)));
    expect(await rejection(bill())).toMatchObject({ ...noBillExists, status: 500 });
  });
});
