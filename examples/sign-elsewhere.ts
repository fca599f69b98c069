/**
 * Signs and decrypts in another process, over HTTP: the program itself never has the private key. An HSM or a key
 * service works the same way.
 *
 * It talks to an in-process sandbox. The sandbox generates the merchant's key, so it is passed to the signing process
 * here; yours already has it.
 */
import { fork } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { request } from 'undici';
import { Builder, Rsa } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

/** The process that holds the key. */
function serve(): void {
  process.once('message', (pem: string) => {
    const privateKey = Rsa.from(pem);
    const server = createServer(async (message, response) => {
      const bytes = await buffer(message);
      const isSigning = message.url === '/sign';
      response.end(await (isSigning ? Rsa.sign(bytes, privateKey) : Rsa.decrypt(bytes.toString('base64'), privateKey)));
    });
    server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  });
}

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  using signing = fork(__filename, ['serve']);
  signing.send(sandbox.config.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const [port] = await once(signing, 'message');

  const ask = async (what: string, bytes: Uint8Array): Promise<string> => {
    const url = `http://127.0.0.1:${port}/${what}`;
    const { statusCode, body } = await request(url, { method: 'POST', body: Buffer.from(bytes) });
    if (statusCode !== 200) throw new Error(`The signing service responded with ${statusCode}.`);
    return body.text();
  };

  const instance = Builder.factory({
    ...sandbox.config,
    privateKey: {
      // Takes the bytes to sign; returns SHA256withRSA in Base64. A verification function in `certs` works the same way.
      sign: (message) => ask('sign', message),
      // Takes the bytes of a ciphertext (RSA-OAEP, SHA-1); returns the plain text. Without it, response fields that are
      // encrypted for the merchant stay encrypted.
      decrypt: (ciphertext) => ask('decrypt', ciphertext),
    },
  });
  const json = {
    coupon_code: 'sxxe34343434',
    appid: 'wx1234567889999',
    use_time: '2015-05-20T13:29:35+08:00',
    use_request_no: '1002600620019090123143254435',
  };
  const used = await instance.v3.marketing.busifavor.coupons.use.post({ json }).json();
  console.log('signed by process', signing.pid, 'for process', process.pid);
  console.log('used at:', used.wechatpay_use_time);

  // The sandbox encrypts for the merchant, as WeChat Pay does.
  sandbox.on<{ name: string }>('post', 'v3/profitsharing/receivers/add', async ({ json }) => {
    const merchant = createPublicKey(sandbox.config.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    return { ...json, name: await Rsa.encrypt(await sandbox.decrypt(json.name), merchant) };
  });
  const receiver = { appid: 'wx1234567889999', type: 'PERSONAL_OPENID', account: 'o1', relation_type: 'USER' } as const;
  const added = await instance.v3.profitsharing.receivers.add.post({ json: { ...receiver, name: '张三' } }).json();
  console.log('decrypted there:', added.name);
}

if (process.argv[2] === 'serve') {
  serve();
} else {
  main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
