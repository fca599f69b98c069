import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { Builder } from 'wechatpay-undici';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { readForm } from '../../lib/sandbox/wire/form';
import * as Hash from '../../lib/signature/hash';
import { Media } from '../../lib/upload/media';
import { useSandbox } from '../support/sandbox';
import { authorization, isSigned, type Received, type Sent, send } from './support';

let sandbox: Sandbox;
useSandbox((started) => {
  sandbox = started;
});

const UPLOAD = '/v3/merchant/media/upload';
const CONTENT = Buffer.from('\x89PNG\r\n\x1a\n--boundar\r\n-\r\n--\r\n\r\n--boundar-y内容');
const hashOf = (algorithm: string, bytes: Buffer = CONTENT) => createHash(algorithm).update(bytes).digest('hex');
const META = JSON.stringify({ filename: '店 面.png', sha256: hashOf('sha256') });

type Part = [headers: string, content: string | Buffer];
const field = (name: string, content: string): Part => [`Content-Disposition: form-data; name="${name}"`, content];
const file: Part = [
  'content-disposition: form-data; name="file"; filename="店 面.png"\r\nContent-Type: image/png',
  CONTENT,
];

function form(...parts: Part[]): Buffer {
  const lines = parts.flatMap(([headers, content]) => [`--boundary\r\n${headers}\r\n\r\n`, content, '\r\n']);
  return Buffer.concat([...lines, '--boundary--\r\n'].map((piece) => Buffer.from(piece)));
}

