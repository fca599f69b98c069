/**
 * Places an order with v2 (统一下单): XML, signed by MD5 and by HMAC-SHA256. Then queries an order that does not exist.
 *
 * It talks to an in-process sandbox.
 */
import { ApiError, Builder, Formatter } from 'wechatpay-undici';
import { Sandbox, v2Fault } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('post', 'v2/pay/unifiedorder', ({ xml }) => ({ prepay_id: `wx${xml.out_trade_no}` }));
  sandbox.on('post', 'v2/pay/orderquery', () => v2Fault('ORDERNOTEXIST', '此交易订单号不存在'));

  // A v2-only client needs no other key; together with the APIv3 options, one client serves both.
  const { mchid, secret, baseUrl } = sandbox.config;
  const instance = Builder.factory({ mchid, secret, baseUrl });
  const merchant = { appid: 'wx8888888888888888', mch_id: mchid };

  for (const sign_type of ['MD5', 'HMAC-SHA256'] as const) {
    const order = {
      ...merchant,
      sign_type,
      body: 'Image形象店 <深圳腾大> QQ公仔',
      out_trade_no: Formatter.nonce(),
      total_fee: 1,
      spbill_create_ip: '127.0.0.1',
      notify_url: 'https://shop.example/notify',
      trade_type: 'NATIVE',
    };
    const { prepay_id } = await instance.v2.pay.unifiedorder.post({ xml: order }).xml();
    console.log(`signed by ${sign_type}, placed:`, prepay_id);
  }

  try {
    const xml = { ...merchant, transaction_id: '', out_trade_no: 'NONE' };
    await instance.v2.pay.orderquery.post({ xml });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { return_code, result_code, err_code, err_code_des } = error;
    console.log('refused:', { return_code, result_code, err_code, err_code_des });
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
