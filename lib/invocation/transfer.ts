import type { Signing } from './signing';
import { type Texts, texts } from './signing';

/** A transfer that awaits the user's confirmation. */
export interface WaitingTransfer {
  /** The app for which the transfer was created. */
  appid: string;
  /** Returned by WeChat Pay when the transfer was created, in the state `WAIT_USER_CONFIRM`. */
  package_info: string;
  sub_mchid?: string;
  sub_appid?: string;
  /** The user who receives the transfer. */
  openid?: string;
}

/** The argument of `wx.requestMerchantTransfer(…)`. */
export type TransferParameters = Texts<'mchId' | 'appId' | 'package'> &
  Partial<Texts<'subMchId' | 'subAppId' | 'openId'>>;

/** Parameters for front ends in which a user confirms a transfer. */
export interface Transfers {
  /**
   * Parameters that ask the user to accept a transfer (商家转账): `wx.requestMerchantTransfer(parameters)` in a mini
   * program, `WeixinJSBridge.invoke('requestMerchantTransfer', parameters, …)` on a page. Nothing is signed.
   * @throws {@link InvalidArgumentError} if a member is missing or not a string
   * @example const parameters = invocation.merchantTransfer({ appid, package_info });
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/payment/wx.requestMerchantTransfer.md
   * @see https://pay.weixin.qq.com/doc/v3/partner/4016960577
   */
  merchantTransfer(transfer: WaitingTransfer): TransferParameters;
}

/** Renames the optional members for the front end. */
const NAMES = { sub_mchid: 'subMchId', sub_appid: 'subAppId', openid: 'openId' } as const;

/** Creates the transfer parameters for one merchant. */
export function transfers({ mchid }: Signing): Transfers {
  return {
    merchantTransfer(transfer) {
      const optional = ['sub_mchid', 'sub_appid', 'openid'] as const;
      const given = texts(transfer, ['appid', 'package_info'], optional);
      const rest = optional.flatMap((name) => (given[name] === undefined ? [] : [[NAMES[name], given[name]]]));
      return { mchId: mchid, appId: given.appid, package: given.package_info, ...Object.fromEntries(rest) };
    },
  };
}
