import { toObject } from '../format/transformer';
import type { SignedDispatchOptions } from './dispatch-options';

/**
 * Names of the numbers by which a merchant marks a request: a second one with the same number is taken for the same,
 * and WeChat Pay asks for just that after `SYSTEM_ERROR`.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709
 */
const REQUEST_NUMBERS: ReadonlySet<string> = new Set([
  'out_trade_no',
  'combine_out_trade_no',
  'out_refund_no',
  'out_order_no',
  'out_return_no',
  'out_request_no',
  'out_bill_no',
  'out_batch_no',
  'out_apply_no',
  'out_recharge_no',
  'out_subsidy_no',
  'out_subsidy_return_no',
  'out_serial_number',
  'out_transfer_no',
  'out_authorization_no',
  'partner_trade_no',
  'mch_billno',
  'send_request_no',
  'use_request_no',
  'return_request_no',
  'deactivate_request_no',
  'upload_request_no',
]);

/** Whether a request can be sent again without a second effect: a GET, or one that has a number of its own. */
export function isIdempotent({ method, body }: Pick<SignedDispatchOptions, 'method' | 'body'>): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  if (typeof body !== 'string') return false;
  return Object.entries(fieldsOf(body)).some(([name, value]) => REQUEST_NUMBERS.has(name) && isNumber(value));
}

function isNumber(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function fieldsOf(body: string): object {
  try {
    return Object(body.startsWith('<') ? toObject(body) : JSON.parse(body)) as object;
  } catch {
    return {};
  }
}
