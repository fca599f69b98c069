import type { RequestOf } from '../../openapi/operation';
import { paramError, rule } from '../wire/param-error';
import { notifyUrl } from './members';

type BatchAsked = RequestOf<'v3/transfer/batches', 'post'>['json'];

/** How many transfers a batch has at most, by the older pages; newer ones allow 1,000. */
const MAX_DETAILS = 3000;

/** From this amount on the name of the receiver is required, in fen. */
const NAME_FROM = 200_000;

/** Below this amount the name is not allowed, in fen. Unverified; a correct client leaves it out there. */
const NO_NAME_BELOW = 30;

/** Refuses a number of the merchant's that is not of 1 to 32 digits and letters. */
export function checkNumber(field: string, label: string, value: string): void {
  if (Buffer.byteLength(value) > 32) throw rule.tooLong(field, label, value, 32);
  if (!/^[0-9A-Za-z]+$/.test(value)) throw rule.pattern(field, label, '^[0-9A-Za-z]+$', value);
}

/** Refuses a remark of more than 32 characters. */
export function checkRemark(field: string, value: string): void {
  if ([...value].length > 32) throw paramError('body', field, 'must have 32 characters at most', value);
}

/** Refuses a transfer with a name where none is allowed, and one without where it is required. */
export function checkName(field: string, amount: number, name: string | undefined): void {
  if (amount >= NAME_FROM && name === undefined) throw rule.required(field, '收款用户姓名');
  if (amount < NO_NAME_BELOW && name !== undefined) {
    throw paramError('body', field, 'is not allowed for a transfer of less than 0.30 yuan: leave it out');
  }
}

/** Refuses a batch of transfers that the rules of the product do not allow. */
export function checkBatch(asked: BatchAsked): void {
  const { out_batch_no, transfer_detail_list: list, total_amount, total_num, notify_url } = asked;
  checkNumber('/out_batch_no', '商家批次单号', out_batch_no);
  if (notify_url !== undefined) notifyUrl(notify_url);
  if (list.length === 0 || list.length > MAX_DETAILS) {
    throw paramError('body', '/transfer_detail_list', `must have 1 to ${MAX_DETAILS} entries`, list.length);
  }
  const numbers = new Set<string>();
  for (const [i, { out_detail_no, transfer_amount, transfer_remark, user_name }] of list.entries()) {
    const above = `/transfer_detail_list/${i}`;
    checkNumber(`${above}/out_detail_no`, '商家明细单号', out_detail_no);
    if (numbers.has(out_detail_no)) {
      throw paramError('body', `${above}/out_detail_no`, 'is that of an earlier entry', out_detail_no);
    }
    numbers.add(out_detail_no);
    if (!(transfer_amount >= 1))
      throw paramError('body', `${above}/transfer_amount`, 'must be 1 or more', transfer_amount);
    checkRemark(`${above}/transfer_remark`, transfer_remark);
    checkName(`${above}/user_name`, transfer_amount, user_name);
  }
  if (total_num !== list.length) throw paramError('body', '/total_num', `must be ${list.length}`, total_num);
  const sum = list.reduce((total, { transfer_amount }) => total + transfer_amount, 0);
  if (total_amount !== sum) {
    throw paramError('body', '/total_amount', `must be ${sum}, the sum of all amounts`, total_amount);
  }
}
