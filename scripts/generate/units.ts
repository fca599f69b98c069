import type { Field } from './catalogue';

/** Amounts by the name of the field; `_$n` of indexed names in v2 is left out. */
const AMOUNT =
  /(^|_)(amount|amt|fee|price|total|refund|contribute|fine)$|(^|_)(amount|price|fee)_(minimum|max|limit|by_day|max_per_day|per_day)$|^(transaction_minimum|coupon_value|threshold|advance|duty)$/;

/** What a field of such a name is where its label says so: a number of things, a rate, another currency. */
const OTHER = /数|笔|次|个|张|率|比|外币|币种/;

/**
 * Whether a field is an amount in fen (分): the catalogue gives no units, but every amount in CNY is a number of fen.
 * @param foreign it belongs to an operation abroad, whose amounts are in the smallest unit of their own currency
 */
export function isFen({ name, type, label = '' }: Field, foreign: boolean): boolean {
  if (foreign || (type !== 'integer' && type !== 'number')) return false;
  const bare = name.replace(/_\$\w/g, '');
  return AMOUNT.test(bare) && bare !== 'foreign_amount' && !OTHER.test(label);
}
