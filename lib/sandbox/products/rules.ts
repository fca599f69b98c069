import type { Response } from 'undici';
import { fault } from '../wire/response';

/**
 * The messages of the gateway that validates requests, for rules that the reference has only in words.
 * @param pointer such as `/body/out_bill_no`
 */
export const rule = {
  required: (pointer: string, label: string): Response =>
    parameter(`输入源“${pointer}”映射到字段“${label}”必填性规则校验失败，此字段为必填项`, ''),
  tooLong: (pointer: string, label: string, bytes: number, limit: number): Response =>
    parameter(
      `输入源“${pointer}”映射到值字段“${label}”字符串规则校验失败，字节数 ${bytes}，大于最大值 ${limit}`,
      bytes,
    ),
  pattern: (pointer: string, label: string, pattern: string, value: string): Response =>
    parameter(
      `输入源“${pointer}”映射到值字段“${label}”字符串规则校验失败，字符串必须匹配正则表达式“${pattern}”`,
      value,
    ),
};

function parameter(message: string, value: unknown): Response {
  return fault(400, 'PARAM_ERROR', message, { location: 'body', value });
}
