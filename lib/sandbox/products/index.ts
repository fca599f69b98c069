import { certificates } from './certificates';
import { codePayments } from './codepay';
import { combinedPayments } from './combine';
import { businessCoupons } from './coupons';
import { createOrders, type Orders } from './orders';
import { createPayer } from './payer';
import { payments } from './payments';
import type { Product, ProductContext } from './product';
import { profitSharing } from './profit-sharing';
import { refunds } from './refunds';
import { transferBatches } from './transfer-batches';
import { transfers } from './transfers';
import { v2CodePayments } from './v2-micropay';
import { v2Payments } from './v2-payments';
import { type V2Refunds, v2Refunds } from './v2-refunds';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly payer: ReturnType<typeof createPayer>;
  readonly v2Refunds: V2Refunds;
  readonly coupons: ReturnType<typeof businessCoupons>;
  readonly transfers: ReturnType<typeof transfers>;
  readonly transferBatches: ReturnType<typeof transferBatches>;
  readonly profitSharing: ReturnType<typeof profitSharing>;
}

export function createProducts(context: ProductContext): Products {
  const orders = createOrders(context);
  const combined = combinedPayments(context, orders);
  const payer = createPayer(context, orders, combined);
  const xmlRefunds = v2Refunds(context, orders);
  const coupons = businessCoupons(context);
  const bills = transfers(context);
  const batches = transferBatches(context);
  const sharing = profitSharing(context, orders);
  return {
    all: [
      certificates(context),
      coupons,
      payments(context, orders),
      codePayments(context, orders),
      combined,
      payer.product,
      refunds(context, orders),
      v2Payments(context, orders),
      v2CodePayments(context, orders),
      xmlRefunds,
      bills,
      batches,
      sharing,
    ],
    orders,
    payer,
    v2Refunds: xmlRefunds,
    coupons,
    transfers: bills,
    transferBatches: batches,
    profitSharing: sharing,
  };
}
