/**
 * Sends a sensitive field and reads one from the response (添加分账接收方): the name of the receiver is sent encrypted
 * with WeChat Pay's key, and returned encrypted with the merchant's.
 *
 * It talks to an in-process sandbox. The sandbox does not expose its private key, so the handler here cannot decrypt the
 * request; it encrypts a name of its own for the merchant.
 */
import { createPublicKey } from 'node:crypto';
import { Builder, Rsa, Sensitive } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

interface Receiver {
  type: string;
  account: string;
  relation_type: string;
  /** Encrypted for WeChat Pay in the request, and for the merchant in the response. */
  name: string;
}

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  const merchantKey = createPublicKey(sandbox.config.privateKey);
  sandbox.on<Receiver>('post', 'v3/profitsharing/receivers/add', async ({ json, headers }) => {
    console.log('WeChat Pay receives:', { 'Wechatpay-Serial': headers['wechatpay-serial'], name: json.name });
    return { ...json, name: await Rsa.encrypt('张三', merchantKey) };
  });

  const instance = Builder.factory(sandbox.config);
  const sensitive = Sensitive.of(instance);

  const json = {
    appid: 'wx8888888888888888',
    type: 'PERSONAL_OPENID',
    account: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    relation_type: 'USER',
    name: await sensitive.encrypt('张三'),
  } as const;
  const receiver = await instance
    .chain('v3/profitsharing/receivers/add')
    .post({ json, headers: sensitive.headers, encrypted: true })
    .json<Receiver>();

  console.log('WeChat Pay responds:', receiver);
  console.log('the name in it:', await sensitive.decrypt(receiver.name));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
