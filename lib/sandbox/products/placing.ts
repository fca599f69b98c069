import { createHash } from 'node:crypto';
import type { Response } from 'undici';
import { paramError, rule } from '../wire/param-error';
import { fault } from '../wire/response';
import { notifyUrl } from './members';
import { type Order, VALID_FOR } from './orders';

const MINUTE = 60_000;
const LATEST = 90 * 86_400_000;

/** A time as RFC 3339 writes it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Refuses a request whose body or query names another merchant than the one that signed it.
 * Neither status nor code are documented (?).
 * @param field of the body its pointer, of the query its name
 */
export function checkSigner(mchid: string | null | undefined, signer: string, field = '/mchid'): void {
  if (mchid === signer) return;
  const issue = `must be ${signer}, the merchant that signed the request`;
  const location = field.startsWith('/') ? 'body' : 'query';
  throw paramError(location, field, issue, mchid ?? '', 'http header中的mchid与post payload中的mchid不匹配');
}

/** Nobody is named who is to pay. */
export function noOpenid(field: string): Response {
  return paramError('body', field, 'is required but missing; add it', undefined, 'JSAPI支付必须传openid');
}

/** Refuses a merchant's number that has not 6 to 32 of the characters allowed. */
export function checkNumber(number: string, field = '/out_trade_no', label = '商户订单号'): void {
  const size = Buffer.byteLength(number);
  if (size < 6) throw rule.tooShort(field, label, number, 6);
  if (size > 32) throw rule.tooLong(field, label, number, 32);
  if (!/^[\w|*-]+$/.test(number)) throw rule.pattern(field, label, '^[0-9a-zA-Z_\\-|*]+$', number);
}

/** The member of an order that says where payments are notified: at most 255 bytes, and without a query. */
export function notifiedAt(url: string | undefined): { readonly notify_url?: string } {
  if (url === undefined) return {};
  if (Buffer.byteLength(url) > 255) throw rule.tooLong('/notify_url', '通知地址', url, 255);
  return { notify_url: notifyUrl(url) };
}

/**
 * When an order expires: at `time_expire`, but not earlier than in a minute, nor later than in 90 days.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012525167
 */
export function expiryOf(time_expire: string | undefined, now: number): number {
  if (time_expire === undefined) return now + VALID_FOR;
  const time = TIME.test(time_expire) ? Date.parse(time_expire) : Number.NaN;
  if (Number.isNaN(time)) {
    throw paramError('body', '/time_expire', 'must be a time such as 2018-06-08T10:34:56+08:00', time_expire);
  }
  return Math.min(Math.max(time, now + MINUTE), now + LATEST);
}

/**
 * What a repeated request is told by: the hash of its body, whatever the order of the members. What is encrypted differs
 * each time, and does not count.
 * @param ignored members that do not count either, wherever they are
 */
export function fingerprint(json: object, ...ignored: string[]): string {
  const text = JSON.stringify(json, (name, value) => {
    if (name === 'identity' || ignored.includes(name)) return undefined;
    return isPlain(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  });
  return createHash('sha256').update(text).digest('base64url');
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a request repeats the one that placed an order. */
export function isRepeated(order: Pick<Order, 'placed' | 'trade_type'>, placed: string, trade_type: string): boolean {
  return order.trade_type === trade_type && order.placed === placed;
}

/** The request repeats a number, with other parameters. */
export function otherParameters(): Response {
  return fault(400, 'INVALID_REQUEST', '请求重入时，参数与首次请求时不一致');
}

/** Refuses to place an order whose number was used up by an earlier one. */
export function refuseSettled(order: Order, now: number): void {
  const { trade_state, expires } = order;
  if (trade_state === 'CLOSED') throw fault(400, 'ORDER_CLOSED', expires <= now ? '该订单已失效' : '订单已关闭');
  if (trade_state === 'REVOKED') throw reversed();
  if (order.payment) throw fault(400, 'ORDER_PAID', '该订单已支付');
}

/** Refuses to close an order that cannot be closed; says whether there is anything to close. */
export function isToClose(order: Order): boolean {
  const { trade_state, trade_type, payment } = order;
  if (trade_state === 'CLOSED') return false;
  if (trade_state === 'REVOKED') throw reversed();
  if (payment) throw fault(400, 'ORDER_PAID', '订单已支付');
  if (trade_type !== 'MICROPAY') return true;
  throw fault(400, 'INVALID_REQUEST', '当前交易不允许进行普通关单（只能撤销）');
}

function reversed(): Response {
  return fault(400, 'ORDER_REVERSED', '订单已撤销');
}
