/** How long it takes to load the package, and to get the first answer with it; in processes of their own, in turns. */
import { execFileSync } from 'node:child_process';
import { startServer } from './children.mjs';
import { createSetup, order } from './setup.mjs';
import { median } from './table.mjs';

const cwd = new URL('.', import.meta.url);
/** What is required. */
const MODULES = {
  ours: '../dist/index.js',
  undici: 'undici',
  'wechatpay-axios-plugin': 'wechatpay-axios-plugin',
  'wechatpay-node-v3': 'wechatpay-node-v3',
};
const REQUIRE = `
  const start = performance.now();
  require(process.argv[1]);
  console.log(performance.now() - start);
`;
const ANSWER = `
  const [name, setup, order] = process.argv.slice(1);
  const start = performance.now();
  (async () => {
    const call = await require('./contenders/' + name + '.cjs').connect(JSON.parse(setup));
    await call(JSON.parse(order));
    console.log(performance.now() - start);
    process.exit();
  })();
`;

/**
 * Medians in milliseconds.
 * @param rounds how often each is started; once more before, which does not count
 */
export async function coldStart({ contenders, rounds }) {
  const server = await startServer(createSetup());
  const { appid, mchid, serial, privateKey, platformId, platformKey, baseUrl } = server.setup;
  const setup = JSON.stringify({ appid, mchid, serial, privateKey, platformId, platformKey, baseUrl });
  const required = new Map(Object.keys(MODULES).map((name) => [name, []]));
  const answered = new Map(contenders.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, times] of required) times[round] = run(REQUIRE, MODULES[name]);
    for (const [name, times] of answered)
      times[round] = run(ANSWER, name, setup, JSON.stringify(order({ appid, mchid })));
  }
  await server.stop();
  const medians = (all) => new Map([...all].map(([name, times]) => [name, median(times.slice(1))]));
  return { required: medians(required), answered: medians(answered) };
}

function run(program, ...args) {
  return Number(execFileSync(process.execPath, ['-e', program, ...args], { cwd, encoding: 'utf8' }));
}