/** Sends a form whose `signed` text is signed in the place of its body. */
function upload(body: Buffer, signed = META, options: Sent = {}): Promise<Received> {
  return send(sandbox, UPLOAD, {
    body,
    headers: {
      'content-type': 'multipart/form-data; boundary=boundary',
      authorization: authorization(sandbox, 'POST', UPLOAD, signed),
    },
    ...options,
  });
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const FILE = {
  ...{ name: 'file', filename: '店 面.png', size: CONTENT.length, contentType: 'image/png' },
  ...{ sha256: hashOf('sha256'), md5: hashOf('md5') },
};

test('an upload is signed over its part meta alone; the handler is given that and the hash of the file', async () => {
  const seen = jest.fn(() => ({ media_id: 'M' }));
  sandbox.on('post', 'v3/merchant/media/upload', seen);
  const response = await upload(form(field('meta', META), file));
  expect(response).toMatchObject({ status: 200, json: { media_id: 'M' } });
  expect(isSigned(sandbox, response)).toBe(true);
  expect(seen).toHaveBeenCalledWith(
    expect.objectContaining({ json: JSON.parse(META), body: Buffer.from(META), files: [FILE] }),
  );
  expect(sandbox.requests).toMatchObject([{ body: META, files: [FILE], status: 200 }]);
});

test('the file may go before meta, and meta may say nothing of its hash', async () => {
  sandbox.on('post', 'v3/merchant/media/upload', ({ json, files }) => ({ json, files: files.length }));
  const meta = '{"bank_type":"CFT","filename":"x.csv"}';
  const response = await upload(form(file, field('meta', meta)), meta);
  expect(response).toMatchObject({ status: 200, json: { json: JSON.parse(meta), files: 1 } });
});

test.each<[string, () => Promise<Received>, number, string, string]>([
  ['a signature of another meta', () => upload(form(field('meta', META), file), `${META} `), 401, 'SIGN_ERROR', ''],
  ['no meta', () => upload(form(file)), 401, 'SIGN_ERROR', ''],
  [
    'a meta that is a file',
    () => upload(form(['Content-Disposition: form-data; name="meta"; filename="m.json"', META], file)),
    ...([401, 'SIGN_ERROR', ''] as const),
  ],
  [
    'another file than that of meta',
    () => upload(form(field('meta', META), [file[0], `${CONTENT}x`])),
    ...([400, 'PARAM_ERROR', 'sha256'] as const),
  ],
  ['no file', () => upload(form(field('meta', META))), 400, 'PARAM_ERROR', 'sha256'],
  ['a meta that is no JSON', () => upload(form(field('meta', '{'), file), '{'), 400, 'PARAM_ERROR', 'meta'],
  [
    'a form that is cut off',
    () => upload(form(field('meta', META), file).subarray(0, -8)),
    ...([400, 'PARAM_ERROR', 'last boundary'] as const),
  ],
  [
    'no boundary',
    () => upload(form(file), '', { headers: { 'content-type': 'multipart/form-data' } }),
    ...([400, 'PARAM_ERROR', 'no boundary'] as const),
  ],
])('%s is refused', async (_, call, status, code, message) => {
  const handler = jest.fn();
  sandbox.on('post', 'v3/merchant/media/upload', handler);
  const response = await call();
  expect(response).toMatchObject({ status, json: { code, message: expect.stringContaining(message) } });
  expect(handler).not.toHaveBeenCalled();
});

test.each<[string, () => Buffer | Readable]>([
  ['bytes', () => CONTENT],
  ['a stream', () => Readable.from([CONTENT.subarray(0, 9), CONTENT.subarray(9)])],
])('our own client uploads %s, again after a failure', async (_, source) => {
  const dispatcher = new Agent();
  const instance = Builder.factory({ ...sandbox.config, dispatcher });
  sandbox.on('post', 'v3/test/upload', ({ json, files }) => ({ json, files }));
  const body = await Media.from(source(), { filename: '店 面.png' });
  const post = () => instance.chain('v3/test/upload').post({ body }).json();
  sandbox.misbehave({ status: 500 });
  await expect(post()).rejects.toMatchObject({ name: 'ApiError', status: 500 });
  const { requests } = sandbox;
  expect(await post()).toEqual({ json: JSON.parse(META), files: [FILE] });
  expect(requests.map(({ headers }) => headers['content-length'])).toEqual(Array(2).fill(String(body.contentLength)));
  await body.dispose();
  await dispatcher.destroy();
});

describe('a form of v2', () => {
  const fields = { mch_id: '1900000109', media_hash: hashOf('md5'), sign_type: 'HMAC-SHA256' };
  const media: Part = [file[0].replace('name="file"', 'name="media"'), CONTENT];
  const post = (given: Record<string, string>, part = media) => {
    const sign = given.sign ?? Hash.sign('HMAC-SHA256', given, sandbox.config.secret);
    const body = form(...Object.entries({ ...given, sign }).map(([name, value]) => field(name, value)), part);
    const headers = { 'content-type': 'multipart/form-data; boundary="boundary"', authorization: undefined };
    return send(sandbox, '/secapi/mch/uploadmedia', { body, headers });
  };

  test('is signed in its fields', async () => {
    const seen = jest.fn(() => ({ media_id: 'M' }));
    sandbox.on('post', 'v2/secapi/mch/uploadmedia', seen);
    expect((await post(fields)).text).toContain('<result_code><![CDATA[SUCCESS]]></result_code>');
    const xml = { ...fields, sign: expect.any(String) };
    expect(seen).toHaveBeenCalledWith(expect.objectContaining({ xml, files: [{ ...FILE, name: 'media' }] }));
  });

  test.each<[string, () => Promise<Received>, string]>([
    [
      'a wrong sign',
      () => post({ ...fields, sign: '0'.repeat(32) }),
      '<return_msg><![CDATA[签名错误，请检查后再试: The sign has 32 characters',
    ],
    ['another file', () => post(fields, [media[0], 'x']), '<err_code><![CDATA[PARAM_ERROR]]></err_code>'],
  ])('with %s is refused', async (_, call, expected) => {
    const handler = jest.fn();
    sandbox.on('post', 'v2/secapi/mch/uploadmedia', handler);
    expect((await call()).text).toContain(expected);
    expect(handler).not.toHaveBeenCalled();
  });
});

describe('reading a form', () => {
  const read = (body: Buffer, size = body.length, type = 'multipart/form-data; boundary=boundary') =>
    readForm(type, pieces(body, size));

  test.each([1, 2, 3, 7, 64, 1000])('that arrives %i bytes at a time', async (size) => {
    const preamble = Buffer.from('This is a message in MIME.\r\n');
    const body = Buffer.concat([preamble, form(field('meta', META), file, field('empty', '')), Buffer.from('end')]);
    expect(await read(body, size)).toEqual({ fields: { meta: META, empty: '' }, files: [FILE] });
  });

  test("that Node's own FormData has written", async () => {
    const data = new FormData();
    data.append('meta', META);
    data.append('file', new File([CONTENT], '图.png', { type: 'image/png' }));
    const { headers, body } = new Response(data);
    const bytes = Buffer.from(await new Response(body).arrayBuffer());
    const { fields, files } = await read(bytes, 10, headers.get('content-type') ?? '');
    expect(fields).toEqual({ meta: META });
    expect(files).toEqual([{ ...FILE, filename: '图.png' }]);
  });

  test('names in any order, without quotes, and one that an object has already', async () => {
    const body = form(
      ['Content-Disposition: form-data; filename=a.png; name=file', 'x'],
      ['X-Other: 1\r\nContent-Disposition:form-data;name="__proto__"', 'y'],
    );
    const { fields, files } = await read(body);
    expect(Object.entries(fields)).toEqual([['__proto__', 'y']]);
    expect(files).toMatchObject([{ name: 'file', filename: 'a.png', size: 1, contentType: '' }]);
  });

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'ends before its last boundary'],
    ['another boundary', Buffer.from('--another--'), 'ends before its last boundary'],
    ['a part without a name', form(['Content-Disposition: form-data', 'x']), 'no Content-Disposition'],
    ['a part that is no form-data', form(['Content-Disposition: attachment; name="a"', 'x']), 'no Content-Disposition'],
    ['a part without headers', form(['X: y', 'x']), 'no Content-Disposition'],
    ['a field twice', form(field('a', '1'), field('a', '2')), 'the field "a" twice'],
    ['a boundary that goes on', Buffer.from('--boundaryx\r\n\r\n--boundary--'), 'neither a line end nor "--"'],
    [
      'headers without an end',
      Buffer.concat([Buffer.from('--boundary\r\n'), Buffer.alloc(20_000, 'a')]),
      'longer than',
    ],
    [
      'a file with filename* alone, too large for a field',
      form(['Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'a.png', Buffer.alloc(1024 * 1024 + 1)]),
      'which has no filename="…", is longer than 1048576 bytes',
    ],
  ])('%s is malformed, and read to its end', async (_, body, message) => {
    const source = pieces(body, 100);
    const { fault } = await readForm('multipart/form-data; boundary=boundary', source);
    expect(fault).toContain(message);
    expect(await source.next()).toEqual({ done: true, value: undefined });
  });

  test('a source that fails is no malformed form', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('--boundary\r\n');
      throw new Error('reset');
    }
    await expect(readForm('multipart/form-data; boundary=boundary', failing())).rejects.toThrow('reset');
  });
});

