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
  /** Goes to a path, written as it is: `chain('v3/pay/transactions/native')`. */
  chain<Path extends keyof PathsOfMerchants>(path: Path): PathsOfMerchants[Path];
  chain(path: `brand/${string}`): NeedsClientOfBrand;
  chain(path: string | number): LooseNode;
}

/** The first segment of the property chain of a brand. */
export interface BrandRoot {
  /** The JSON APIs of brands. */
  readonly brand: BrandOperations;
  /** Goes to a path, written as it is: `chain('brand/store/brandstores')`. */
  chain<Path extends keyof PathsOfBrands>(path: Path): PathsOfBrands[Path];
  chain(path: `v${2 | 3}/${string}`): NeedsClientOfMerchant;
  chain(path: string | number): LooseNode;
}

declare const needs: unique symbol;

/** What a merchant's client has in the place of an operation of brands: build one with `brandId`. */
export interface NeedsClientOfBrand {
  readonly [needs]: 'Builder.factory({ brandId, serial, privateKey, certs })';
}

/** What a brand's client has in the place of an operation of merchants: build one with `mchid`. */
export interface NeedsClientOfMerchant {
  readonly [needs]: 'Builder.factory({ mchid, serial, privateKey, certs })';
}

/** Paths in brackets that the catalogue does not know: text with a slash, taken as it is written. */
export interface LiteralPaths {
  readonly [path: `${string}/${string}`]: LooseNode;
}

/**
 * A client of a merchant: any path, as a chain of properties, by `chain()` or in brackets.
 *
 * With TypeScript's `noUncheckedIndexedAccess`, write a path that the catalogue does not know with `chain()`.
 */
export type Chain = MerchantRoot & PathsOfMerchants & LiteralPaths;

/** A client of a brand (品牌), which calls the operations of brands and no others. */
export type BrandChain = BrandRoot & PathsOfBrands & LiteralPaths;
