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

/** Creates the parameters that front ends need to call WeChat Pay. */
export interface FrontEnd extends Payments, Coupons, PayScore, Transfers {}

/**
 * Creates the signed parameters with which pages, mini programs and apps call WeChat Pay, using the keys of an instance.
 * Keep the returned object: the private key is loaded here.
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
