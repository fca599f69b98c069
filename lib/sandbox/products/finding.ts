import type { Response } from 'undici';
import { fault } from '../wire/response';
import type { Order, Orders } from './orders';
import { isPartnerOrder, type PartnerOrder } from './transaction';

/** There is no such order. */
export function noOrder(): Response {
  return fault(404, 'ORDER_NOT_EXIST', '订单不存在');
}

/** The APIv3 order with a merchant's number; parts of a combined order are not found. */
export function byNumber(orders: Orders, mchid: string, out_trade_no = ''): Order | undefined {
  const order = orders.find(mchid, 'v3', out_trade_no);
  return order?.combine_out_trade_no === undefined ? order : undefined;
}

/** The APIv3 order with WeChat Pay's number. @throws if there is none, or it is another merchant's */
export function byId(orders: Orders, mchid: string, transaction_id = ''): Order {
  if (!/^\d{28,32}$/.test(transaction_id)) throw fault(500, 'INVALID_TRANSACTIONID', '订单号非法');
  const [order] = orders.table.by('transaction_id', transaction_id);
  if (order?.protocol !== 'v3' || order.combine_out_trade_no !== undefined) throw noOrder();
  if (order.mchid !== mchid) throw mismatch();
  return order;
}

/** An order that a merchant has placed for itself. */
export function ownOrder(order: Order): Order {
  if (order.partner) throw mismatch();
  return order;
}

/** An order that a partner has placed for that merchant. */
export function subOrder(order: Order, sub_mchid: string | null): PartnerOrder {
  if (isPartnerOrder(order) && order.partner.sub_mchid === sub_mchid) return order;
  throw fault(400, 'INVALID_REQUEST', '子商户号和订单信息不匹配');
}

function mismatch(): Response {
  return fault(400, 'INVALID_REQUEST', '商户号和订单不匹配');
}
