import { fork } from 'node:child_process';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { Session } from 'node:inspector/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Builder, type ClientConfig } from '../../lib';
import { Sandbox } from '../../lib/sandbox';

/*
 * How much of the package a call passes: `npm run measure:call`, with `-- --list` each file with its functions. V8 counts
 * what runs in one call of a client that has made some before; the sandbox is another process, so that none of it counts.
 */

const ROOT = resolve(__dirname, '../..');
const LIB = join(ROOT, 'lib');
const WARM = 5;

/** What the process of the sandbox tells: its configuration, keys as PEM. */
type Told = Record<'mchid' | 'serial' | 'privateKey' | 'secret' | 'baseUrl', string> & {
  certs: Record<string, string>;
};

async function serve(): Promise<void> {
  const sandbox = await Sandbox.start();
  sandbox.on('post', 'v2/pay/unifiedorder', ({ xml }) => ({ prepay_id: `wx${xml.out_trade_no}` }));
  const { mchid, serial, privateKey, certs, secret, baseUrl } = sandbox.config;
  const pem = Object.entries(certs).map(([id, key]) => [id, String(key.export({ type: 'spki', format: 'pem' }))]);
  const told: Told = {
    ...{ mchid, serial, secret, baseUrl },
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    certs: Object.fromEntries(pem),
  };
  process.send?.(told);
  process.once('disconnect', () => process.exit());
}

function configOf({ privateKey, certs, ...rest }: Told): ClientConfig {
  const keys = Object.entries(certs).map(([id, pem]): [string, KeyObject] => [id, createPublicKey(pem)]);
  return { ...rest, privateKey: createPrivateKey(privateKey), certs: Object.fromEntries(keys) };
}

/** Names of the functions of the package that work calls, by file. */
async function functionsOf(session: Session, work: () => Promise<unknown>): Promise<Map<string, string[]>> {
  for (let call = 0; call < WARM; call += 1) await work();
  await session.post('Profiler.takePreciseCoverage');
  await work();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const called = new Map<string, string[]>();
  for (const { scriptId, url, functions } of result) {
    if (!url) continue;
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    if (!path.startsWith(LIB)) continue;
    const { scriptSource } = await session.post('Debugger.getScriptSource', { scriptId });
    const end = endOfExports(scriptSource);
    const names = functions.flatMap(({ functionName, ranges: [range] }) =>
      range && range.count > 0 && range.startOffset >= end ? [functionName || '(anonymous)'] : [],
    );
    if (names.length > 0) called.set(relative(LIB, path), names);
  }
  return called;
}

/** Where the getters end by which esbuild exports: they are no functions of ours. */
function endOfExports(source: string): number {
  const start = /^__export\(\w+, \{/m.exec(source)?.index;
  return start === undefined ? 0 : source.indexOf('\n});', start);
}

async function measure(): Promise<void> {
  const sandbox = fork(__filename, ['serve']);
  const session = new Session();
  try {
    const [told] = (await once(sandbox, 'message')) as [Told];
    const instance = Builder.factory(configOf(told));
    const order = { appid: 'wx0000000000000000', notify_url: 'https://example.com/notify' };
    let count = 0;
    const calls: Record<string, () => Promise<unknown>> = {
      v3() {
        count += 1;
        const json = { ...order, mchid: told.mchid, description: 'x', out_trade_no: `${Date.now()}-${count}` };
        return instance.v3.pay.transactions.native.post({ json: { ...json, amount: { total: 1 } } }).json();
      },
      v2() {
        count += 1;
        const rest = { body: 'x', total_fee: 1, spbill_create_ip: '127.0.0.1', trade_type: 'NATIVE' as const };
        const xml = { ...order, ...rest, mch_id: told.mchid, out_trade_no: `${Date.now()}-${count}` };
        return instance.v2.pay.unifiedorder.post({ xml } as never).xml();
      },
    };
    session.connect();
    await session.post('Debugger.enable');
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    for (const [name, call] of Object.entries(calls)) {
      const called = await functionsOf(session, call);
      const functions = [...called.values()].flat();
      console.log(`${name}: ${called.size} files, ${functions.length} functions`);
      if (!process.argv.includes('--list')) continue;
      for (const [file, names] of [...called].sort()) console.log(`  ${file}: ${names.join(', ')}`);
    }
  } finally {
    session.disconnect();
    sandbox.disconnect();
  }
  // The connections of the client are kept alive.
  process.exit();
}

(process.argv[2] === 'serve' ? serve() : measure()).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
