import { bills } from './bills';
import { businessCoupons } from './busifavor';
import { certificates } from './certificates';
import { codePayments } from './codepay';
import { combinedPayments } from './combine';
import { complaints } from './complaints';
import { cashCoupons } from './favor';
import { createLedger } from './ledger';
import { media } from './media';
import { createOrders } from './orders';
import { createPayer } from './payer';
import { payments } from './payments';
import { serviceOrders } from './payscore';
import { servicePermissions } from './payscore-permissions';
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
export type Products = ReturnType<typeof createProducts>;

export function createProducts(context: ProductContext) {
  // What several products share.
  const orders = createOrders(context);
  const ledger = createLedger(context, orders);
  const refundState = createRefunds(context, orders, ledger);
  const combined = combinedPayments(context, orders);
  const xmlRefunds = v2Refunds(context, orders, ledger);
  const permissions = servicePermissions(context);

  /** What the class `Sandbox` plays with. */
  const played = {
    payer: createPayer(context, orders, combined),
    refunder: createRefunder(context, [refundBook(refundState), xmlRefunds.book]),
    coupons: businessCoupons(context),
    transfers: transfers(context),
    transferBatches: transferBatches(context),
    profitSharing: profitSharing(context, orders, refundState.refunded),
    services: serviceOrders(context, permissions),
    permissions,
    complaints: complaints(context, orders),
    media: media(context),
  };
  const all: readonly Product[] = [
    certificates(context),
    payments(context, orders),
    codePayments(context, orders, ledger),
    combined,
    played.payer.product,
    v2Payments(context, orders),
    v2CodePayments(context, orders, ledger),
    refunds(context, refundState),
    xmlRefunds,
    played.refunder.product,
    bills(context, orders, ledger, [refundState, xmlRefunds]),
    played.transfers,
    played.transferBatches,
    played.profitSharing,
    played.coupons,
    cashCoupons(context, orders),
    played.services,
    permissions,
    played.complaints,
    played.media,
  ];
  return { all, orders, ...played };
}
