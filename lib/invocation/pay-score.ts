import { nonce, timestamp } from '../signature/formatter';
import type { Signing } from './signing';
import { query, type Texts, texts } from './signing';

/** Opens WeChat Pay Score: mini programs use `extraData`, pages `queryString`, and apps pass `queryString` as `query`. */
export interface BusinessView {
  businessType: string;
  /** The parameters as a percent-encoded query string. */
  queryString: string;
  /** The parameters as an object. */
  extraData: Texts;
}

/** Parameters for front ends that open WeChat Pay Score (支付分) with `openBusinessView`. */
export interface PayScore {
  /**
   * Asks the user to authorise the service: with a pre-authorisation token, which is not signed, or, for services without
   * one, with the merchant's own unique number, signed by HMAC-SHA256 with the APIv2 key.
   * @throws {@link InvalidArgumentError} if a member is missing or not a string; {@link ConfigurationError} if the
   * instance lacks the `secret` that signs
   * @example const { businessType, extraData } = await invocation.payScoreEnable({ apply_permissions_token });
   * @see https://pay.weixin.qq.com/doc/v3/partner/4012677913
   * @see https://pay.weixin.qq.com/wiki/doc/apiv3/payscore.php?chapter=29_1&index=1
   */
  payScoreEnable(
    argument: { apply_permissions_token: string; scene?: string } | { service_id: string; out_request_no: string },
  ): Promise<BusinessView>;
  /**
   * Asks the user to confirm an order of the service.
   * @param argument `package` comes from the response that created the order. It is not signed, unless the service
   * requires it, as overseas: then pass `signType`
   * @throws as {@link PayScore.payScoreEnable}
   * @example const { businessType, queryString } = await invocation.payScoreUse({ package: order.package });
   * @see https://pay.weixin.qq.com/docs/merchant/apis/weixin-pay-score/jsapi-confirm.html
   * @see https://pay.weixin.qq.com/doc/global/v3/zh/4014096508
   */
  payScoreUse(argument: { package: string; signType?: 'HMAC-SHA256' }): Promise<BusinessView>;
  /**
   * Shows the user an order of the service. Signed by HMAC-SHA256 with the APIv2 key.
   * @throws as {@link PayScore.payScoreEnable}
   * @example const { businessType, extraData } = await invocation.payScoreDetail({ service_id, out_order_no });
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012587949
   */
  payScoreDetail(argument: { service_id: string; out_order_no: string }): Promise<BusinessView>;
}

/** Creates the Pay Score parameters for one merchant. */
export function payScore(signing: Signing): PayScore {
  return {
    async payScoreEnable(argument) {
      if (argument && 'apply_permissions_token' in argument) {
        return view('wxpayScoreEnable', texts(argument, ['apply_permissions_token'], ['scene']));
      }
      return view('wxpayScoreEnable', await signed(signing, texts(argument, ['service_id', 'out_request_no'])));
    },
    async payScoreUse(argument) {
      const { signType, ...plain } = texts(argument, ['package'], ['signType']);
      return view('wxpayScoreUse', signType === undefined ? plain : await signed(signing, plain));
    },
    async payScoreDetail(argument) {
      return view('wxpayScoreDetail', await signed(signing, texts(argument, ['service_id', 'out_order_no'])));
    },
  };
}

async function signed(signing: Signing, own: Texts): Promise<Texts> {
  const sign_type = 'HMAC-SHA256';
  const fields = {
    mch_id: signing.mchid,
    ...own,
    timestamp: String(timestamp()),
    nonce_str: nonce(),
    sign_type,
  };
  return { ...fields, sign: await signing.sign(sign_type, fields) };
}

function view(businessType: string, extraData: Texts): BusinessView {
  return { businessType, queryString: query(extraData), extraData };
}
