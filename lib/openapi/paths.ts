import type { KnownNode } from './node';
import type { MarketingBusifavorCouponsUse } from './v3/marketing-busifavor';

/** Each known path, as `chain()` and brackets take it. */
export interface Paths {
  readonly 'v3/marketing/busifavor/coupons/use': KnownNode<MarketingBusifavorCouponsUse>;
}
