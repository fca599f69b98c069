import { certificates } from './certificates';
import { businessCoupons } from './coupons';
import { createOrders, type Orders } from './orders';
import { payments } from './payments';
import type { Product, ProductContext } from './product';
import { refunds } from './refunds';
import { transfers } from './transfers';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly coupons: ReturnType<typeof businessCoupons>;
  readonly transfers: ReturnType<typeof transfers>;
}

export function createProducts(context: ProductContext): Products {
  const orders = createOrders(context);
  const coupons = businessCoupons(context);
  const bills = transfers(context);
  return {
    all: [certificates(context), coupons, payments(context, orders), refunds(context, orders), bills],
    orders,
    coupons,
    transfers: bills,
  };
}
