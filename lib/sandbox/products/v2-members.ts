import type { Paths } from '../../openapi/generated/paths';
import type { ResponseOf, VerbOf } from '../../openapi/operation';
import type { SandboxRequest } from '../wire/request';
import { beijing } from './members';
import type { Order, Orders } from './orders';
import type { ProductRoute } from './product';

/** The fields of a v2 request. */
export type Fields = Readonly<Record<string, string>>;

type XmlPath = Extract<keyof Paths, `v2/${string}`>;

/** What the protocol writes into every response. */
type Written = 'return_code' | 'return_msg' | 'result_code' | 'appid' | 'mch_id' | 'nonce_str' | 'sign';

/**
 * The fields that a response has of its own. The documentation requires what a paid order has, and says in its text that
 * the other states have less.
 */
export type OwnFields<Path extends XmlPath> = Partial<Omit<ResponseOf<Path, Extract<VerbOf<Path>, 'post'>>, Written>>;

/** What the sandbox does by itself for a v2 operation. */
export function xmlOperation<Path extends XmlPath>(
  path: Path,
  handler: (request: SandboxRequest) => OwnFields<Path>,
): ProductRoute {
  return ['post', path, handler];
}

/** A protocol failure: it says what is wrong with the request, and is not signed. */
export function refusal(return_msg: string): { readonly return_code: 'FAIL'; readonly return_msg: string } {
  return { return_code: 'FAIL', return_msg };
}

/** The order of v2 that a request is about: `transaction_id` wins. Those of another sub-merchant are not seen. */
export function orderOf(orders: Orders, mchid: string, fields: Fields): Order | undefined {
  const { transaction_id, out_trade_no = '', sub_mch_id } = fields;
  const order = transaction_id ? orders.findPaid(mchid, transaction_id) : orders.find(mchid, 'v2', out_trade_no);
  // A merchant that acts for itself leaves it out, or empty.
  if (order?.protocol !== 'v2' || order.partner?.sub_mchid !== (sub_mch_id || undefined)) return undefined;
  return order;
}

/** Whether a text may be a number of WeChat Pay's; those of the sandbox have 28 digits. */
export function isTransactionId(text: string): boolean {
  return /^\d{28,32}$/.test(text);
}

/** The fields that an order was placed with. */
export function placedWith(order: Order): Fields {
  // v2 orders are placed only by v2 products.
  return order.placed as Fields;
}

/** Who a request acts for: `sub_appid` and `sub_openid` are there only if a partner gives them. */
export function partnerOf({ sub_mch_id, sub_appid, sub_openid }: Fields): Pick<Order, 'partner'> {
  if (!sub_mch_id) return {};
  const given = { ...(sub_appid && { sub_appid }), ...(sub_openid && { sub_openid }) };
  return { partner: { sub_mchid: sub_mch_id, ...given } };
}

/** An amount of a request in fen: 1 or more. The message of the refusal is not documented (?). */
export function feeOf(fields: Fields, name: string): number {
  const fee = fields[name] ?? '';
  if (/^\d{1,12}$/.test(fee) && Number(fee) > 0) return Number(fee);
  throw refusal(`invalid ${name}`);
}

/** A time as v2 writes it, without anything between the digits: `20141030133525`. */
export function digitsOf(time: number): string {
  return beijing(time).slice(0, 19).replace(/\D/g, '');
}

/** A time as v2 refunds have it: `2016-07-25 15:26:26`. */
export function spaced(time: number): string {
  return beijing(time).slice(0, 19).replace('T', ' ');
}

/** A time such as `20141030133525`; `undefined` if invalid. */
export function timeOf(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * What does not count when a request is repeated. Of the times developers report both (?): clients that write the time of
 * the attempt pass, and the first `time_expire` stays in force.
 */
const CHANGING: ReadonlySet<string> = new Set(['nonce_str', 'sign', 'sign_type', 'time_start', 'time_expire']);

/** Whether two requests say the same. @param ignored what may differ besides */
export function isSame(one: Fields, other: Fields, ignored?: string): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every(
    (name) => CHANGING.has(name) || name === ignored || (one[name] ?? '') === (other[name] ?? ''),
  );
}
