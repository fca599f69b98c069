import type { Call } from '../node';
import type { CommonOptions } from '../options';

/** 核销用户券 */
export interface MarketingBusifavorCouponsUsePost {
  json: {
    /** 券code */
    coupon_code: string;
    /** 批次号 */
    stock_id?: string;
    /** 公众账号ID */
    appid: string;
    /** 请求核销时间 */
    use_time: string;
    /** 核销请求单据号 */
    use_request_no: string;
    /** 用户标识 */
    openid?: string;
    /** 商户订单号 */
    out_trade_no?: string;
    /** 下单商户号 */
    mch_id?: string;
    /** 微信支付订单号 */
    transaction_id?: string;
  };
}

/** 核销用户券 */
export interface MarketingBusifavorCouponsUsePostResult {
  /** 批次号 */
  stock_id: string;
  /** 用户标识 */
  openid: string;
  /** 系统核销券成功的时间 */
  wechatpay_use_time: string;
}

export interface MarketingBusifavorCouponsUse {
  /** 核销用户券 @see https://pay.weixin.qq.com/doc/v3/merchant/4012465292 */
  readonly post: Call<MarketingBusifavorCouponsUsePost & CommonOptions, MarketingBusifavorCouponsUsePostResult>;
  /** 核销用户券 @see https://pay.weixin.qq.com/doc/v3/merchant/4012465292 */
  readonly postAsync: Call<MarketingBusifavorCouponsUsePost & CommonOptions, MarketingBusifavorCouponsUsePostResult>;
}
