import { businessCoupons } from './busifavor';
import { certificates } from './certificates';
import { codePayments } from './codepay';
import { combinedPayments } from './combine';
import { type Complaints, complaints } from './complaints';
import { cashCoupons } from './favor';
import { createOrders, type Orders } from './orders';
import { createPayer } from './payer';
import { payments } from './payments';
import { type ServiceOrders, serviceOrders } from './payscore';
import { type Permissions, servicePermissions } from './payscore-permissions';
import type { Product, ProductContext } from './product';
import { refunds } from './refunds';

/** The products of a sandbox. */
export interface Products {
  readonly all: readonly Product[];
  readonly orders: Orders;
  readonly payer: ReturnType<typeof createPayer>;
  readonly coupons: ReturnType<typeof businessCoupons>;
  readonly services: ServiceOrders;
  readonly permissions: Permissions;
  readonly complaints: Complaints;
}

export function createProducts(context: ProductContext): Products {
  const orders = createOrders(context);
  const combined = combinedPayments(context, orders);
  const payer = createPayer(context, orders, combined);
  const coupons = businessCoupons(context);
  const complained = complaints(context, orders);
  const permissions = servicePermissions(context);
  const services = serviceOrders(context, permissions);
  return {
    all: [
      certificates(context),
      coupons,
      cashCoupons(context, orders),
      services,
      permissions,
      complained,
      payments(context, orders),
      codePayments(context, orders),
      combined,
      payer.product,
      refunds(context, orders),
    ],
    orders,
    payer,
    coupons,
    services,
    permissions,
    complaints: complained,
  };
}
