import { bills } from './bills';
import { certificates } from './certificates';
import { codePayments } from './codepay';
import { combinedPayments } from './combine';
import { businessCoupons } from './coupons';
import { createLedger } from './ledger';
import { createOrders, type Orders } from './orders';
import { createPayer } from './payer';
import { payments } from './payments';
import type { Product, ProductContext } from './product';
import { profitSharing } from './profit-sharing';
import { createRefunder } from './refund-control';
import { createRefunds } from './refund-state';
import { refundBook, refunds } from './refunds';
import { transferBatches } from './transfer-batches';
import { transfers } from './transfers';
import { v2CodePayments } from './v2-micropay';
import { v2Payments } from './v2-payments';
import { v2Refunds } from './v2-refunds';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly payer: ReturnType<typeof createPayer>;
  readonly refunder: ReturnType<typeof createRefunder>;
  readonly coupons: ReturnType<typeof businessCoupons>;
  readonly transfers: ReturnType<typeof transfers>;
  readonly transferBatches: ReturnType<typeof transferBatches>;
  readonly profitSharing: ReturnType<typeof profitSharing>;
}

export function createProducts(context: ProductContext): Products {
  // What several products share.
  const orders = createOrders(context);
  const ledger = createLedger(context, orders);
  const refundState = createRefunds(context, orders, ledger);
  const combined = combinedPayments(context, orders);
  const xmlRefunds = v2Refunds(context, orders, ledger);

  const shown = {
    payer: createPayer(context, orders, combined),
    // Refunds of another protocol go into both lists.
    refunder: createRefunder(context, [refundBook(refundState), xmlRefunds.book]),
    coupons: businessCoupons(context),
    transfers: transfers(context),
    transferBatches: transferBatches(context),
    profitSharing: profitSharing(context, orders, refundState.refunded),
  };
  return {
    all: [
      certificates(context),
      payments(context, orders),
      codePayments(context, orders),
      combined,
      shown.payer.product,
      refunds(context, refundState),
      v2Payments(context, orders),
      v2CodePayments(context, orders),
      xmlRefunds,
      shown.refunder.product,
      bills(context, orders, ledger, [refundState, xmlRefunds]),
      shown.coupons,
      shown.transfers,
      shown.transferBatches,
      shown.profitSharing,
    ],
    orders,
    ...shown,
  };
}
