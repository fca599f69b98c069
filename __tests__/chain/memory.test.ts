import { execFileSync } from 'node:child_process';

const program = `
  const { chain } = require('./lib/chain');
  let count = 0;
  const instance = chain((verb, path) => { count += path.length; });
  const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
  const run = (from, to) => { for (let i = from; i < to; i++) instance['v3/pay/transactions/id/' + i].get(); };
  run(0, 1000);
  const before = heap();
  run(1000, 1001000);
  const grown = heap() - before;

  const rounds = 100000;
  const start = process.hrtime.bigint();
  for (let i = 0; i < rounds; i++) instance.v3.marketing.busifavor.coupons.use.post;
  const microseconds = Number(process.hrtime.bigint() - start) / 1000 / rounds;
  console.log(JSON.stringify({ count, grown, microseconds }));
`;

test('a million different paths leave no memory behind; five segments cost under 5 µs', () => {
  const args = ['--expose-gc', '-r', 'esbuild-register', '-e', program];
  const { count, grown, microseconds } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(count).toBeGreaterThan(1_000_000);
  expect(grown).toBeLessThan(10 * 1024 * 1024);
  expect(microseconds).toBeLessThan(5);
});
