import { keyOf } from '../store';
import { beijing, digits } from './members';
import type { Order, Orders, PaidOrder } from './orders';
import type { ProductContext } from './product';

/** A movement of a merchant's money, as the fund flow bill shows it. */
export interface Movement {
  /** WeChat Pay's number of the payment or the refund. */
  readonly number: string;
  /** 业务名称. */
  readonly name: '交易' | '退款' | '分账' | '企业付款' | '代金券/立减/折扣' | '充值/提现';
  /** 业务类型. */
  readonly type: string;
  /** In fen: positive for income, negative for expenses. */
  readonly amount: number;
  /** 备注. */
  readonly note?: string;
  /** 业务凭证号. */
  readonly voucher: string;
}

/** A movement that was booked. */
export interface Entry extends Movement {
  /** Whose money it is: the merchant, or the merchant that a partner acts for. */
  readonly mchid: string;
  readonly sub_mchid?: string | undefined;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly time: number;
  /** 资金流水单号. */
  readonly serial: string;
  /** The balance of the account afterwards, in fen. */
  readonly balance: number;
}

/** Whose account it is. */
type Owner = Pick<Entry, 'mchid' | 'sub_mchid'>;

/** The rate of the fee on payments, as bills write it. */
export const RATE = '0.60%';

/** The fee on an amount, rounded to the fen, as in samples of bills: `0.00000` for one fen. */
export function feeOf(amount: number): number {
  return Math.round(amount * 0.006);
}

/**
 * The money of all merchants: what came in and went out, by day. A merchant begins with nothing.
 *
 * Payments are booked by themselves; everything else that moves money is booked here.
 */
export function createLedger({ store, clock }: ProductContext, orders: Orders) {
  const entries = store.table<Entry>('ledger', {
    indexes: { day: ({ mchid, sub_mchid, time }) => dayKey({ mchid, sub_mchid }, beijing(time).slice(0, 10)) },
  });
  const balances = store.table<{ readonly balance: number }>('balances');

  /** Books movements in an account; those of 0 are omitted. */
  function book({ mchid, sub_mchid }: Owner, ...movements: Movement[]): void {
    const account = keyOf(mchid, sub_mchid ?? '');
    const time = clock.now();
    for (const movement of movements) {
      if (movement.amount === 0) continue;
      const balance = (balances.get(account)?.balance ?? 0) + movement.amount;
      const serial = `${sub_mchid ?? mchid}${beijing(time).slice(0, 10).replaceAll('-', '')}${digits(10)}`;
      entries.put(keyOf(mchid, serial), { mchid, sub_mchid, time, serial, balance, ...movement });
      balances.put(account, { balance });
    }
  }

  orders.onPaid((order) => {
    book(ownerOf(order), ...movementsOf(order));
    return undefined;
  });

  return {
    book,
    /** The movements of an account on a day in Beijing, such as `2026-11-24`, in order. */
    on: (owner: Owner, day: string): Entry[] => entries.by('day', dayKey(owner, day)),
  };
}

export type Ledger = ReturnType<typeof createLedger>;

/** Who receives the money of an order. */
export function ownerOf({ mchid, partner }: Pick<PaidOrder, 'mchid' | 'partner'>): Owner {
  return { mchid, sub_mchid: partner?.sub_mchid };
}

function movementsOf({ total, payment: { transaction_id } }: PaidOrder): Movement[] {
  const common = { number: transaction_id, name: '交易', voucher: transaction_id } as const;
  return [
    { ...common, type: '交易', amount: total },
    { ...common, type: '扣除交易手续费', amount: -feeOf(total) },
  ];
}

/** The movements of a refund and, reversed, of a closed one. */
export function refundMovements(
  refund: {
    readonly refund_id: string;
    readonly transaction_id: string;
    readonly refund: number;
    readonly fee: number;
    readonly reason?: string | undefined;
  },
  isClosed: boolean,
): Movement[] {
  const { refund_id, transaction_id, refund: amount, fee, reason = '' } = refund;
  const common = { number: refund_id, name: '退款', note: reason, voucher: `REF${transaction_id}` } as const;
  return isClosed
    ? [
        { ...common, type: '退款关闭', amount },
        { ...common, type: '扣除交易手续费', amount: -fee },
      ]
    : [
        { ...common, type: '退款', amount: -amount },
        { ...common, type: '退还交易手续费', amount: fee },
      ];
}

/** What the reversal of an order moves: nothing where it was not paid, or is refunded already. */
export function reversalMovements({ total, trade_state, payment }: Order): Movement[] {
  if (!payment || trade_state !== 'SUCCESS') return [];
  const { transaction_id } = payment;
  return refundMovements({ refund_id: transaction_id, transaction_id, refund: total, fee: feeOf(total) }, false);
}

function dayKey({ mchid, sub_mchid = '' }: Owner, day: string): string {
  return `${mchid}/${sub_mchid}/${day}`;
}
