import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

test('a process that has downloaded certificates ends by itself', async () => {
  const fixture = join(__dirname, 'ends.fixture.ts');
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['-r', 'esbuild-register', fixture], { timeout: 20_000 });
  const orders = Array(3).fill('/v3/pay/transactions/native');
  expect(stdout.trim().split(' ')).toEqual(['/v3/certificates', ...orders]);
});
