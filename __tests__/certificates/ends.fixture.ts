import { Builder } from '../../lib';
import { Sandbox } from '../../lib/sandbox';

/** Downloads certificates, one of which expires soon, and pays; the test waits for this process to end by itself. */
async function main(): Promise<void> {
  const sandbox = await Sandbox.start();
  await sandbox.rotate('certificate', { validFor: 3_600_000 });
  sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'weixin://' }));
  const { certs: _, ...config } = sandbox.config;
  const kept: string[] = [];
  const certificateCache = { read: () => kept.at(-1), write: (text: string) => kept.push(text) };
  const instance = Builder.factory({ ...config, certificateCache });
  const pay = () => instance.chain('v3/pay/transactions/native').post({ json: {} } as never);
  await Promise.all([pay(), pay()]);
  await pay();
  await sandbox.close();
  console.log(sandbox.requests.map(({ target }) => target).join(' '));
}

void main();
