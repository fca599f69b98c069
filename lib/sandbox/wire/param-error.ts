import type { Response } from 'undici';
import { fault } from './response';

/** Where in a request something is wrong. */
export type Location = 'body' | 'query' | 'path' | 'header';

/**
 * What WeChat Pay's gateway says of a request that breaks the schema; it stands first in the message of a `PARAM_ERROR`.
 * A source is `/body/out_trade_no`, of v2 `/body/xml/out_trade_no`, of path and query `/uri_template/mchid`; a label is
 * WeChat Pay's own name of the field. Nobody has posted what is said of a value that is none of an enum.
 */
export const GATEWAY = {
  unknown: '请求中含有未在API文档中定义的参数',
  required: (source: string, label: string) =>
    `输入源“${source}”映射到字段“${label}”必填性规则校验失败，此字段为必填项`,
  type: (source: string, label: string, type: string) =>
    `无法将${source.startsWith('/body/xml/') ? '' : ' JSON '}输入源“${source}”映射到目标字段“${label}”中，此字段需要一个合法的${TYPES[type] ?? '值'}`,
  tooLong: (source: string, label: string, bytes: number, limit: number) =>
    `${text(source, label)}，字节数 ${bytes}，大于最大值 ${limit}`,
  tooShort: (source: string, label: string, bytes: number, limit: number) =>
    `${text(source, label)}，字节数 ${bytes}，小于最小值 ${limit}`,
  pattern: (source: string, label: string, pattern: string) =>
    `${text(source, label)}，字符串必须匹配正则表达式“${pattern}”`,
};

/** Only the integer is documented by what developers posted; the others are made like it. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ integer: ' 64 位有符号整数', number: '数字', string: '字符串', boolean: '布尔值', object: '对象' },
};

function text(source: string, label: string): string {
  return `输入源“${source}”映射到值字段“${label}”字符串规则校验失败`;
}

/**
 * What is wrong with a part of a request, for the reader of the log.
 * @param field of a body its JSON pointer, empty for the whole; otherwise its name
 * @param issue such as `is required but missing; add it`
 */
export function sentence(location: Location, field: string, issue: string): string {
  return `${field === '' ? `The ${location}` : `"${field}" in the ${location}`} ${issue}.`;
}

/**
 * A `PARAM_ERROR`: a member of the body, a header or a part of the query is missing or is not what it should be.
 * @param said WeChat Pay's own words for it, where it is known to have some
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709
 */
export function paramError(location: Location, field: string, issue: string, value?: unknown, said?: string): Response {
  const told = sentence(location, field, issue);
  const detail = { field, value, issue, location };
  return fault(400, 'PARAM_ERROR', said === undefined ? told : `${said}: ${told}`, detail);
}

/** Refusals by rules that the reference states in words only, and not in its tables; each is given a pointer in the body. */
export const rule = {
  required: (field: string, label: string): Response =>
    paramError('body', field, 'is required but missing; add it', undefined, GATEWAY.required(`/body${field}`, label)),
  tooLong: (field: string, label: string, value: string, limit: number): Response => {
    const bytes = Buffer.byteLength(value);
    const issue = `must have at most ${limit} bytes in UTF-8, not ${bytes}; shorten it`;
    return paramError('body', field, issue, value, GATEWAY.tooLong(`/body${field}`, label, bytes, limit));
  },
  tooShort: (field: string, label: string, value: string, limit: number): Response => {
    const bytes = Buffer.byteLength(value);
    const issue = `must have at least ${limit} bytes in UTF-8, not ${bytes}`;
    return paramError('body', field, issue, value, GATEWAY.tooShort(`/body${field}`, label, bytes, limit));
  },
  pattern: (field: string, label: string, pattern: string, value: string): Response =>
    paramError('body', field, `must match ${pattern}`, value, GATEWAY.pattern(`/body${field}`, label, pattern)),
};
