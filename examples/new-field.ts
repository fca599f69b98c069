/**
 * Sends a field that the package does not know yet: declared once, by module augmentation, or untyped.
 * Augment the interface that the editor shows when it completes the call.
 */
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

declare module 'wechatpay-undici/openapi/v3/marketing/busifavor' {
  interface MarketingBusifavorCouponsUsePostJson {
    brand_new?: string;
  }
}

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  const instance = Builder.factory(sandbox.config);
  // By itself, the sandbox refuses what nobody documents; a handler takes anything.
  const response = { stock_id: '100088', openid: 'xsd3434454567676' };
  sandbox.on('post', 'v3/marketing/busifavor/coupons/use', () => response);
  const known = {
    coupon_code: 'sxxe34343434',
    appid: 'wx1234567889999',
    use_time: '2015-05-20T13:29:35+08:00',
    use_request_no: '1002600620019090123143254435',
  };

  const { stock_id } = await instance.v3.marketing.busifavor.coupons.use
    .post({ json: { ...known, brand_new: 'x' } })
    .json();
  console.log('declared:', stock_id);

  // A path of type string is not looked up, so the call is not type-checked.
  const path: string = 'v3/marketing/busifavor/coupons/use';
  const json = { ...known, even_newer: 'y' };
  const { openid } = await instance.chain(path).post({ json }).json<{ openid: string }>();
  console.log('loose:', openid, sandbox.requests.at(-1)?.body.includes('even_newer'));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
