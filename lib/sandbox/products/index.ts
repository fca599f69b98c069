import { bills } from './bills';
import { certificates } from './certificates';
import { businessCoupons } from './coupons';
import { createLedger } from './ledger';
import { createOrders, type Orders } from './orders';
import { payments } from './payments';
import type { Product, ProductContext } from './product';
import { createRefunds, type Refunds } from './refund-state';
import { refunds } from './refunds';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly refunds: Refunds;
  readonly coupons: ReturnType<typeof businessCoupons>;
}

export function createProducts(context: ProductContext): Products {
  const orders = createOrders(context);
  const ledger = createLedger(context, orders);
  const refundState = createRefunds(context, orders, ledger);
  const coupons = businessCoupons(context);
  return {
    all: [
      certificates(context),
      coupons,
      payments(context, orders),
      refunds(context, refundState),
      // Further sources of refunds, such as v2, go into the list.
      bills(context, orders, ledger, [refundState]),
    ],
    orders,
    refunds: refundState,
    coupons,
  };
}
