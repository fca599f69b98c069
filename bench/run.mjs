/** Measures everything, or, with `--only`, the calls of some contenders: see README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { coldStart } from './cold.mjs';
import { describeMachine, describeVersions } from './machine.mjs';
import { coldStartTable, sizeTable, summaryTable, throughputTables, verifiesLine } from './report.mjs';
import { installSizes } from './size.mjs';
import { taskOf } from './tasks.mjs';
import { throughput } from './throughput.mjs';

const PEERS = ['wechatpay-axios-plugin', 'wechatpay-node-v3'];
const CLIENTS = ['ours', 'floor', 'floor-peculiar', ...PEERS];
const NOTIFICATIONS = ['notification', 'notification-webcrypto', 'notification-node-crypto'];
const REFERENCES = ['floor', 'wechatpay-axios-plugin', 'notification-webcrypto', 'notification-node-crypto'];
const README = new URL('README.md', import.meta.url);
const RESULTS = /(?<=<!-- results -->\n)[\s\S]*(?=<!-- \/results -->)/;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    concurrency: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const progress = (text) => process.stderr.write(`${text}\n`);

async function compare(contenders, defaults) {
  const concurrencies = (values.concurrency ?? defaults).split(',').map(Number);
  const task = taskOf(contenders[0]);
  const results = await throughput({ task, contenders, concurrencies, rounds, seconds, progress });
  const [first] = contenders;
  const references = REFERENCES.filter((name) => name !== first && results.has(name));
  return [
    summaryTable(results, concurrencies, first, references),
    throughputTables(results, concurrencies, references),
    verifiesLine(results),
  ].join('\n\n');
}

async function everything() {
  const machine = describeMachine();
  const parts = [`${machine}.\n\n${describeVersions()}.`];
  parts.push(`### Calls\n\n${await compare(CLIENTS, '1,16,64')}`);
  parts.push(`### Notifications\n\n${await compare(NOTIFICATIONS, '1,16')}`);
  progress('cold start');
  parts.push(`### Cold start\n\n${coldStartTable(await coldStart({ contenders: CLIENTS, rounds: 15 }))}`);
  progress('install size');
  parts.push(`### Install size\n\n${sizeTable(installSizes(['undici', ...PEERS]))}`);
  return parts.join('\n\n');
}

const text = values.only ? await compare(values.only.split(','), '16,64') : await everything();
console.log(text);
if (values.write && !values.only) {
  writeFileSync(
    README,
    readFileSync(README, 'utf8').replace(RESULTS, () => `\n${text}\n\n`),
  );
}