test('400 MB pass in little memory, up and down', () => {
  const program = `
    const { Sandbox } = require('./lib/sandbox');
    const { authorization } = require('./__tests__/sandbox/support');
    const http = require('node:http');
    const CHUNK = Buffer.alloc(1024 * 1024), COUNT = 400;
    const file = async function* (head, tail) {
      if (head) yield Buffer.from(head);
      for (let i = 0; i < COUNT; i++) yield CHUNK;
      if (tail) yield Buffer.from(tail);
    };
    const head = '--b\\r\\nContent-Disposition: form-data; name="meta"\\r\\n\\r\\n{}\\r\\n--b\\r\\n' +
      'Content-Disposition: form-data; name="file"; filename="a.mp4"\\r\\n\\r\\n';
    (async () => {
      const sandbox = await Sandbox.start();
      sandbox.on('post', 'v3/upload', ({ files }) => ({ size: files[0].size }));
      sandbox.on('get', 'v3/download', () => new Response(file()), { signed: false });
      let peak = 0;
      const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 5);
      const call = (method, path, signed, body) => new Promise((resolve, reject) => {
        const headers = { accept: '*/*', 'user-agent': 'x', authorization: authorization(sandbox, method, path, signed),
          ...(signed && { 'content-type': 'multipart/form-data; boundary=b' }) };
        const outgoing = http.request(sandbox.url + path.slice(1), { method, headers }, async (incoming) => {
          let size = 0, text = '';
          for await (const chunk of incoming) { size += chunk.length; if (size < 100) text += chunk; }
          resolve({ size, text });
        }).on('error', reject);
        require('node:stream').pipeline(body, outgoing, () => {});
      });
      const up = await call('POST', '/v3/upload', '{}', file(head, '\\r\\n--b--'));
      const down = await call('GET', '/v3/download', '', (async function* () {})());
      clearInterval(timer);
      console.log(JSON.stringify({ up: JSON.parse(up.text), down: down.size, peak }));
      process.exit(0);
    })();`;
  const output = execFileSync(process.execPath, ['-r', 'esbuild-register', '-e', program], { encoding: 'utf8' });
  const { up, down, peak } = JSON.parse(output);
  expect(up).toEqual({ size: 400 * 1024 * 1024 });
  expect(down).toBe(400 * 1024 * 1024);
  expect(peak).toBeLessThan(200 * 1024 * 1024);
}, 60_000);
