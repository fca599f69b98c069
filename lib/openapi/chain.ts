import type { BrandOperations } from './generated/brand';
import type { PathsOfBrands, PathsOfMerchants } from './generated/paths';
import type { V2 } from './generated/v2';
import type { V3 } from './generated/v3';
import type { LooseNode } from './node';

/** The first segments of the property chain of a merchant. */
export interface MerchantRoot {
  /** The XML APIs. */
  readonly v2: V2;
  /** The JSON APIs. */
  readonly v3: V3;
  /** Selects a literal path: `chain('v3/pay/transactions/native')`. */
  chain<Path extends keyof PathsOfMerchants>(path: Path): PathsOfMerchants[Path];
  chain(path: `brand/${string}`): NeedsClientOfBrand;
  chain(path: string | number): LooseNode;
}

/** The first segment of the property chain of a brand. */
export interface BrandRoot {
  /** The JSON APIs of brands. */
  readonly brand: BrandOperations;
  /** Selects a literal path: `chain('brand/store/brandstores')`. */
  chain<Path extends keyof PathsOfBrands>(path: Path): PathsOfBrands[Path];
  chain(path: `v${2 | 3}/${string}`): NeedsClientOfMerchant;
  chain(path: string | number): LooseNode;
}

declare const needs: unique symbol;

/** The type of brand operations on a merchant's client: use a client built with `brandId`. */
export interface NeedsClientOfBrand {
  readonly [needs]: 'Builder.factory({ brandId, serial, privateKey, certs })';
}

/** The type of merchant operations on a brand's client: use a client built with `mchid`. */
export interface NeedsClientOfMerchant {
  readonly [needs]: 'Builder.factory({ mchid, serial, privateKey, certs })';
}

/** Paths in brackets that the catalogue does not know: any string with a slash, sent as written. */
export interface LiteralPaths {
  readonly [path: `${string}/${string}`]: LooseNode;
}

/**
 * A client of a merchant: any path, as a property chain, with `chain()` or in brackets.
 *
 * With TypeScript's `noUncheckedIndexedAccess`, use `chain()` for a path that the catalogue does not know.
 */
export type Chain = MerchantRoot & PathsOfMerchants & LiteralPaths;

/** A client of a brand (品牌), which can call only brand operations. */
export type BrandChain = BrandRoot & PathsOfBrands & LiteralPaths;
