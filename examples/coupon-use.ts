/**
 * Redeems one coupon (核销用户券) in six ways: three path styles, each awaited and as a promise chain.
 *
 * By default it talks to an in-process sandbox. With WECHATPAY_MCHID, WECHATPAY_SERIAL, WECHATPAY_PRIVATE_KEY,
 * WECHATPAY_PUBLIC_KEY_ID and WECHATPAY_PUBLIC_KEY (keys as PEM text or file:// URL) it talks to WeChat Pay, and redeems
 * the coupon WECHATPAY_COUPON_CODE of the batch WECHATPAY_STOCK_ID for the app WECHATPAY_APPID.
 */
import { Builder, type ClientConfig } from 'wechatpay-undici';
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
  const instance = Builder.factory(sandbox?.config ?? platformConfig());

  // All six use the same use_request_no, so WeChat Pay treats them as one redemption.
  const json = {
    coupon_code: env.WECHATPAY_COUPON_CODE ?? 'sxxe34343434',
    stock_id: env.WECHATPAY_STOCK_ID ?? '100088',
    appid: env.WECHATPAY_APPID ?? 'wx1234567889999',
    use_time: '2015-05-20T13:29:35+08:00',
    use_request_no: '1002600620019090123143254435',
  };

  const response = await instance.v3.marketing.busifavor.coupons.use.post({ json });
  console.log('property chain, awaited:', response.status, response.requestId, await response.json());

  const declared = await instance.chain('v3/marketing/busifavor/coupons/use').post({ json }).json();
  console.log('declared path, awaited: ', declared.wechatpay_use_time);

  const indexed = await instance['v3/marketing/busifavor/coupons/use'].post({ json }).json();
  console.log('bracket index, awaited: ', indexed.wechatpay_use_time);

  await instance.v3.marketing.busifavor.coupons.use
    .postAsync({ json })
    .then((response) => response.json())
    .then(({ wechatpay_use_time }) => console.log('property chain, promise:', wechatpay_use_time));

  await instance
    .chain('v3/marketing/busifavor/coupons/use')
    .postAsync({ json })
    .then((response) => response.json())
    .then(({ wechatpay_use_time }) => console.log('declared path, promise: ', wechatpay_use_time));

  await instance['v3/marketing/busifavor/coupons/use']
    .postAsync({ json })
    .then((response) => response.json())
    .then(({ wechatpay_use_time }) => console.log('bracket index, promise: ', wechatpay_use_time));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
