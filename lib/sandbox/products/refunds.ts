import { isDeepStrictEqual } from 'node:util';
import type { Response } from 'undici';
import type { ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { fault, paramError } from '../wire/response';
import { beijing, digits, fen, notifyUrl, optional, required } from './members';
import type { Orders } from './orders';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const REFUNDS = 'v3/refund/domestic/refunds';
const REFUND = 'v3/refund/domestic/refunds/{out_refund_no}';

/** A refund. */
interface Refund {
  readonly mchid: string;
  /** What it was asked for with. */
  readonly asked: unknown;
  readonly notify_url: string | undefined;
  /** As queries show it. */
  readonly shown: ResponseOf<typeof REFUND, 'get'>;
}

/** The task that ends a refund. */
const SUCCEED = 'refund.succeed';

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4012791883 */
export function refunds(context: ProductContext, orders: Orders): Product {
  const { store, clock, schedule, notifier } = context;
  const table = store.table<Refund>('refunds', { indexes: { transaction_id: ({ shown }) => shown.transaction_id } });

  function refunded(transaction_id: string): number {
    return table.by('transaction_id', transaction_id).reduce((sum, { shown }) => sum + shown.amount.refund, 0);
  }

  schedule.on(SUCCEED, (key) => {
    const refund = table.get(key);
    if (refund?.shown.status !== 'PROCESSING') return;
    const success_time = beijing(clock.now());
    const { mchid, notify_url, shown } = refund;
    table.put(key, { ...refund, shown: { ...shown, status: 'SUCCESS', success_time } });
    const { out_trade_no, transaction_id, out_refund_no, refund_id, user_received_account } = shown;
    const { total, refund: back, payer_total, payer_refund } = shown.amount;
    const content = {
      ...{ mchid, out_trade_no, transaction_id, out_refund_no, refund_id, user_received_account, success_time },
      refund_status: 'SUCCESS',
      amount: { total, refund: back, payer_total, payer_refund },
    };
    if (notify_url !== undefined)
      notifier.notify({ kind: 'merchant', id: mchid }, 'REFUND.SUCCESS', content, notify_url);
  });

  return {
    routes: [
      operation('post', REFUNDS, ({ mchid, json }) => {
        const { out_refund_no } = required(json, 'out_refund_no');
        const given = optional(json, 'transaction_id', 'out_trade_no', 'notify_url');
        if (!given.transaction_id && !given.out_trade_no) throw paramError('body', 'transaction_id', 'is missing');
        const before = table.get(keyOf(mchid, out_refund_no));
        if (before) {
          if (isDeepStrictEqual(before.asked, json)) return before.shown;
          throw invalid(`${out_refund_no} has asked for another refund.`);
        }
        const { amount } = json as { amount?: { currency?: unknown } };
        const [refund, total] = [fen(amount, 'refund'), fen(amount, 'total')];
        if (amount?.currency !== 'CNY') throw paramError('body', 'amount.currency', 'must be CNY', amount?.currency);

        const order =
          given.transaction_id === undefined
            ? orders.find(mchid, 'v3', given.out_trade_no ?? '')
            : orders.findPaid(mchid, given.transaction_id);
        if (!order) throw fault(404, 'RESOURCE_NOT_EXISTS', 'There is no such order.');
        const { out_trade_no, total: paid } = order;
        const transaction_id = order.payment?.transaction_id;
        if (transaction_id === undefined) throw invalid(`The order ${out_trade_no} has not been paid.`);
        if (total !== paid) throw invalid(`The order ${out_trade_no} is one of ${paid}, not of ${total}.`);
        const left = total - refunded(transaction_id);
        if (refund > left) throw invalid(`Of the order ${out_trade_no} ${left} can be refunded, not ${refund}.`);

        const shown = {
          ...{ refund_id: `5030${digits(25)}`, out_refund_no, transaction_id, out_trade_no },
          ...{ channel: 'ORIGINAL', user_received_account: '支付用户零钱', funds_account: 'AVAILABLE' },
          ...{ create_time: beijing(clock.now()), status: 'PROCESSING' as const },
          amount: {
            ...{ total, refund, payer_total: total, payer_refund: refund, settlement_total: total },
            ...{ settlement_refund: refund, discount_refund: 0, currency: 'CNY' },
          },
        };
        const notify_url = given.notify_url === undefined ? undefined : notifyUrl(given.notify_url);
        table.put(keyOf(mchid, out_refund_no), { mchid, asked: json, notify_url, shown });
        orders.change(order, { trade_state: 'REFUND' });
        schedule.at(clock.now() + 1000, SUCCEED, keyOf(mchid, out_refund_no));
        return shown;
      }),
      operation('get', REFUND, ({ mchid, variables: { out_refund_no = '' } }) => {
        const refund = table.get(keyOf(mchid, out_refund_no));
        if (!refund) throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no refund ${out_refund_no}.`);
        return refund.shown;
      }),
    ],
  };
}

function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}
