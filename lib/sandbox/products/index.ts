import { bills } from './bills';
import { certificates } from './certificates';
import { businessCoupons } from './coupons';
import { createLedger } from './ledger';
import { createOrders, type Orders } from './orders';
import { payments } from './payments';
import type { Product, ProductContext } from './product';
import { createRefunder } from './refund-control';
import { createRefunds } from './refund-state';
import { refundBook, refunds } from './refunds';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly coupons: ReturnType<typeof businessCoupons>;
  readonly refunder: ReturnType<typeof createRefunder>;
}

export function createProducts(context: ProductContext): Products {
  const orders = createOrders(context);
  const coupons = businessCoupons(context);
  const ledger = createLedger(context, orders);
  const refundState = createRefunds(context, orders, ledger);
  // Refunds of another protocol go into both lists.
  const refunder = createRefunder(context, [refundBook(refundState)]);
  return {
    all: [
      certificates(context),
      coupons,
      payments(context, orders),
      refunds(context, refundState),
      refunder.product,
      bills(context, orders, ledger, [refundState]),
    ],
    orders,
    coupons,
    refunder,
  };
}
