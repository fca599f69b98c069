import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { InvalidArgumentError } from '../../lib/errors';
import { isMedia, Media, type MediaOptions } from '../../lib/upload/media';
import type { MediaSource } from '../../lib/upload/source';

const CONTENT = Buffer.from('\x89PNG\r\n\x1a\n--boundary\r\n内容');
const hashOf = (algorithm: string, bytes: Uint8Array = CONTENT) => createHash(algorithm).update(bytes).digest('hex');
const SHA256 = hashOf('sha256');

let directory: string;
let path: string;
let temporary: string;

beforeAll(async () => {
  directory = await mkdtemp(join(os.tmpdir(), 'media-test-'));
  temporary = join(directory, 'tmp');
  await mkdir(temporary);
  jest.spyOn(os, 'tmpdir').mockReturnValue(temporary);
  path = join(directory, '店 面.png');
});
beforeEach(() => writeFile(path, CONTENT));
afterAll(() => rm(directory, { recursive: true }));

async function read(media: Media): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of media.stream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function received(media: Media): Promise<FormData> {
  const bytes = await read(media);
  expect(bytes).toHaveLength(media.contentLength);
  return new Response(bytes, { headers: media.headers }).formData();
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (const byte of CONTENT) yield Buffer.of(byte);
}

describe('sources', () => {
  test.each<[string, () => MediaSource | Promise<MediaSource>, MediaOptions, string]>([
    ['a path', () => path, {}, '店 面.png'],
    ['a file: URL as text', () => pathToFileURL(path).href, {}, '店 面.png'],
    ['a file: URL', () => pathToFileURL(path), {}, '店 面.png'],
    ['a path with another name', () => path, { filename: '图.jpg' }, '图.jpg'],
    ['a Buffer', () => CONTENT, { filename: 'a.png' }, 'a.png'],
    ['a part of a buffer', () => new Uint8Array([0, ...CONTENT, 0]).subarray(1, -1), { filename: 'a.png' }, 'a.png'],
    ['an ArrayBuffer', () => new Uint8Array(CONTENT).buffer, { filename: 'a.png' }, 'a.png'],
    ['a Blob', () => new Blob([CONTENT]), { filename: 'a.png' }, 'a.png'],
    ['a Blob of a file', () => openAsBlob(path), { filename: 'a.png' }, 'a.png'],
    ['a File', () => new File([CONTENT], 'f.png'), {}, 'f.png'],
    ['a stream of a file', () => createReadStream(path), {}, '店 面.png'],
    ['a stream of Node', () => Readable.from([CONTENT.subarray(0, 9), CONTENT.subarray(9)]), { filename: 'a' }, 'a'],
    ['a stream of the web', () => new Blob([CONTENT]).stream(), { filename: 'a.png' }, 'a.png'],
    ['an async iterable', chunks, { filename: 'a.png' }, 'a.png'],
  ])('%s', async (_, source, options, filename) => {
    const media = await Media.from(await source(), options);
    expect(media).toMatchObject({ filename, size: CONTENT.length, digest: SHA256 });
    expect(media.meta).toBe(JSON.stringify({ filename, sha256: SHA256 }));
    for (let attempt = 0; attempt < 2; attempt++) {
      const form = await received(media);
      expect([...form.keys()]).toEqual(['meta', 'file']);
      expect(form.get('meta')).toBe(media.meta);
      const file = form.get('file') as File;
      expect(file.name).toBe(filename);
      expect(Buffer.from(await file.arrayBuffer())).toEqual(CONTENT);
    }
    await media.dispose();
  });

  test.each<[string, unknown, MediaOptions, string]>([
    ['no such file', '/no/such/file.png', {}, 'The file to upload, /no/such/file.png, cannot be read (ENOENT)'],
    ['a directory', '/', { filename: 'a.png' }, 'cannot be read (EISDIR)'],
    ['another URL', new URL('https://example.com/a.png'), {}, 'Only file: URLs'],
    ['bytes without a name', CONTENT, {}, 'Missing file name'],
    ['a Blob without a name', new Blob([CONTENT]), {}, 'Missing file name'],
    ['a name with a quote', CONTENT, { filename: 'a".png' }, 'without quotes'],
    ['nothing', undefined, { filename: 'a' }, 'A Media must be the path'],
    ['an object', {}, { filename: 'a' }, 'A Media must be the path'],
    ['a stream of objects', Readable.from([{}]), { filename: 'a' }, 'must yield bytes'],
    ['an unknown hash', CONTENT, { filename: 'a', algorithm: 'crc' as 'md5', meta: () => ({}) }, 'one of md5, sha1'],
    ['another hash that goes nowhere', CONTENT, { filename: 'a', algorithm: 'sm3' }, '"meta" must be a function'],
    ['meta and fields', CONTENT, { filename: 'a', meta: {}, fields: () => ({}) }, 'not both'],
    ['meta that is no JSON', CONTENT, { filename: 'a', meta: { n: 1n } }, '"meta" cannot be written as JSON'],
    ['a field without text', CONTENT, { filename: 'a', fields: () => ({ f: {} }) }, 'The field "f"'],
  ])('%s is refused', async (_, source, options, message) => {
    const made = Media.from(source as MediaSource, options);
    await expect(made).rejects.toThrow(InvalidArgumentError);
    await expect(made).rejects.toThrow(message);
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('the fields beside the file', () => {
  test.each<[string, MediaOptions, Record<string, unknown>]>([
    ['more of them', { meta: { bank_type: 'CFT' } }, { filename: 'a.png', sha256: SHA256, bank_type: 'CFT' }],
    ['fewer of them', { meta: { filename: undefined, openid: 'o' } }, { sha256: SHA256, openid: 'o' }],
    [
      'other names',
      { meta: ({ filename, digest }) => ({ file_name: filename, file_digest: digest }) },
      { file_name: 'a.png', file_digest: SHA256 },
    ],
    [
      'SM3',
      { algorithm: 'sm3', meta: async ({ digest }) => ({ file_type: 'PDF', digest_alogrithm: 'SM3', digest }) },
      { file_type: 'PDF', digest_alogrithm: 'SM3', digest: hashOf('sm3') },
    ],
  ])('meta with %s', async (_, options, expected) => {
    const media = await Media.from(CONTENT, { filename: 'a.png', ...options });
    expect(JSON.parse(media.meta)).toEqual(expected);
    expect((await received(media)).get('meta')).toBe(media.meta);
  });

  test("v2's uploadmedia: plain fields, MD5, signed afterwards", async () => {
    const media = await Media.from(CONTENT, {
      filename: 'a.png',
      name: 'media',
      algorithm: 'md5',
      fields: ({ digest }) => ({ mch_id: '1900000109', media_hash: digest, sign_type: 'HMAC-SHA256' }),
    });
    expect(media.meta).toBe('');
    const signed = media.withFields({ ...media.fields, sign: 'SIGN' });
    const form = await received(signed);
    expect([...form.keys()]).toEqual(['mch_id', 'media_hash', 'sign_type', 'sign', 'media']);
    expect(form.get('media_hash')).toBe(hashOf('md5'));
    expect((await received(media)).has('sign')).toBe(false);
  });

  test('the parts say what they are', async () => {
    const media = await Media.from(path, { name: 'due_diligence_file' });
    const text = (await read(media)).toString();
    expect(text).toContain('form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n{');
    expect(text).toContain('name="due_diligence_file"; filename="店 面.png"\r\nContent-Type: image/png\r\n\r\n');
    expect((await read(await Media.from(path, { contentType: 'image/x' }))).toString()).toContain('Type: image/x\r\n');
  });
});

test.each<[string, () => Promise<void>]>([
  ['grown', () => appendFile(path, 'x')],
  ['shorter', () => truncate(path, CONTENT.length - 1)],
  ['other bytes of the same length', () => writeFile(path, Buffer.alloc(CONTENT.length))],
  ['gone', () => rm(path)],
])('a file that is %s by the time it is sent', async (_, change) => {
  const media = await Media.from(path);
  await change();
  let sent = 0;
  const send = async () => {
    for await (const chunk of media.stream()) sent += chunk.length;
  };
  await expect(send()).rejects.toThrow(InvalidArgumentError);
  expect(sent).toBeLessThan(media.contentLength);
});

test('what was spooled cannot be read once it is disposed of', async () => {
  const media = await Media.from(chunks(), { filename: 'a.png' });
  const [first, second] = await Promise.all([read(media), read(media)]);
  expect(first.equals(second)).toBe(true);
  await media.withFields({ a: 1 }).dispose();
  await media.dispose();
  await expect(read(media)).rejects.toThrow('has been disposed of');
  await expect(read(media)).rejects.toThrow(InvalidArgumentError);
});

test('what is printed holds no field', async () => {
  const media = await Media.from(CONTENT, { filename: 'a.png', meta: { openid: 'secret' } });
  expect(inspect(media, { depth: 9 }) + JSON.stringify(media)).not.toContain('secret');
});

test('isMedia', async () => {
  const media = await Media.from(CONTENT, { filename: 'a.png' });
  expect(isMedia(media)).toBe(true);
  expect([{}, null, 'media', CONTENT, new FormData()].some(isMedia)).toBe(false);
  jest.isolateModules(() => {
    const copy = require('../../lib/upload/media') as typeof import('../../lib/upload/media');
    expect(copy.Media).not.toBe(Media);
    expect(copy.isMedia(media)).toBe(true);
  });
});

describe('over a socket', () => {
  let server: Server;
  const requests: { length: string | undefined; encoding: string | undefined; body: Buffer }[] = [];

  beforeAll((done) => {
    server = createServer(async (request, response) => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk as Buffer);
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
      requests.push({ length, encoding, body: Buffer.concat(body) });
      response.end('{}');
    }).listen(0, '127.0.0.1', done);
  });
  afterAll((done) => {
    server.close(done);
  });

  test('undici sends the body with its exact length, as often as wanted', async () => {
    const agent = new Agent();
    const media = await Media.from(chunks(), { filename: 'a.png' });
    const headers = { ...media.headers, 'content-length': String(media.contentLength) };
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (let attempt = 0; attempt < 2; attempt++) {
      const body = Readable.from(media.stream());
      const answer = await agent.request({ origin, path: '/', method: 'POST', headers, body });
      await answer.body.dump();
    }
    await media.dispose();
    await agent.close();
    expect(requests).toHaveLength(2);
    expect(requests[0]).toEqual(requests[1]);
    const { length, encoding, body } = requests[0] ?? {};
    expect([length, encoding]).toEqual([String(media.contentLength), undefined]);
    const form = await new Response(body as Buffer, { headers: media.headers }).formData();
    expect(form.get('meta')).toBe(media.meta);
  });
});
