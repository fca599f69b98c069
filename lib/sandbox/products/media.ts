import { randomBytes } from 'node:crypto';
import { Response } from 'undici';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { bytesOf } from '../wire/form';
import type { SandboxRequest } from '../wire/request';
import { fault } from '../wire/response';
import type { Product, ProductContext, ProductRoute } from './product';

/** A file that was uploaded. */
interface Medium {
  readonly media_id: string;
  readonly type: string;
  readonly base64: string;
}

/** What files can be: their names and their first bytes. */
interface Format {
  readonly extensions: readonly string[];
  readonly type: string;
  /** In Latin 1; the dots stand for any byte. */
  readonly begins: RegExp;
  /** Greatest size in bytes. */
  readonly limit: number;
}

/** What uploads take, and how they refuse the rest. */
interface Rules {
  readonly formats: readonly Format[];
  /** What messages call the file. */
  readonly label: '图片' | '视频';
  readonly status: 400 | 403;
  readonly code: 'PARAM_ERROR' | 'REQUEST_BLOCKED';
}

const MB = 1024 * 1024;

/** Some pages still say 2 MB (?): what the greater limit allows is not refused. */
const IMAGES: readonly Format[] = [
  { extensions: ['jpg', 'jpeg'], type: 'image/jpeg', begins: /^\xff\xd8\xff/, limit: 5 * MB },
  { extensions: ['png'], type: 'image/png', begins: /^\x89PNG/, limit: 5 * MB },
  { extensions: ['bmp'], type: 'image/bmp', begins: /^BM/, limit: 5 * MB },
];
const PDF: Format = { extensions: ['pdf'], type: 'application/pdf', begins: /^%PDF/, limit: 7.5 * MB };

const VIDEOS: readonly Format[] = [
  { extensions: ['avi'], type: 'video/x-msvideo', begins: /^RIFF.{4}AVI/s, limit: 5 * MB },
  { extensions: ['wmv'], type: 'video/x-ms-wmv', begins: /^\x30\x26\xb2\x75/, limit: 5 * MB },
  { extensions: ['mpeg'], type: 'video/mpeg', begins: /^(?:..[^ -\xff][\xb0-\xbf]|G)/s, limit: 5 * MB },
  {
    extensions: ['mp4', 'mov', 'm4v', 'f4v'],
    type: 'video/mp4',
    begins: /^.{4}(?:ftyp|moov|mdat|wide|free|skip)/s,
    limit: 5 * MB,
  },
  { extensions: ['mkv'], type: 'video/x-matroska', begins: /^.\x45\xdf\xa3/s, limit: 5 * MB },
  { extensions: ['flv', 'f4v'], type: 'video/x-flv', begins: /^FLV/, limit: 5 * MB },
  { extensions: ['rmvb'], type: 'application/vnd.rn-realmedia-vbr', begins: /^\.RMF/, limit: 5 * MB },
];

const IMAGE: Rules = { formats: IMAGES, label: '图片', status: 400, code: 'PARAM_ERROR' };
const DOCUMENT: Rules = { ...IMAGE, formats: [...IMAGES, PDF] };
const VIDEO: Rules = { ...IMAGE, formats: VIDEOS, label: '视频' };
const MARKETING: Rules = { ...IMAGE, status: 403, code: 'REQUEST_BLOCKED' };

/** Uploads, which can be fetched again. @see https://pay.weixin.qq.com/doc/v3/partner/4012760432 */
export function media({ store, baseUrl }: ProductContext): Product & { readonly rows: readonly ProductRoute[] } {
  const table = store.table<Medium>('media', { indexes: { media_id: ({ media_id }) => media_id } });

  /** Keeps the file of an upload; returns its id. @throws the response that refuses it */
  function keep({ mchid, json, files }: SandboxRequest, rules: Rules): string {
    const { type, bytes } = check(String(Object(json).filename ?? ''), files, rules);
    const media_id = randomBytes(45).toString('base64url');
    table.put(keyOf(mchid, media_id), { media_id, type, base64: bytes.toString('base64') });
    return media_id;
  }

  const urlOf = (media_id: string): string => `${baseUrl}sandbox/media/${media_id}`;

  function show(medium: Medium | undefined): Response {
    if (!medium)
      throw fault(404, 'RESOURCE_NOT_EXISTS', 'There is no such file; it may be another merchant that has it.');
    return new Response(Buffer.from(medium.base64, 'base64'), { headers: { 'content-type': medium.type } });
  }

  return {
    routes: [
      operation('post', 'v3/merchant/media/upload', (request) => ({ media_id: keep(request, DOCUMENT) })),
      operation('post', 'v3/merchant/media/video_upload', (request) => ({ media_id: keep(request, VIDEO) })),
      operation('post', 'v3/merchant-service/images/upload', (request) => ({ media_id: keep(request, IMAGE) })),
      [
        'get',
        'v3/merchant-service/images/{media_id}',
        ({ mchid, variables: { media_id = '' } }) => show(table.get(keyOf(mchid, media_id))),
      ],
      operation('post', 'v3/marketing/favor/media/image-upload', (request) => ({
        media_url: urlOf(keep(request, MARKETING)),
      })),
      operation('post', 'v3/marketing/partner/product-coupon/media/upload-image', (request) => ({
        image_url: urlOf(keep(request, IMAGE)),
      })),
      operation('post', 'brand/marketing/product-coupon/media/upload-image', (request) => ({
        image_url: urlOf(keep(request, IMAGE)),
      })),
      operation('post', 'brand/card-member/media/image-upload', (request) => ({
        media_url: urlOf(keep(request, IMAGE)),
      })),
    ],
    /** What the URLs of files lead to: they are public, as those of WeChat Pay are. */
    rows: [
      [
        'get',
        'sandbox/media/{media_id}',
        ({ variables: { media_id = '' } }) => show(table.by('media_id', media_id)[0]),
      ],
    ],
  };
}

/** Looks at a file as WeChat Pay does. @throws the response that refuses it */
function check(filename: string, files: SandboxRequest['files'], { formats, label, status, code }: Rules) {
  const refuse = (message: string): Response => fault(status, code, `${message}，请检查后重新提交`);
  const extension = /\.(\w+)$/.exec(filename)?.[1]?.toLowerCase() ?? '';
  const named = formats.filter(({ extensions }) => extensions.includes(extension));
  const [file] = files;
  const limit = Math.max(...named.map((format) => format.limit));
  if (named.length === 0) throw refuse(`${label}文件名称不正确`);
  if (!file || file.size === 0) throw refuse('文件为空');
  if (file.size > limit) throw refuse(`文件大小不能超过${limit / MB}M`);
  const bytes = bytesOf(file);
  const beginning = bytes?.toString('latin1', 0, 16) ?? '';
  // A name that says JPEG with the bytes of a PNG is common, and passes.
  const found = formats.find(({ begins }) => begins.test(beginning));
  if (!bytes || !found) throw refuse(`文件二进制内容不是${label}`);
  if (file.size > found.limit) throw refuse(`文件大小不能超过${found.limit / MB}M`);
  return { type: found.type, bytes };
}
