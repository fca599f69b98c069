import { credentialsOf } from '../signature/credentials';
import { type Coupons, coupons } from './coupon';
import { type PayScore, payScore } from './pay-score';
import { type Payments, payments } from './payment';
import { createSigning } from './signing';
import { type Transfers, transfers } from './transfer';

export type {
  AddCardParameters,
  CouponForUser,
  Coupons,
  CouponsToSend,
  CouponToSend,
  SendCouponParameters,
} from './coupon';
export type { BusinessView, PayScore } from './pay-score';
export type { AppParameters, BridgeParameters, Payments, PlacedAppOrder, PlacedOrder } from './payment';
export type { PaySignType, Texts } from './signing';
export type { TransferParameters, Transfers, WaitingTransfer } from './transfer';

/** Makes what front ends need to call WeChat Pay. */
export interface FrontEnd extends Payments, Coupons, PayScore, Transfers {}

/**
 * Makes the parameters with which pages, mini programs and apps call WeChat Pay, signed with the keys that an instance
 * was built with. Keep what this returns: the private key is loaded here.
 * @param instance what `Builder.factory` returned
 * @throws {@link InvalidArgumentError} where `Builder.factory` did not build the instance, or built it for a brand
 * @example
 * const invocation = Invocation.of(instance);
 * const { timeStamp, nonceStr, package: prepay, signType, paySign } = await invocation.jsapi({ appid, prepay_id });
 */
export function of(instance: object): FrontEnd {
  const signing = createSigning(credentialsOf(instance));
  return { ...payments(signing), ...coupons(signing), ...payScore(signing), ...transfers(signing) };
}
