import type { Signing } from './signing';
import { type Texts, texts } from './signing';

/** A transfer that waits for the user to confirm it. */
export interface WaitingTransfer {
  /** The app that the transfer was made for. */
  appid: string;
  /** What WeChat Pay answered when the transfer was made, in the state `WAIT_USER_CONFIRM`. */
  package_info: string;
  sub_mchid?: string;
  sub_appid?: string;
  /** The user who is to receive. */
  openid?: string;
}

/** What `wx.requestMerchantTransfer(…)` takes. */
export type TransferParameters = Texts<'mchId' | 'appId' | 'package'> &
  Partial<Texts<'subMchId' | 'subAppId' | 'openId'>>;

/** What a front end needs to have a user confirm a transfer. */
export interface Transfers {
  /**
   * Parameters that ask the user to receive a transfer (商家转账): `wx.requestMerchantTransfer(parameters)` in a mini
   * program, `WeixinJSBridge.invoke('requestMerchantTransfer', parameters, …)` on a page. Nothing is signed.
   * @throws {@link InvalidArgumentError} where a member is missing or not text
   * @example const parameters = invocation.merchantTransfer({ appid, package_info });
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/payment/wx.requestMerchantTransfer.md
   * @see https://pay.weixin.qq.com/doc/v3/partner/4016960577
   */
  merchantTransfer(transfer: WaitingTransfer): TransferParameters;
}

/** The names of the optional members, for the front end. */
const NAMES = { sub_mchid: 'subMchId', sub_appid: 'subAppId', openid: 'openId' } as const;

/** Transfers of one merchant. */
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
