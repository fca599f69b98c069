/**
 * Signs with a key that nobody can read again: a non-extractable WebCrypto `CryptoKey`.
 *
 * It talks to an in-process sandbox.
 */
import { webcrypto } from 'node:crypto';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  const pkcs8 = sandbox.config.privateKey.export({ format: 'der', type: 'pkcs8' });
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);

  const instance = Builder.factory({ ...sandbox.config, privateKey });
  const json = {
    coupon_code: 'sxxe34343434',
    appid: 'wx1234567889999',
    use_time: '2015-05-20T13:29:35+08:00',
    use_request_no: '1002600620019090123143254435',
  };
  const used = await instance.v3.marketing.busifavor.coupons.use.post({ json }).json();
  console.log('used at:', used.wechatpay_use_time);

  const error = await webcrypto.subtle.exportKey('pkcs8', privateKey).catch((error) => error);
  console.log('when exported:', error.message);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
