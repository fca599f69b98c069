/**
 * Sends requests through a proxy (CONNECT), and to another base URL (接入点).
 *
 * It talks to an in-process sandbox through an in-process proxy. Instead of `ProxyAgent`, undici's `EnvHttpProxyAgent`
 * takes the proxy from the variables `HTTPS_PROXY` and `NO_PROXY`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { ProxyAgent } from 'undici';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('get', 'v3/certificates', () => ({ data: [] }));
  sandbox.on('get', 'hk/v3/certificates', () => ({ data: [] }));

  const proxy = createServer().on('connect', ({ url }, client, head) => {
    console.log('the proxy connects to', url);
    const { hostname, port } = new URL(`http://${url}`);
    const server = connect(Number(port), hostname, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    server.write(head);
    client.pipe(server).pipe(client);
  });
  await once(proxy.listen(0, '127.0.0.1').unref(), 'listening');
  const dispatcher = new ProxyAgent(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);

  const instance = Builder.factory({ ...sandbox.config, dispatcher });
  await instance.chain('v3/certificates').get();
  // With WeChat Pay, for example https://apihk.mch.weixin.qq.com/
  await instance.chain('v3/certificates').get({ baseUrl: `${sandbox.url}hk/` });
  for (const { method, target, status } of sandbox.requests) console.log(method, target, status);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
