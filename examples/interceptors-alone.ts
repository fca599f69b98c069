/**
 * Signs and verifies without the client: the signer and the verifier are undici interceptors, for its `request`, its
 * `fetch`, or any dispatcher of your own.
 *
 * It talks to an in-process sandbox.
 */
import { Agent, fetch, request } from 'undici';
import { signer, Transformer, v2Signer, v2Verifier, verifier } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'weixin://wxpay/bizpayurl?pr=1' }));
  sandbox.on('post', 'v2/pay/orderquery', () => ({ trade_state: 'SUCCESS' }));
  const { config, url } = sandbox;
  const agent = new Agent();

  // The last one runs first: interceptors that repeat requests, such as undici's retry, come after the signer.
  const v3 = agent.compose(verifier(config), signer(config));
  const order = {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'shop/1.0' },
    body: JSON.stringify({ description: 'QQ公仔' }),
    dispatcher: v3,
  } as const;
  const { body } = await request(`${url}v3/pay/transactions/native`, order);
  console.log('undici.request:', await body.json());
  const response = await fetch(`${url}v3/pay/transactions/native`, order);
  console.log('undici.fetch:', await response.json());

  const v2 = agent.compose(v2Verifier(config), v2Signer(config));
  const xml = Transformer.toXml({ mch_id: config.mchid, out_trade_no: 'ORDER-1' });
  const found = await request(`${url}pay/orderquery`, { method: 'POST', body: xml, dispatcher: v2 });
  console.log('v2:', Transformer.toObject(await found.body.text()).trade_state);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
