import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder, Media } from 'wechatpay-undici';
import { Sandbox, type SandboxConfig } from 'wechatpay-undici/sandbox';
import { bytesOf } from '../../../lib/sandbox/wire/form';
import { refusal } from './shop';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.start();
});
afterAll(() => sandbox.close());

const MEDIA = 'v3/merchant/media/upload';
const VIDEO = 'v3/merchant/media/video_upload';
const COMPLAINT = 'v3/merchant-service/images/upload';
const MARKETING = 'v3/marketing/favor/media/image-upload';

const bytes = (begin: string, size = 64) =>
  Buffer.concat([Buffer.from(begin, 'latin1'), Buffer.alloc(size - begin.length, 7)]);
const PNG = bytes('\x89PNG\r\n\x1a\n');
const MB = 1024 * 1024;

const poster = (config: SandboxConfig) => (path: string, body: Media) =>
  Builder.factory(config).chain(path).post({ body }).text();

/** Uploads a file with our own client. */
async function upload(
  path: string,
  content: Buffer,
  { filename = 'shop.png', meta = {}, post = poster(sandbox.config) } = {},
): Promise<Record<string, string>> {
  const body = await Media.from(content, { filename, meta });
  return JSON.parse(await post(path, body));
}

/** Fetches a file as a browser does: without a signature. */
async function fetched(url: string) {
  const response = await fetch(url);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    content: Buffer.from(await response.arrayBuffer()),
  };
}

test('an image of a complaint can be fetched again, by its own merchant only', async () => {
  const { media_id = '' } = await upload(COMPLAINT, PNG);
  const download = (config: SandboxConfig, id = media_id) =>
    Builder.factory(config).chain(`v3/merchant-service/images/${id}`).get();
  const response = await download(sandbox.config);
  expect(response.headers.get('content-type')).toBe('image/png');
  expect(Buffer.from(await response.arrayBuffer())).toEqual(PNG);
  const other = await sandbox.addMerchant();
  expect(await refusal(download(other))).toMatch(/^404 RESOURCE_NOT_EXISTS/);
  expect(await refusal(download(sandbox.config, 'unknown'))).toMatch(/^404 RESOURCE_NOT_EXISTS/);
});

test.each([
  [MARKETING, 'media_url'],
  ['v3/marketing/partner/product-coupon/media/upload-image', 'image_url'],
])('the URL that %s gives leads to the file', async (path, member) => {
  const { [member]: url = '' } = await upload(path, PNG);
  expect(url.startsWith(`${sandbox.url}sandbox/media/`)).toBe(true);
  expect(await fetched(url)).toEqual({ status: 200, type: 'image/png', content: PNG });
});

