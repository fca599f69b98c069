/**
 * Receives notifications with node:http alone.
 *
 * Run as it is, it makes the keys of both sides, posts one notification to itself as WeChat Pay would, and exits. With
 * WECHATPAY_PUBLIC_KEY_ID, WECHATPAY_PUBLIC_KEY (PEM text or file:// URL) and WECHATPAY_APIV3_KEY it listens on PORT
 * (3000 by default) for those of WeChat Pay; give it as notify_url when you place an order.
 */
import { createCipheriv, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Notification } from 'wechatpay-undici';

const { env } = process;

const platform = generateKeyPairSync('rsa', { modulusLength: 2048 });
const platformId = env.WECHATPAY_PUBLIC_KEY_ID ?? 'PUB_KEY_ID_0114232134912410000000000000';
const apiv3Key = env.WECHATPAY_APIV3_KEY ?? randomBytes(16).toString('hex');

const notifications = Notification.factory({
  certs: { [platformId]: env.WECHATPAY_PUBLIC_KEY ?? platform.publicKey },
  apiv3Key,
});

const server = createServer(
  notifications.handler(async ({ event_type, resource }) => {
    if (event_type !== 'TRANSACTION.SUCCESS') return;
    // Look up the order, compare the amount, and mark it as paid unless it is: a notification may come twice.
    console.log('paid:', resource);
  }),
);

/** Plays WeChat Pay: encrypts a payment, signs it, posts it. */
async function notify(url: string): Promise<number> {
  const [nonce, associated_data] = [randomBytes(6).toString('hex'), 'transaction'];
  const cipher = createCipheriv('aes-256-gcm', apiv3Key, nonce).setAAD(Buffer.from(associated_data));
  const payment = { out_trade_no: '1217752501201407033233368018', trade_state: 'SUCCESS', amount: { total: 100 } };
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(payment)), cipher.final(), cipher.getAuthTag()]);
  const body = JSON.stringify({
    id: randomUUID(),
    create_time: new Date().toISOString(),
    event_type: 'TRANSACTION.SUCCESS',
    resource_type: 'encrypt-resource',
    summary: '支付成功',
    resource: {
      original_type: 'transaction',
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: ciphertext.toString('base64'),
      associated_data,
      nonce,
    },
  });
  const [time, once] = [Math.floor(Date.now() / 1000), randomBytes(16).toString('hex')];
  const signature = sign('sha256', Buffer.from(`${time}\n${once}\n${body}\n`), platform.privateKey);
  const headers = {
    'Content-Type': 'application/json',
    'Wechatpay-Serial': platformId,
    'Wechatpay-Timestamp': String(time),
    'Wechatpay-Nonce': once,
    'Wechatpay-Signature': signature.toString('base64'),
  };
  const { status } = await fetch(url, { method: 'POST', headers, body });
  return status;
}

server.listen(env.WECHATPAY_PUBLIC_KEY ? Number(env.PORT ?? 3000) : 0, async () => {
  const { port } = server.address() as AddressInfo;
  if (env.WECHATPAY_PUBLIC_KEY) {
    console.log(`Listening on port ${port}.`);
    return;
  }
  const status = await notify(`http://127.0.0.1:${port}/notify`);
  console.log('answered:', status);
  process.exitCode = status === 204 ? 0 : 1;
  server.close();
});
