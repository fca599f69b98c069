/**
 * Places an order (JSAPI下单) and prints the parameters with which the page in WeChat starts the payment:
 * `WeixinJSBridge.invoke('getBrandWCPayRequest', parameters, …)`.
 *
 * By default it talks to an in-process sandbox. With WECHATPAY_MCHID, WECHATPAY_SERIAL, WECHATPAY_PRIVATE_KEY,
 * WECHATPAY_PUBLIC_KEY_ID and WECHATPAY_PUBLIC_KEY (keys as PEM text or file:// URL) it talks to WeChat Pay, and places an
 * order of 0.01 CNY for the app WECHATPAY_APPID and its user WECHATPAY_OPENID.
 */
import { Builder, type ClientConfig, Formatter, Invocation } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

const { env } = process;

function platformConfig(): ClientConfig {
  return {
    mchid: env.WECHATPAY_MCHID ?? '',
    serial: env.WECHATPAY_SERIAL ?? '',
    privateKey: env.WECHATPAY_PRIVATE_KEY ?? '',
    certs: { [env.WECHATPAY_PUBLIC_KEY_ID ?? '']: env.WECHATPAY_PUBLIC_KEY ?? '' },
  };
}

async function main(): Promise<void> {
  await using sandbox = env.WECHATPAY_MCHID ? undefined : await Sandbox.start();
  sandbox?.on('post', 'v3/pay/transactions/jsapi', () => ({ prepay_id: `wx${Formatter.nonce(34)}` }));

  const config = sandbox?.config ?? platformConfig();
  const instance = Builder.factory(config);
  const invocation = Invocation.of(instance);

  const json = {
    mchid: config.mchid,
    appid: env.WECHATPAY_APPID ?? 'wx8888888888888888',
    description: 'Image形象店-深圳腾大-QQ公仔',
    out_trade_no: Formatter.nonce(),
    notify_url: 'https://shop.example/notify',
    amount: { total: 1 },
    payer: { openid: env.WECHATPAY_OPENID ?? 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
  };
  const { prepay_id } = await instance.chain('v3/pay/transactions/jsapi').post({ json }).json<{ prepay_id: string }>();

  console.log('for the page in WeChat:', await invocation.jsapi({ appid: json.appid, prepay_id }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
