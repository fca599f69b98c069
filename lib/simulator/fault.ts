import { Response } from 'undici';

/**
 * An answer of WeChat Pay's error shape, to be returned or thrown by a handler of the simulator.
 * @param status HTTP status, such as 404
 * @param code WeChat Pay's code, such as `RESOURCE_NOT_EXISTS`
 * @param message what is wrong, for the reader of the log
 * @param detail what the error is about, left out of the answer where there is none
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709
 */
export function fault(status: number, code: string, message: string, detail?: unknown): Response {
  return Response.json({ code, message, detail }, { status });
}

/** A `PARAM_ERROR`: a member of the body or a header is missing or is not what it should be. */
export function paramError(location: 'body' | 'header', field: string, issue: string, value?: unknown): Response {
  return fault(400, 'PARAM_ERROR', `${field}: ${issue}`, { field, value, issue, location });
}
