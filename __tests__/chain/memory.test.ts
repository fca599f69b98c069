import { execFileSync } from 'node:child_process';

const program = `
  const { chain } = require('./lib/chain/chain');
  let count = 0;
  const instance = chain((verb, path) => { count += path.length; });
  const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
  const run = (from, to) => {
    for (let i = from; i < to; i++) {
      instance['v3/pay/transactions/id/' + i].get();
      instance.v3.pay['A' + i].constructor.name.post();
    }
  };
  run(0, 1000);
  const before = heap();
  run(1000, 501000);
  console.log(JSON.stringify({ count, grown: heap() - before }));
`;

test('a million different paths leave no memory behind', () => {
  const args = ['--expose-gc', '-r', 'esbuild-register', '-e', program];
  const { count, grown } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(count).toBeGreaterThan(1_000_000);
  // Ten bytes a path; one that is kept takes a hundred and more.
  expect(grown).toBeLessThan(10 * 1024 * 1024);
});
