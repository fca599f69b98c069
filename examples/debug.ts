/**
 * Shows the traffic: a message for each request, and one for its response or failure, without headers and bodies.
 * `NODE_DEBUG=wechatpay node app.js` prints the same to stderr, one line each, without any change to the program.
 *
 * It talks to an in-process sandbox.
 */
import { subscribe } from 'node:diagnostics_channel';
import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  subscribe('wechatpay', (message) => console.log(message));

  await using sandbox = await Sandbox.start();
  sandbox.on('get', 'v3/certificates', () => ({ data: [] }));
  const instance = Builder.factory(sandbox.config);

  await instance.chain('v3/certificates').get();
  sandbox.misbehave({ signature: 'wrong' });
  await instance
    .chain('v3/certificates')
    .get()
    .catch(() => {});
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
