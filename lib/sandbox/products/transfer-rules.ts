import { fault } from '../wire/response';
import { rule } from './rules';

/** From this amount on the name of the receiver is required, in fen. */
const NAME_FROM = 200_000;

/** Below this amount the name is not allowed, in fen. Unverified; a correct client leaves it out there. */
const NO_NAME_BELOW = 30;

/** Refuses a number of the merchant's that is not of 1 to 32 digits and letters. */
export function checkNumber(pointer: string, label: string, value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > 32) throw rule.tooLong(pointer, label, bytes, 32);
  if (!/^[0-9A-Za-z]+$/.test(value)) throw rule.pattern(pointer, label, '^[0-9A-Za-z]+$', value);
}

/** Refuses a remark of more than 32 characters. */
export function checkRemark(pointer: string, value: string): void {
  if ([...value].length <= 32) return;
  throw fault(400, 'PARAM_ERROR', `${pointer} must have 32 characters at most.`, { location: 'body', value });
}

/** Refuses a transfer with a name where none is allowed, and one without where it is required. */
export function checkName(pointer: string, amount: number, name: string | undefined): void {
  if (amount >= NAME_FROM && name === undefined) throw rule.required(pointer, '收款用户姓名');
  if (amount < NO_NAME_BELOW && name !== undefined) {
    const message = `${pointer} is not allowed for a transfer of less than 0.30 yuan: leave it out.`;
    throw fault(400, 'PARAM_ERROR', message, { location: 'body', value: '' });
  }
}
