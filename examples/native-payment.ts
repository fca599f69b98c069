/**
 * A native payment from beginning to end: the order, the payment, its notification, the refund, its notification.
 *
 * It talks to an in-process sandbox, which also plays the payer. With WeChat Pay, only the configuration and the
 * notify_url differ, which must be reachable for WeChat Pay: see support/receive.ts.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ApiError, Builder, Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  const { mchid } = sandbox.config;
  const instance = Builder.factory(sandbox.config);

  const notifications = Notifications.of(instance);
  let refunded = () => {};
  const refund = new Promise<void>((resolve) => {
    refunded = resolve;
  });
  const server = createServer(
    notifications.nodeHandler(({ event_type, resource }) => {
      if (event_type === 'TRANSACTION.SUCCESS')
        console.log('paid:', resource.out_trade_no, resource.amount?.payer_total);
      if (event_type !== 'REFUND.SUCCESS') return;
      console.log('refunded:', resource.out_refund_no, resource.amount?.refund);
      refunded();
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;

  const order = { out_trade_no: 'ORDER-1', amount: { total: 100 } };
  const json = { appid: 'wx8888888888888888', mchid, description: '茶', notify_url, ...order };
  const { code_url } = await instance.v3.pay.transactions.native.post({ json }).json();
  console.log('to show as a QR code:', code_url);

  const transaction = instance.v3.pay.transactions.outTradeNo._out_trade_no_;
  const query = async () => (await transaction.get({ out_trade_no: 'ORDER-1', query: { mchid } }).json()).trade_state;
  console.log('state:', await query());
  await sandbox.pay('ORDER-1');
  console.log('state:', await query());
  await instance.v3.pay.transactions.native
    .post({ json })
    .catch((error: ApiError) => console.log('again:', error.code));

  const { status } = await instance.v3.refund.domestic.refunds
    .post({
      json: {
        out_trade_no: 'ORDER-1',
        out_refund_no: 'REFUND-1',
        notify_url,
        amount: { refund: 40, total: 100, currency: 'CNY' },
      },
    })
    .json();
  console.log('refund:', status);
  await refund;
  console.log('state:', await query());
  server.close();
}

void main();