test('a brand uploads as well', async () => {
  const brand = Builder.factory(await sandbox.addBrand());
  const post = (path: string, body: Media) => brand.chain(path).post({ body }).text();
  const { media_url = '' } = await upload('brand/card-member/media/image-upload', PNG, { post });
  expect(await fetched(media_url)).toMatchObject({ status: 200, content: PNG });
  const { image_url } = await upload('brand/marketing/product-coupon/media/upload-image', PNG, { post });
  expect(image_url).toMatch(/sandbox\/media\//);
});

test('a URL of no file', async () => {
  expect(await fetched(`${sandbox.url}sandbox/media/unknown`)).toMatchObject({ status: 404 });
});

test.each([
  [MEDIA, 'a.jpg', '\xff\xd8\xff\xe0'],
  [MEDIA, 'a.JPEG', '\xff\xd8\xff\xe1'],
  [MEDIA, 'a.bmp', 'BM'],
  [MEDIA, 'a.pdf', '%PDF-1.7'],
  [MEDIA, 'a.jpg', '\x89PNG'],
  [VIDEO, 'a.avi', 'RIFF1234AVI LIST'],
  [VIDEO, 'a.wmv', '0&\xb2u'],
  [VIDEO, 'a.mpeg', '\0\0\x01\xba'],
  [VIDEO, 'a.mp4', '\0\0\0\x20ftypisom'],
  [VIDEO, 'a.mov', '\0\0\0\x20moov'],
  [VIDEO, 'a.m4v', '\0\0\0\x20ftypM4V '],
  [VIDEO, 'a.mkv', '\x1aE\xdf\xa3'],
  [VIDEO, 'a.flv', 'FLV\x01'],
  [VIDEO, 'a.rmvb', '.RMF'],
])('%s takes %s that begins with %j', async (path, filename, begin) => {
  expect(await upload(path, bytes(begin), { filename })).toEqual({ media_id: expect.stringMatching(/^[\w-]{60}$/) });
});

const wrongHash = { meta: { sha256: '0'.repeat(64) } };
test.each([
  [
    'a name without an extension',
    MEDIA,
    PNG,
    { filename: 'shop' },
    '400 PARAM_ERROR 图片文件名称不正确，请检查后重新提交',
  ],
  [
    'a name of another kind',
    COMPLAINT,
    PNG,
    { filename: 'a.gif' },
    '400 PARAM_ERROR 图片文件名称不正确，请检查后重新提交',
  ],
  [
    'a document where images are',
    COMPLAINT,
    bytes('%PDF'),
    { filename: 'a.pdf' },
    '400 PARAM_ERROR 图片文件名称不正确，请检查后重新提交',
  ],
  ['an image where videos are', VIDEO, PNG, {}, '400 PARAM_ERROR 视频文件名称不正确，请检查后重新提交'],
  ['text', MEDIA, bytes('GIF89a'), {}, '400 PARAM_ERROR 文件二进制内容不是图片，请检查后重新提交'],
  [
    'text as a video',
    VIDEO,
    bytes('text'),
    { filename: 'a.mp4' },
    '400 PARAM_ERROR 文件二进制内容不是视频，请检查后重新提交',
  ],
  ['another hash', MEDIA, PNG, wrongHash, '400 PARAM_ERROR 图片sha256值有误，请检查后重新提交'],
  ['an empty file', MEDIA, Buffer.alloc(0), {}, '400 PARAM_ERROR 文件为空，请检查后重新提交'],
  ['5 MB and a byte', MEDIA, bytes('\x89PNG', 5 * MB + 1), {}, '400 PARAM_ERROR 文件大小不能超过5M，请检查后重新提交'],
  [
    'a document of that size',
    MEDIA,
    bytes('%PDF', 7.5 * MB + 1),
    { filename: 'a.pdf' },
    '400 PARAM_ERROR 文件大小不能超过7.5M，请检查后重新提交',
  ],
  [
    'an image that is called a document',
    MEDIA,
    bytes('\x89PNG', 6 * MB),
    { filename: 'a.pdf' },
    '400 PARAM_ERROR 文件大小不能超过5M，请检查后重新提交',
  ],
  [
    'what is too long to be kept',
    VIDEO,
    bytes('RIFF', 9 * MB),
    { filename: 'a.avi' },
    '400 PARAM_ERROR 文件大小不能超过5M，请检查后重新提交',
  ],
  [
    'marketing: a wrong type',
    MARKETING,
    bytes('GIF89a'),
    {},
    '403 REQUEST_BLOCKED 文件二进制内容不是图片，请检查后重新提交',
  ],
  [
    'marketing: a wrong name',
    MARKETING,
    PNG,
    { filename: 'a.gif' },
    '403 REQUEST_BLOCKED 图片文件名称不正确，请检查后重新提交',
  ],
  ['marketing: a wrong meta', MARKETING, PNG, wrongHash, '403 REQUEST_BLOCKED 图片sha256值有误，请检查后重新提交'],
])('%s is refused', async (_, path, content, options, message) => {
  expect(await refusal(upload(path, content, options))).toBe(message);
});

test.each([
  ['an image of 5 MB', bytes('\x89PNG', 5 * MB), 'a.png'],
  ['a document of 7.5 MB', bytes('%PDF', 7.5 * MB), 'a.pdf'],
])('%s passes', async (_, content, filename) => {
  expect(await upload(MEDIA, content, { filename })).toHaveProperty('media_id');
});

test('requests keep the hashes and not the bytes', async () => {
  let seen: Buffer | undefined;
  const remove = sandbox.on('post', MEDIA, ({ files: [file] }) => {
    seen = file && bytesOf(file);
    return { media_id: 'M' };
  });
  await upload(MEDIA, PNG);
  remove();
  expect(seen).toEqual(PNG);
  const [file] = sandbox.requests.at(-1)?.files ?? [];
  expect(file).toMatchObject({ size: PNG.length });
  expect(file && bytesOf(file)).toBeUndefined();
});

test('an upload is still there after a start from the journal, and gone after a reset', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'media-'));
  const journal = join(directory, 'journal');
  const first = await Sandbox.start({ journal });
  const { media_id = '' } = await upload(COMPLAINT, PNG, { post: poster(first.config) });
  await first.close();
  const second = await Sandbox.start({ journal });
  try {
    const download = () => Builder.factory(second.config).chain(`v3/merchant-service/images/${media_id}`).get();
    expect(Buffer.from(await (await download()).arrayBuffer())).toEqual(PNG);
    second.reset();
    expect(await refusal(download())).toMatch(/^404 RESOURCE_NOT_EXISTS/);
  } finally {
    await second.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
