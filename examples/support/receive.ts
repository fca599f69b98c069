import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { type NotificationReceiver, Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

const { env } = process;

/** Starts a server that receives notifications at /notify, and calls `paid` for each payment. */
export type Start = (
  notifications: NotificationReceiver,
  paid: (out_trade_no: string | undefined) => unknown,
  port: number,
) => Server | Promise<Server>;

/**
 * Runs a server that receives notifications. By default, the sandbox sends one and the server stops. With
 * WECHATPAY_PUBLIC_KEY_ID, WECHATPAY_PUBLIC_KEY (PEM text or file:// URL) and WECHATPAY_APIV3_KEY it listens on PORT
 * (3000 by default) for WeChat Pay's notifications; pass its URL as notify_url when you place an order.
 */
export async function receive(start: Start): Promise<void> {
  const { WECHATPAY_PUBLIC_KEY_ID: id, WECHATPAY_PUBLIC_KEY: key, WECHATPAY_APIV3_KEY: apiv3Key = '' } = env;
  await using sandbox = id && key ? undefined : await Sandbox.start();
  const { config } = sandbox ?? {};
  const notifications = Notifications.of(
    config ? { certs: config.certs, apiv3Key: config.apiv3Key } : { certs: { [id ?? '']: key ?? '' }, apiv3Key },
  );
  // Look up the order, compare the amount, and mark it as paid if it is not yet: a notification may come twice.
  const paid = (out_trade_no: string | undefined) => console.log('paid:', out_trade_no);
  const server = await start(notifications, paid, sandbox ? 0 : Number(env.PORT ?? 3000));
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (!sandbox) return console.log(`Listening on port ${port}.`);

  const payment = { out_trade_no: 'ORDER-1', trade_state: 'SUCCESS', amount: { payer_total: 100 } };
  const { attempts } = await sandbox.notify('TRANSACTION.SUCCESS', payment, `http://127.0.0.1:${port}/notify`);
  console.log('answered:', ...attempts.map(({ status }) => status));
  server.close();
}
