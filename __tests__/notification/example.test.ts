import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

test('the example with node:http receives a notification and ends', async () => {
  const args = ['-r', 'esbuild-register', 'examples/notify-node.ts'];
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith('WECHATPAY_')) delete env[name];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(stdout).toContain("out_trade_no: '1217752501201407033233368018'");
  expect(stdout).toContain('answered: 204');
});
