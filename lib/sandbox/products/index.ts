import { certificates } from './certificates';
import { businessCoupons } from './coupons';
import { createOrders, type Orders } from './orders';
import { payments } from './payments';
import type { Product, ProductContext } from './product';
import { refunds } from './refunds';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly coupons: ReturnType<typeof businessCoupons>;
}

export function createProducts(context: ProductContext): Products {
  const orders = createOrders(context);
  const coupons = businessCoupons(context);
  return {
    all: [certificates(context), coupons, payments(context, orders), refunds(context, orders)],
    orders,
    coupons,
  };
}
