/** Where clients look for WeChat Pay: its API's hosts, those of its spare address, and where single operations live. */
export const WECHATPAY_HOSTS: readonly string[] = [
  'api.mch.weixin.qq.com',
  'api2.mch.weixin.qq.com',
  'api.wechatpay.cn',
  'api2.wechatpay.cn',
  'apihk.mch.weixin.qq.com',
  'apius.mch.weixin.qq.com',
  'apieu.mch.weixin.qq.com',
  'fraud.mch.weixin.qq.com',
  'payapp.weixin.qq.com',
  'pay.wechatpay.cn',
  'api.weixin.qq.com',
];

/** Whether a `Host` is one of WeChat Pay's, where only TLS is spoken. */
export function isWechatPay(host: string): boolean {
  return WECHATPAY_HOSTS.includes(host.toLowerCase().replace(/:443$/, ''));
}
