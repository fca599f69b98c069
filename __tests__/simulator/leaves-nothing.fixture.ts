import { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Simulator } from '../../lib/simulator';
import { send } from './support';

/** Uses and closes a simulator; the test waits for this process to end by itself. */
async function main(): Promise<void> {
  const simulator = await Simulator.start();
  simulator.misbehave(({ target }) => (target === '/v3/late' ? { delay: Number.POSITIVE_INFINITY } : undefined), 9);
  simulator.on('get', 'v3/ping', () => 'pong');
  const agent = new Agent({ keepAlive: true });
  await send(simulator, '/v3/ping', { agent });
  const givenUp = new Agent();
  const late = [send(simulator, '/v3/late', { agent: givenUp }), send(simulator, '/v3/late')];
  const ends = late.map((promise) => promise.catch((error: NodeJS.ErrnoException) => error.code));
  while (simulator.requests.length < 3) await setTimeout(5);
  givenUp.destroy();
  await ends[0];
  await simulator.close();
  console.log(JSON.stringify(await Promise.all(ends)));
}

void main();
