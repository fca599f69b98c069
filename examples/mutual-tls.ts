/**
 * Requests a refund with v2 (申请退款), for which WeChat Pay requires the merchant's certificate (双向证书). The client
 * knows which operations require it; for an undocumented path, set `security: true`.
 *
 * The sandbox does not use TLS, so a server that requires a certificate stands in front of it. With WeChat Pay,
 * `merchant` is `{ cert: 'file:///path/to/apiclient_cert.pem', key: 'file:///path/to/apiclient_key.pem' }`.
 */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { Builder, ConfigurationError } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { selfSigned } from './support/self-signed';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('post', 'v2/secapi/pay/refund', ({ xml }) => ({ refund_id: `5${xml.out_refund_no}` }));

  const [platform, merchant] = [selfSigned('localhost'), selfSigned('1900000109')];
  const server = createServer({ ...platform, ca: merchant.cert, requestCert: true }, (client) => {
    console.log('presented:', client.getPeerCertificate().subject.CN);
    client.pipe(connect(Number(new URL(sandbox.url).port), '127.0.0.1')).pipe(client);
  });
  await once(server.listen(0, 'localhost').unref(), 'listening');

  const baseUrl = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const config = { ...sandbox.config, baseUrl };
  const instance = Builder.factory({ ...config, merchant: { ...merchant, ca: platform.cert } });
  const xml = {
    appid: 'wx8888888888888888',
    mch_id: sandbox.config.mchid,
    transaction_id: '4200000001',
    out_trade_no: 'ORDER-1',
    out_refund_no: '1217752501201407033233368018',
    total_fee: 100,
    refund_fee: 100,
  };
  // The certificate is presented only on separate connections, which no other request uses.
  const { refund_id } = await instance.v2.secapi.pay.refund.post({ xml }).xml();
  console.log('refund:', refund_id);

  const without = Builder.factory(config);
  const error = await without.v2.secapi.pay.refund.post({ xml }).catch((error) => error);
  console.log('without one:', error instanceof ConfigurationError, error.message);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
