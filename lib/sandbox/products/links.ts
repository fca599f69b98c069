import { randomInt } from 'node:crypto';
import { nonce } from '../../signature/formatter';
import { beijing, digits } from './members';
import type { Order } from './orders';

/** What opens a payment in a front end. */
export type Links = Pick<Order, 'prepay_id' | 'code_url' | 'h5_url' | 'prepaid'>;

/** New links to an order; earlier ones become invalid. */
export function linksTo(trade_type: Order['trade_type'], now: number, isCombined = false): Links & { prepaid: number } {
  const prepay_id = `${isCombined ? 'up_' : ''}${prepayId(now)}`;
  const given = { prepay_id, prepaid: now };
  if (trade_type === 'NATIVE') return { ...given, code_url: `weixin://wxpay/bizpayurl?pr=${nonce(9)}` };
  if (trade_type === 'MWEB') return { ...given, h5_url: h5Url(prepay_id) };
  return given;
}

/** Where the cashier of an H5 order is. */
export function h5Url(prepay_id: string): string {
  return `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${prepay_id}&package=${randomInt(1e9, 4e9)}`;
}

/** 36 characters: `wx`, day and time, 6 digits, 18 hexadecimal ones, `00`. */
function prepayId(now: number): string {
  const hex = Array.from({ length: 18 }, () => randomInt(16).toString(16)).join('');
  return `wx${beijing(now).replace(/\D/g, '').slice(6, 14)}${digits(6)}${hex}00`;
}
