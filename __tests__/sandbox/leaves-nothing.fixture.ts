import { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Sandbox } from '../../lib/sandbox';
import { send } from './support';

/** Uses and closes a sandbox; the test waits for this process to end by itself. */
async function main(): Promise<void> {
  const sandbox = await Sandbox.start();
  sandbox.misbehave(({ target }) => (target === '/v3/late' ? { delay: Number.POSITIVE_INFINITY } : undefined), 9);
  sandbox.on('get', 'v3/ping', () => 'pong');
  const agent = new Agent({ keepAlive: true });
  await send(sandbox, '/v3/ping', { agent });
  const givenUp = new Agent();
  const late = [send(sandbox, '/v3/late', { agent: givenUp }), send(sandbox, '/v3/late')];
  const ends = late.map((promise) => promise.catch((error: NodeJS.ErrnoException) => error.code));
  while (sandbox.requests.length < 3) await setTimeout(5);
  givenUp.destroy();
  await ends[0];
  await sandbox.close();
  console.log(JSON.stringify(await Promise.all(ends)));
}

void main();
