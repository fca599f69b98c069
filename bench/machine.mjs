import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';

const require = createRequire(import.meta.url);

/** The version of a package that is installed here, or beside the package itself. */
export function versionOf(name) {
  const path = require.resolve.paths(name).map((directory) => `${directory}/${name}/package.json`);
  for (const file of path) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).version;
    } catch {}
  }
  throw new Error(`${name} is not installed: run npm run bench.`);
}

/** What the figures were taken on, in one line. */
export function describeMachine() {
  const [{ model }, ...others] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const load = loadavg()[0].toFixed(1);
  return (
    `${new Date().toISOString().slice(0, 10)}, ${model}, ${others.length + 1} cores, ${memory}, ${process.platform} ` +
    `${process.arch}, Node.js ${process.versions.node}; load average at the start ${load}`
  );
}

/** The versions of what is compared, in one line. */
export function describeVersions() {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const names = ['undici', '@peculiar/webcrypto', 'wechatpay-axios-plugin', 'axios', 'wechatpay-node-v3', 'superagent'];
  return [`wechatpay-undici ${version}`, ...names.map((name) => `${name} ${versionOf(name)}`)].join(', ');
}
