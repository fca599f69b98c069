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

/** The fields of an answer of v2 that says what is wrong. */
export interface V2Fault {
  readonly return_code: 'SUCCESS';
  readonly result_code: 'FAIL';
  readonly err_code: string;
  readonly err_code_des: string;
}

/**
 * An answer of v2 that was understood but not carried out, to be returned or thrown by a handler of the simulator; it is
 * signed.
 * @param err_code WeChat Pay's code, such as `ORDERNOTEXIST`
 * @param err_code_des what is wrong, for the reader of the log
 * @example simulator.on('post', 'v2/pay/orderquery', () => v2Fault('ORDERNOTEXIST', '此交易订单号不存在'));
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_1
 */
export function v2Fault(err_code: string, err_code_des: string): V2Fault {
  return { return_code: 'SUCCESS', result_code: 'FAIL', err_code, err_code_des };
}

/** A `PARAM_ERROR`: a member of the body, a header or a part of the query is missing or is not what it should be. */
export function paramError(
  location: 'body' | 'header' | 'query',
  field: string,
  issue: string,
  value?: unknown,
): Response {
  return fault(400, 'PARAM_ERROR', `${field}: ${issue}`, { field, value, issue, location });
}
