/**
 * Platform certificates, for merchants that have no public key yet: with `apiv3Key`, the client downloads, verifies and
 * renews them by itself. A cache spares other processes the download.
 *
 * It talks to an in-process sandbox, which signs with a certificate and rotates it.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder, Certificates } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'weixin://wxpay/bizpayurl?pr=1' }));
  await sandbox.rotate();
  const { mchid, serial, privateKey, apiv3Key, baseUrl } = sandbox.config;

  const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  const file = join(directory, 'certificates.json');
  const certificateCache = {
    read: () => readFile(file, 'utf8').catch(() => undefined), // or redis.get(key)
    write: (text: string) => writeFile(file, text), // or redis.set(key, text)
  };
  const config = { mchid, serial, privateKey, apiv3Key, baseUrl, certificateCache };
  const instance = Builder.factory(config);
  const another = Builder.factory(config); // as in another process

  const pay = async (name: string, client: typeof instance) => {
    const order = { appid: 'wx8888888888888888', mchid, description: 'QQ公仔', out_trade_no: name };
    const notify_url = 'https://shop.example/notify';
    const response = await client.v3.pay.transactions.native.post({
      json: { ...order, notify_url, amount: { total: 1 } },
    });
    console.log(`${name}:`, response.status, 'signed by', response.headers.get('wechatpay-serial'));
  };
  await pay('first', instance);
  await pay('from the cache', another);
  await sandbox.rotate();
  await pay('after a change', instance);
  console.log('downloads:', sandbox.requests.filter(({ target }) => target === '/v3/certificates').length);

  const certificates = await Certificates.of(instance).refresh();
  for (const { serialNumber, validTo } of certificates) console.log('valid:', serialNumber, 'until', validTo);
  await rm(directory, { recursive: true });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
