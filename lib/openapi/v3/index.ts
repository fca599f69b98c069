import type { KnownNode } from '../node';
import type { MarketingBusifavorCouponsUse } from './marketing-busifavor';

interface MarketingBusifavorCoupons {
  readonly use: KnownNode<MarketingBusifavorCouponsUse>;
}

interface MarketingBusifavor {
  readonly coupons: KnownNode<MarketingBusifavorCoupons>;
}

interface Marketing {
  readonly busifavor: KnownNode<MarketingBusifavor>;
}

/** The segments below `v3`. */
export interface V3 {
  readonly marketing: KnownNode<Marketing>;
}
